package pack

import (
	"encoding/binary"
	"errors"
	"time"
	"unsafe"
)

// ErrPacked is returned by Reader.End for bytes that are not what the caller read from them.
var ErrPacked = errors.New("pack: bytes are not of this form")

// AppendUint appends n as uvarint.
func AppendUint(b []byte, n uint64) []byte { return binary.AppendUvarint(b, n) }

// AppendInt appends n as varint.
func AppendInt(b []byte, n int64) []byte { return binary.AppendVarint(b, n) }

// AppendBool appends one byte, 0 or 1.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendString appends s behind its length in bytes.
func AppendString[S string | []byte](b []byte, s S) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// AppendStrings appends a list behind its length. An empty list and none are the same.
func AppendStrings(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = AppendString(b, s)
	}
	return b
}

// AppendTime appends an instant to the nanosecond. Its place in the world is lost; the zero time stays what it is.
func AppendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	return binary.AppendUvarint(binary.AppendVarint(append(b, 1), t.Unix()), uint64(t.Nanosecond()))
}

// A Reader takes apart what was appended, in the same order. After the first thing that does not fit all that it returns is
// zero, and End says so.
type Reader struct {
	all  []byte
	rest string // the end of all
	bad  bool
}

// NewReader returns a Reader of b. What it reads is memory of b, which nobody may change any more.
func NewReader(b []byte) *Reader {
	return &Reader{all: b, rest: unsafe.String(unsafe.SliceData(b), len(b))}
}

func (r *Reader) fail() { r.rest, r.bad = "", true }

// Uint reads what AppendUint wrote.
func (r *Reader) Uint() uint64 {
	var n uint64
	for shift, i := 0, 0; i < len(r.rest) && i < binary.MaxVarintLen64; shift, i = shift+7, i+1 {
		c := r.rest[i]
		if i == binary.MaxVarintLen64-1 && c > 1 {
			break // it overflows
		}
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
	}
	r.fail()
	return 0
}

// Int reads what AppendInt wrote.
func (r *Reader) Int() int64 {
	n := r.Uint()
	return int64(n>>1) ^ -int64(n&1)
}

// Bool reads what AppendBool wrote.
func (r *Reader) Bool() bool {
	if r.rest == "" || r.rest[0] > 1 {
		r.fail()
		return false
	}
	v := r.rest[0] == 1
	r.rest = r.rest[1:]
	return v
}

// String reads what AppendString wrote.
func (r *Reader) String() string {
	n := r.Uint()
	if n > uint64(len(r.rest)) {
		r.fail()
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// Bytes reads n bytes that were appended as they are; nil if there are fewer.
func (r *Reader) Bytes(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.fail()
		return nil
	}
	at := len(r.all) - len(r.rest)
	r.rest = r.rest[n:]
	return r.all[at : at+n : at+n]
}

// Count reads a length that was written for a list. It is never more than there are bytes left, for nothing is written in
// less than one.
func (r *Reader) Count() int {
	n := r.Uint()
	if n > uint64(len(r.rest)) {
		r.fail()
		return 0
	}
	return int(n)
}

// Strings reads what AppendStrings wrote, nil for an empty list.
func (r *Reader) Strings() []string {
	n := r.Count()
	if n == 0 {
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, r.String())
	}
	if r.bad {
		return nil
	}
	return list
}

// Time reads what AppendTime wrote, in UTC.
func (r *Reader) Time() time.Time {
	if !r.Bool() {
		return time.Time{}
	}
	seconds, nanoseconds := r.Int(), r.Uint()
	if r.bad || nanoseconds >= uint64(time.Second) {
		r.fail()
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC()
}

// End returns ErrPacked if something did not fit or bytes are left.
func (r *Reader) End() error {
	if r.bad || r.rest != "" {
		return ErrPacked
	}
	return nil
}
