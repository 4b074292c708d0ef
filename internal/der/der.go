package der

import "errors"

// Limits that hold for everything this package reads.
const (
	// MaxDepth bounds nesting where a function descends by itself ([Normalize], [Valid]).
	MaxDepth = 32
	// maxLengthOctets bounds the length field: 2³²−1 bytes is far over every size limit of the callers.
	maxLengthOctets = 4
)

// Errors of this package. They name the shape of the fault only; the caller adds what was being read.
var (
	ErrTruncated = errors.New("der: truncated element")
	ErrTrailing  = errors.New("der: trailing data")
	ErrEncoding  = errors.New("der: encoding is not canonical")
	ErrTag       = errors.New("der: unexpected tag")
	ErrValue     = errors.New("der: value out of range")
	ErrDepth     = errors.New("der: nested too deeply")
)

// A Tag is the identifier octet of an element: class, constructed bit and a tag number of at most 30.
type Tag byte

// Identifier octets of the universal types that occur here.
const (
	Boolean         Tag = 0x01
	Integer         Tag = 0x02
	BitString       Tag = 0x03
	OctetString     Tag = 0x04
	Null            Tag = 0x05
	ObjectID        Tag = 0x06
	Enumerated      Tag = 0x0a
	UTF8String      Tag = 0x0c
	Sequence        Tag = 0x30
	Set             Tag = 0x31
	NumericString   Tag = 0x12
	PrintableString Tag = 0x13
	TeletexString   Tag = 0x14
	IA5String       Tag = 0x16
	UTCTime         Tag = 0x17
	GeneralizedTime Tag = 0x18
	VisibleString   Tag = 0x1a
	UniversalString Tag = 0x1c
	BMPString       Tag = 0x1e
)

// Context returns the primitive context-specific tag [n] (IMPLICIT of a primitive type). n is at most 30.
func Context(n int) Tag { return Tag(0x80 | n&0x1f) }

// Constructed returns the constructed context-specific tag [n] (EXPLICIT, or IMPLICIT of a constructed type).
func Constructed(n int) Tag { return Tag(0xa0 | n&0x1f) }

// IsConstructed reports whether the constructed bit (X.690 8.1.2.5) is set.
func (t Tag) IsConstructed() bool { return t&0x20 != 0 }

// A Value is one element. Bytes is the content, Full the whole encoding; both alias the input.
type Value struct {
	Tag   Tag
	Bytes []byte
	Full  []byte
}

// Reader returns a reader over the content of v.
func (v Value) Reader() *Reader { return NewReader(v.Bytes) }

// Parse reads exactly one element and refuses anything after it.
func Parse(b []byte) (Value, error) {
	v, rest, err := next(b)
	if err != nil {
		return Value{}, err
	}
	if len(rest) != 0 {
		return Value{}, ErrTrailing
	}
	return v, nil
}

// next reads the first element of b.
func next(b []byte) (v Value, rest []byte, err error) {
	head, end, err := span(b)
	if err != nil {
		return Value{}, nil, err
	}
	return Value{Tag: Tag(b[0]), Bytes: b[head:end:end], Full: b[:end:end]}, b[end:], nil
}

// span finds where the content of the first element of b begins and where it ends (X.690 8.1, 10.1): low tag numbers and
// definite, minimal lengths only.
func span(b []byte) (head, end int, err error) {
	if len(b) < 2 {
		return 0, 0, ErrTruncated
	}
	if tag := b[0]; tag&0x1f == 0x1f || tag == 0 {
		return 0, 0, ErrTag
	}
	n := int(b[1])
	if n >= 0x80 {
		return longSpan(b)
	}
	if len(b)-2 < n {
		return 0, 0, ErrTruncated
	}
	return 2, 2 + n, nil
}

// longSpan is span for a length in the long form.
func longSpan(b []byte) (head, end int, err error) {
	octets := int(b[1] & 0x7f)
	if octets == 0 || octets > maxLengthOctets {
		return 0, 0, ErrEncoding
	}
	if len(b) < 2+octets {
		return 0, 0, ErrTruncated
	}
	if b[2] == 0 {
		return 0, 0, ErrEncoding
	}
	var long uint64
	for _, o := range b[2 : 2+octets] {
		long = long<<8 | uint64(o)
	}
	if long < 0x80 {
		return 0, 0, ErrEncoding
	}
	head = 2 + octets
	if long > uint64(len(b)-head) {
		return 0, 0, ErrTruncated
	}
	return head, head + int(long), nil
}

// Valid walks every constructed element of b and reports the first fault of form: one element, canonical lengths, no
// trailing data, at most [MaxDepth] deep. It does not look into primitive values.
func Valid(b []byte) error {
	_, end, err := span(b)
	if err != nil {
		return err
	}
	if end != len(b) {
		return ErrTrailing
	}
	return valid(b, 1)
}

// valid walks elements that stand one after another at the given depth.
func valid(b []byte, depth int) error {
	for len(b) > 0 {
		head, end, err := span(b)
		if err != nil {
			return err
		}
		if Tag(b[0]).IsConstructed() {
			if depth >= MaxDepth {
				return ErrDepth
			}
			if err := valid(b[head:end], depth+1); err != nil {
				return err
			}
		}
		b = b[end:]
	}
	return nil
}
