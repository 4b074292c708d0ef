package der

// Normalize rewrites one BER element (X.690 8) to the form that the strict readers take: definite minimal lengths and
// primitive octet strings. RFC 5652 allows BER around the DER parts of a message, and Java's libraries write it;
// certificates and signed attributes are DER in themselves, so this leaves them as they are, and what it changes there
// fails its signature. If b is already in the strict form it is returned itself. Nesting is limited by [MaxDepth];
// the result is never longer than b.
func Normalize(b []byte) ([]byte, error) {
	if Valid(b) == nil {
		return b, nil
	}
	out, rest, err := normalize(b, 1)
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 {
		return nil, ErrTrailing
	}
	return out, nil
}

func normalize(b []byte, depth int) (out, rest []byte, err error) {
	if depth > MaxDepth {
		return nil, nil, ErrDepth
	}
	if len(b) < 2 {
		return nil, nil, ErrTruncated
	}
	tag := Tag(b[0])
	if tag&0x1f == 0x1f || tag == 0 {
		return nil, nil, ErrTag
	}
	content, rest, indefinite, err := berContent(b)
	if err != nil {
		return nil, nil, err
	}
	if !tag.IsConstructed() {
		if indefinite {
			return nil, nil, ErrEncoding
		}
		return Element(tag, content), rest, nil
	}
	var parts [][]byte
	for {
		if indefinite {
			if len(content) >= 2 && content[0] == 0 && content[1] == 0 {
				rest = content[2:]
				break
			}
		} else if len(content) == 0 {
			break
		}
		var part []byte
		if part, content, err = normalize(content, depth+1); err != nil {
			return nil, nil, err
		}
		parts = append(parts, part)
	}
	if tag == OctetString|0x20 { // a string cut into segments (8.7.3): joined
		for i, part := range parts {
			v, err := Parse(part)
			if err != nil || v.Tag != OctetString {
				return nil, nil, ErrTag
			}
			parts[i] = v.Bytes
		}
		tag = OctetString
	}
	return Element(tag, parts...), rest, nil
}

// berContent splits the first element of b. With an indefinite length, content is everything after the header and the
// caller finds the end.
func berContent(b []byte) (content, rest []byte, indefinite bool, err error) {
	n := int(b[1])
	if n < 0x80 {
		if len(b)-2 < n {
			return nil, nil, false, ErrTruncated
		}
		return b[2 : 2+n], b[2+n:], false, nil
	}
	octets := n & 0x7f
	if octets == 0 {
		return b[2:], nil, true, nil
	}
	if len(b) < 2+octets {
		return nil, nil, false, ErrTruncated
	}
	var long uint64
	for _, o := range b[2 : 2+octets] {
		if long > 1<<40 {
			return nil, nil, false, ErrTruncated
		}
		long = long<<8 | uint64(o)
	}
	if long > uint64(len(b)-2-octets) {
		return nil, nil, false, ErrTruncated
	}
	return b[2+octets : 2+octets+int(long)], b[2+octets+int(long):], false, nil
}
