package revocation

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"brama/internal/der"
	"brama/internal/qes/tbs"
)

// An entry is what a list says of one serial number. Real lists name one several times: a hold, and later its end.
type entry struct {
	revoked, held bool // some line says so
	last          int  // reason of the last line; −1 if not given
	since         time.Time
}

// A line is one of revokedCertificates (RFC 5280 5.1.2.6), by where its serial number stands: a list of a large authority
// has some hundred thousand, and is kept in memory while its responder cannot be reached.
type line struct {
	since  int64  // Unix time
	at     uint32 // of the content octets of the serial number
	size   uint8
	reason int8 // −1 if not given
}

// entries are the lines of a list in the order of serial numbers; lines of one number in the order of the list.
type entries struct {
	list  []byte // content of revokedCertificates
	lines []line
}

// lineSize is what a line takes in memory.
const lineSize = 16

// index reads the entries. The caller has verified the signature: before that a list is only octets from the network.
func (c *crl) index() error {
	count := 0
	r := der.NewReader(c.revoked)
	for r.More() {
		r.Next()
		count++
	}
	if err := r.Done(); err != nil {
		return fmt.Errorf("%w: CRL: %w", ErrMalformed, err)
	}
	if count > maxEntries {
		return fmt.Errorf("%w: CRL: too many entries", ErrMalformed)
	}
	out := entries{list: c.revoked, lines: make([]line, 0, count)}
	for r := der.NewReader(c.revoked); r.More(); {
		l, err := out.read(r)
		if err != nil {
			return fmt.Errorf("%w: CRL: %w", ErrMalformed, err)
		}
		out.lines = append(out.lines, l)
	}
	order := func(a, b line) int { return bytes.Compare(out.serial(a), out.serial(b)) }
	if !slices.IsSortedFunc(out.lines, order) {
		slices.SortStableFunc(out.lines, order)
	}
	c.entries = &out
	return nil
}

// read takes the next line from r, a reader of e.list.
func (e *entries) read(r *der.Reader) (line, error) {
	s := r.Sequence()
	serial := s.Integer()
	end := len(s.Rest()) + len(r.Rest()) // octets of the list behind the serial number
	l := line{at: uint32(len(e.list) - end - len(serial)), size: uint8(len(serial)), reason: -1}
	date := tbs.ReadTime(s)
	l.since = date.Unix()
	if s.More() {
		err := eachExtension(s.Sequence(), func(x extension) error {
			switch {
			case x.oid == oidReasonCode:
				v := der.NewReader(x.value)
				l.reason = int8(readEnumerated(v)) // below 128
				return v.Done()
			case x.oid == oidInvalidityDate:
			case x.critical: // certificateIssuer of an indirect list above all
				return errUnknownExtension
			}
			return nil
		})
		if err != nil {
			return line{}, err
		}
	}
	if err := errors.Join(s.Done(), r.Err()); err != nil {
		return line{}, err
	}
	if len(serial) > maxSerial {
		return line{}, der.ErrValue
	}
	return l, nil
}

// octets is about what the list takes in memory.
func (c *crl) octets() int {
	n := len(c.raw)
	if c.entries != nil {
		n += len(c.entries.lines) * lineSize
	}
	return n
}

func (e *entries) serial(l line) []byte { return e.list[l.at:][:l.size] }

// find returns what the list says of the serial number with these content octets, nil if nothing.
func (e *entries) find(serial []byte) *entry {
	i, found := slices.BinarySearchFunc(e.lines, serial, func(l line, want []byte) int { return bytes.Compare(e.serial(l), want) })
	if !found {
		return nil
	}
	out := &entry{}
	for ; i < len(e.lines) && bytes.Equal(e.serial(e.lines[i]), serial); i++ {
		l := e.lines[i]
		out.last, out.since = int(l.reason), time.Unix(l.since, 0).UTC()
		out.held = out.held || l.reason == reasonHold
		out.revoked = out.revoked || l.reason != reasonHold && l.reason != reasonRemove
	}
	return out
}
