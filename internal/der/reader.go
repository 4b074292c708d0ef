package der

// A Reader takes elements from a byte string in order. The first error sticks: every later call returns a zero value,
// so that a structure can be read in a straight line and checked once by [Reader.Done]. A loop must test [Reader.More],
// which is false after an error. The zero Reader is empty.
type Reader struct {
	rest []byte
	err  error
}

// NewReader returns a reader over b, which is zero or more elements one after another.
func NewReader(b []byte) *Reader { return &Reader{rest: b} }

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// Fail makes err the reader's error unless it already has one.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Done returns the first error, or ErrTrailing if something is left.
func (r *Reader) Done() error {
	if r.err == nil && len(r.rest) != 0 {
		r.err = ErrTrailing
	}
	return r.err
}

// More reports whether there is another element to read and no error so far.
func (r *Reader) More() bool { return r.err == nil && len(r.rest) > 0 }

// Rest returns what has not been read yet.
func (r *Reader) Rest() []byte { return r.rest }

// Peek reports whether the next element has tag t.
func (r *Reader) Peek(t Tag) bool { return r.More() && Tag(r.rest[0]) == t }

// Next takes the next element, whatever its tag.
func (r *Reader) Next() Value {
	if r.err != nil {
		return Value{}
	}
	b := r.rest
	head, end, err := span(b)
	if err != nil {
		r.err = err
		return Value{}
	}
	r.rest = b[end:]
	return Value{Tag: Tag(b[0]), Bytes: b[head:end:end], Full: b[:end:end]}
}

// content takes the next element, which must have tag t, and returns its content; nil with an error.
func (r *Reader) content(t Tag) []byte {
	if r.err != nil {
		return nil
	}
	b := r.rest
	if len(b) > 0 && Tag(b[0]) != t {
		r.err = ErrTag
		return nil
	}
	head, end, err := span(b)
	if err != nil {
		r.err = err
		return nil
	}
	r.rest = b[end:]
	return b[head:end:end]
}

// Read takes the next element, which must have tag t (ErrTag if not).
func (r *Reader) Read(t Tag) Value {
	if r.err == nil && len(r.rest) > 0 && Tag(r.rest[0]) != t {
		r.err = ErrTag
	}
	return r.Next()
}

// Optional takes the next element if it has tag t.
func (r *Reader) Optional(t Tag) (Value, bool) {
	if !r.Peek(t) {
		return Value{}, false
	}
	v := r.Next()
	return v, r.err == nil
}

// Nested takes the next element, which must have the constructed tag t, and returns a reader over its content. Errors
// of the nested reader are its own; after an error here it is empty and carries the same error.
func (r *Reader) Nested(t Tag) *Reader {
	b := r.content(t)
	return &Reader{rest: b, err: r.err}
}

// Sequence is Nested(Sequence).
func (r *Reader) Sequence() *Reader { return r.Nested(Sequence) }

// Set is Nested(Set).
func (r *Reader) Set() *Reader { return r.Nested(Set) }

// Integer takes an INTEGER and returns its content: two's complement, big-endian, minimal (X.690 8.3.2), not empty.
func (r *Reader) Integer() []byte {
	b := r.content(Integer)
	if r.err == nil {
		r.err = checkInteger(b)
	}
	if r.err != nil {
		return nil
	}
	return b
}

func checkInteger(b []byte) error {
	if len(b) == 0 {
		return ErrValue
	}
	if len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		return ErrEncoding
	}
	return nil
}

// Unsigned takes a non-negative INTEGER and returns its magnitude, big-endian without leading zeros (empty for 0).
func (r *Reader) Unsigned() []byte {
	b := r.Integer()
	if r.err != nil {
		return nil
	}
	if b[0] >= 0x80 {
		r.err = ErrValue
		return nil
	}
	if b[0] == 0 {
		b = b[1:]
	}
	return b
}

// Int takes an INTEGER between 0 and 2³¹−1.
func (r *Reader) Int() int {
	b := r.Unsigned()
	if len(b) > 4 || len(b) == 4 && b[0] >= 0x80 {
		r.Fail(ErrValue)
		return 0
	}
	n := 0
	for _, o := range b {
		n = n<<8 | int(o)
	}
	return n
}

// Boolean takes a BOOLEAN: 00 or FF (X.690 11.1).
func (r *Reader) Boolean() bool {
	b := r.content(Boolean)
	if r.err == nil && (len(b) != 1 || b[0] != 0 && b[0] != 0xff) {
		r.err = ErrEncoding
	}
	return r.err == nil && b[0] == 0xff
}

// OctetString takes a primitive OCTET STRING.
func (r *Reader) OctetString() []byte { return r.content(OctetString) }

// BitString takes a BIT STRING of whole octets (no unused bits), as keys and signatures are.
func (r *Reader) BitString() []byte {
	b, unused := r.Bits()
	if r.err == nil && unused != 0 {
		r.err = ErrValue
		return nil
	}
	return b
}

// Bits takes a BIT STRING and returns its octets and the number of unused low bits of the last one, which must be zero
// bits (X.690 11.2.1).
func (r *Reader) Bits() (b []byte, unused int) {
	content := r.content(BitString)
	if r.err != nil {
		return nil, 0
	}
	if len(content) == 0 {
		r.err = ErrEncoding
		return nil, 0
	}
	b, unused = content[1:], int(content[0])
	if unused > 7 || unused > 0 && len(b) == 0 || unused > 0 && b[len(b)-1]&(1<<unused-1) != 0 {
		r.err = ErrEncoding
		return nil, 0
	}
	return b, unused
}

// Null takes a NULL.
func (r *Reader) Null() {
	if b := r.content(Null); r.err == nil && len(b) != 0 {
		r.err = ErrEncoding
	}
}

// OID takes an OBJECT IDENTIFIER.
func (r *Reader) OID() OID {
	b := r.content(ObjectID)
	if o := usual(b); o != "" {
		return o
	}
	if r.err == nil {
		r.err = checkOID(b)
	}
	if r.err != nil {
		return ""
	}
	return OID(b)
}
