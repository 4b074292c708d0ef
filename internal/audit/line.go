package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxValue bounds one text of a line, in bytes: longer ones are cut and say so.
const MaxValue = 512

const cutMark = "…[cut]"

// A head is the end of the chain: how many lines there are, and the HMAC of the last.
type head struct {
	seq uint64
	mac [sha256.Size]byte
}

// A lineWriter makes the lines of a batch. Its buffer and the states of its two keys serve all of them.
type lineWriter struct {
	text  []byte
	chain *chain
	index hash.Hash // HMAC-SHA-256
}

// maxText is how large a buffer is kept.
const maxText = 64 << 10

func newLineWriter(chain, index []byte) lineWriter {
	return lineWriter{chain: newChain(chain), index: hmac.New(sha256.New, index)}
}

// begin forgets the lines of the batch before, and returns h.
func (w *lineWriter) begin(h head) head {
	if cap(w.text) > maxText {
		w.text = nil
	}
	w.text = w.text[:0]
	return h
}

// add appends a line behind the head h and returns the head after it. A line is one JSON object with fixed fields in fixed
// order, of ASCII and printable characters only. The last field is the HMAC over the HMAC of the line before and everything
// of this line that stands before `,"mac":`.
func (w *lineWriter) add(h head, it *entry) head {
	e := &it.event
	start, out := len(w.text), w.text
	out = append(out, `{"seq":`...)
	out = strconv.AppendUint(out, h.seq+1, 10)
	out = append(out, `,"time":"`...)
	out = e.Time.UTC().AppendFormat(out, time.RFC3339Nano)
	out = append(out, '"')
	out = field(out, "action", e.Action)
	out = field(out, "outcome", string(e.Outcome))
	for _, f := range [...]struct{ name, value string }{
		{"code", e.Code}, {"login", e.Login}, {"client", e.Client}, {"connector", e.Connector},
		{"person", e.Person}, {"actor", e.Actor}, {"address", e.Address},
	} {
		if f.value != "" {
			out = field(out, f.name, f.value)
		}
	}
	if len(e.Identifiers) > 0 {
		out = append(out, `,"identifiers":[`...)
		for n, i := range e.Identifiers {
			if n > 0 {
				out = append(out, ',')
			}
			out = append(out, `{"type":`...)
			out = quote(out, i.Type)
			out = field(out, "country", i.Country)
			out = field(out, "masked", mask(i.Value))
			out = append(out, `,"hash":"`...)
			w.index.Reset()
			out = appendIdentifierHash(out, w.index, i)
			out = append(out, '"', '}')
		}
		out = append(out, ']')
	}
	if it.evidence != nil {
		out = append(out, `,"evidence":{"id":`...)
		out = quote(out, it.evidence.id)
		out = append(out, `,"sha256":"`...)
		out = hex.AppendEncode(out, it.evidence.sum[:])
		out = append(out, '"', '}')
	}
	out = appendDetail(out, e.Detail)
	h = w.chain.next(h, out[start:])
	out = append(out, macField...)
	out = hex.AppendEncode(out, h.mac[:])
	w.text = append(out, '"', '}', '\n')
	return h
}

// appendDetail writes the details by name.
func appendDetail(out []byte, detail map[string]string) []byte {
	if len(detail) == 0 {
		return out
	}
	var room [maxDetails]string
	names := room[:0]
	for name := range detail {
		names = append(names, name)
	}
	slices.Sort(names)
	out = append(out, `,"detail":{`...)
	for n, name := range names {
		if n > 0 {
			out = append(out, ',')
		}
		out = quote(out, name)
		out = append(out, ':')
		out = quote(out, detail[name])
	}
	return append(out, '}')
}

// appendIdentifierHash appends the keyed hash of an identifier in hex; m is the HMAC, to which nothing was written yet. Each
// part is written with its length.
func appendIdentifierHash(out []byte, m hash.Hash, i Identifier) []byte {
	at := len(out)
	for _, part := range [...]string{i.Type, i.Country, i.Value} {
		out = append(append(strconv.AppendInt(out, int64(len(part)), 10), ':'), part...)
	}
	m.Write(out[at:])
	out = m.Sum(out[:at])
	sum := [sha256.Size]byte(out[at:])
	return hex.AppendEncode(out[:at], sum[:])
}

// A chain makes the heads of one key.
type chain struct {
	hmac hash.Hash
	mac  [sha256.Size]byte
}

func newChain(key []byte) *chain { return &chain{hmac: hmac.New(sha256.New, key)} }

// next returns the head after a line behind h, given what stands before its mac.
func (c *chain) next(h head, text []byte) head {
	c.hmac.Reset()
	c.mac = h.mac
	c.hmac.Write(c.mac[:])
	c.hmac.Write(text)
	c.hmac.Sum(c.mac[:0])
	return head{seq: h.seq + 1, mac: c.mac}
}

func field(out []byte, name, value string) []byte {
	out = append(out, ',', '"')
	out = append(out, name...)
	out = append(out, '"', ':')
	return quote(out, value)
}

// quote writes s as a JSON string in which nothing can deceive who reads the file in a terminal: controls, line ends,
// formatting and bidi characters, and bytes that are no UTF-8, stand as \u escapes.
func quote(out []byte, s string) []byte {
	cut := len(s) > MaxValue
	if cut {
		s = s[:MaxValue]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
		if r, _ := utf8.DecodeLastRuneInString(s); r == utf8.RuneError && len(s) > 0 {
			s = s[:len(s)-1]
		}
	}
	out = append(out, '"')
	for s != "" {
		plain := 0
		for plain < len(s) && ' ' <= s[plain] && s[plain] <= '~' && s[plain] != '"' && s[plain] != '\\' {
			plain++
		}
		out = append(out, s[:plain]...)
		if s = s[plain:]; s == "" {
			break
		}
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r == utf8.RuneError:
			out = append(out, `\ufffd`...)
		case unicode.IsPrint(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	if cut {
		out = append(out, cutMark...)
	}
	return append(out, '"')
}

// mask leaves the last two characters of a number, enough to tell two persons apart and too little to know either.
func mask(value string) string {
	n, tail := utf8.RuneCountInString(value), len(value)
	if n < 6 {
		return strings.Repeat("*", n)
	}
	for range 2 {
		_, size := utf8.DecodeLastRuneInString(value[:tail])
		tail -= size
	}
	return strings.Repeat("*", n-2) + value[tail:]
}
