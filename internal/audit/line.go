package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
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

// A line is one JSON object with fixed fields in fixed order, of ASCII and printable characters only. The last field is
// the HMAC over the HMAC of the line before and everything of this line that stands before `,"mac":`.
func appendLine(out, key, index []byte, h head, it *entry) ([]byte, head) {
	e := &it.event
	start := len(out)
	out = append(out, `{"seq":`...)
	out = strconv.AppendUint(out, h.seq+1, 10)
	out = field(out, "time", e.Time.UTC().Format(time.RFC3339Nano))
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
			out = field(out, "hash", identifierHash(index, i))
			out = append(out, '}')
		}
		out = append(out, ']')
	}
	if it.evidence != nil {
		out = append(out, `,"evidence":{"id":`...)
		out = quote(out, it.evidence.id)
		out = field(out, "sha256", hex.EncodeToString(it.evidence.sum[:]))
		out = append(out, '}')
	}
	if len(e.Detail) > 0 {
		out = append(out, `,"detail":{`...)
		for n, name := range slices.Sorted(maps.Keys(e.Detail)) {
			if n > 0 {
				out = append(out, ',')
			}
			out = quote(out, name)
			out = append(out, ':')
			out = quote(out, e.Detail[name])
		}
		out = append(out, '}')
	}
	h = h.next(key, out[start:])
	out = field(out, "mac", hex.EncodeToString(h.mac[:]))
	return append(out, '}', '\n'), h
}

// next returns the head after a line, given what stands before its mac.
func (h head) next(key, text []byte) head {
	m := hmac.New(sha256.New, key)
	m.Write(h.mac[:])
	m.Write(text)
	next := head{seq: h.seq + 1}
	m.Sum(next.mac[:0])
	return next
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
	for _, r := range s {
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
	runes := []rune(value)
	if len(runes) < 6 {
		return strings.Repeat("*", len(runes))
	}
	return strings.Repeat("*", len(runes)-2) + string(runes[len(runes)-2:])
}
