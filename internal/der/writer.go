package der

// The writers append to a byte string and return it, as append does: structures are built from the inside out.

// Element encodes one element with tag t whose content is the concatenation of parts.
func Element(t Tag, parts ...[]byte) []byte { return Append(nil, t, parts...) }

// maxHead is the size of the longest tag and length that is written.
const maxHead = 6

// Append appends one element to b.
func Append(b []byte, t Tag, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if b == nil {
		b = make([]byte, 0, maxHead+n)
	}
	b = AppendHead(b, t, n)
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// AppendHead appends the tag and length of an element with n octets of content, which the caller appends. (Written out at
// every call it would be kilobytes of the browser program.)
//
//go:noinline
func AppendHead(b []byte, t Tag, n int) []byte {
	b = append(b, byte(t))
	switch {
	case n < 0x80:
		return append(b, byte(n))
	case n < 1<<8:
		return append(b, 0x81, byte(n))
	case n < 1<<16:
		return append(b, 0x82, byte(n>>8), byte(n))
	case n < 1<<24:
		return append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// Size is the size of an element with n octets of content.
func Size(n int) int {
	switch {
	case n < 0x80:
		return 2 + n
	case n < 1<<8:
		return 3 + n
	case n < 1<<16:
		return 4 + n
	case n < 1<<24:
		return 5 + n
	}
	return maxHead + n
}

// AppendOID appends an OBJECT IDENTIFIER.
func AppendOID(b []byte, o OID) []byte { return append(AppendHead(b, ObjectID, len(o)), o...) }

// EncodeSequence encodes a SEQUENCE of parts.
func EncodeSequence(parts ...[]byte) []byte { return Element(Sequence, parts...) }

// EncodeSetOf encodes a SET OF: its elements in ascending order of their encodings (X.690 11.6). It sorts a copy of
// the list of parts.
func EncodeSetOf(parts ...[]byte) []byte {
	sorted := append([][]byte(nil), parts...)
	SortSetOf(sorted)
	return Element(Set, sorted...)
}

// SortSetOf brings the elements of a SET OF into the order of their encodings.
func SortSetOf(parts [][]byte) {
	for i := 1; i < len(parts); i++ {
		for j := i; j > 0 && less(parts[j], parts[j-1]); j-- {
			parts[j], parts[j-1] = parts[j-1], parts[j]
		}
	}
}

// less compares as X.690 11.6 says: the shorter encoding is padded with zero octets.
func less(a, b []byte) bool {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return len(a) < len(b)
}

// IsSetOrdered reports whether the elements of the SET OF content b stand in DER order; b must hold readable elements.
func IsSetOrdered(b []byte) bool {
	var last []byte
	for len(b) > 0 {
		v, rest, err := next(b)
		if err != nil || last != nil && less(v.Full, last) {
			return false
		}
		last, b = v.Full, rest
	}
	return true
}

// EncodeUnsigned encodes a non-negative INTEGER from its big-endian magnitude; leading zeros are dropped.
func EncodeUnsigned(magnitude []byte) []byte {
	for len(magnitude) > 0 && magnitude[0] == 0 {
		magnitude = magnitude[1:]
	}
	if len(magnitude) == 0 || magnitude[0] >= 0x80 {
		return Element(Integer, []byte{0}, magnitude)
	}
	return Element(Integer, magnitude)
}

// EncodeInt encodes a small non-negative INTEGER.
func EncodeInt(n int) []byte {
	return EncodeUnsigned([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// EncodeOID encodes an OBJECT IDENTIFIER.
func EncodeOID(o OID) []byte { return Element(ObjectID, []byte(o)) }

// EncodeOctetString encodes an OCTET STRING.
func EncodeOctetString(b []byte) []byte { return Element(OctetString, b) }

// EncodeBitString encodes a BIT STRING of whole octets.
func EncodeBitString(b []byte) []byte { return Element(BitString, []byte{0}, b) }

// EncodeNull encodes NULL.
func EncodeNull() []byte { return []byte{byte(Null), 0} }

// EncodeBoolean encodes a BOOLEAN.
func EncodeBoolean(v bool) []byte {
	if v {
		return []byte{byte(Boolean), 1, 0xff}
	}
	return []byte{byte(Boolean), 1, 0}
}

// EncodeString encodes a character string of the given type from bytes that are already in its encoding.
func EncodeString(t Tag, s string) []byte { return Element(t, []byte(s)) }
