package der

import "strconv"

// An OID is the content octets of an OBJECT IDENTIFIER. It is comparable and serves as a map key; the zero value is no
// identifier.
type OID string

// maxOIDOctets bounds an identifier; the longest in use here has 17 octets.
const maxOIDOctets = 64

// NewOID encodes a dotted identifier such as "1.2.804.2.1.1.1". It is for constants: it panics if s is not one.
func NewOID(s string) OID {
	oid, ok := ParseOID(s)
	if !ok {
		panic("der: internal error: not an object identifier: " + s)
	}
	return oid
}

// ParseOID encodes a dotted identifier; ok is false if s is not one.
func ParseOID(s string) (oid OID, ok bool) {
	var arcs []uint64
	for start := 0; start <= len(s); {
		end := start
		for end < len(s) && s[end] != '.' {
			end++
		}
		arc, err := strconv.ParseUint(s[start:end], 10, 63)
		if err != nil || end > start+1 && s[start] == '0' || s[start] == '+' {
			return "", false
		}
		arcs, start = append(arcs, arc), end+1
	}
	if len(arcs) < 2 || arcs[0] > 2 || arcs[0] < 2 && arcs[1] > 39 || arcs[1] > 1<<62 {
		return "", false
	}
	b := appendBase128(nil, arcs[0]*40+arcs[1])
	for _, arc := range arcs[2:] {
		b = appendBase128(b, arc)
	}
	return OID(b), len(b) <= maxOIDOctets
}

func appendBase128(b []byte, v uint64) []byte {
	n := 1
	for w := v >> 7; w > 0; w >>= 7 {
		n++
	}
	for i := n - 1; i >= 0; i-- {
		o := byte(v>>(7*i)) & 0x7f
		if i > 0 {
			o |= 0x80
		}
		b = append(b, o)
	}
	return b
}

// checkOID applies X.690 8.19: no empty value, no leading 80, a complete last arc.
func checkOID(b []byte) error {
	if len(b) == 0 || len(b) > maxOIDOctets || b[len(b)-1] >= 0x80 {
		return ErrEncoding
	}
	first, arc := true, 0
	for _, o := range b {
		if first && o == 0x80 {
			return ErrEncoding
		}
		if arc++; arc > 9 {
			return ErrValue
		}
		if first = o < 0x80; first {
			arc = 0
		}
	}
	return nil
}

// String returns the dotted form, or "" for the zero value.
func (o OID) String() string {
	if o == "" || checkOID([]byte(o)) != nil {
		return ""
	}
	var s []byte
	var arc uint64
	head := true
	for i := range len(o) {
		arc = arc<<7 | uint64(o[i]&0x7f)
		if o[i] >= 0x80 {
			continue
		}
		if head {
			top := min(arc/40, 2)
			s = strconv.AppendUint(s, top, 10)
			arc -= top * 40
			head = false
		}
		s = append(s, '.')
		s = strconv.AppendUint(s, arc, 10)
		arc = 0
	}
	return string(s)
}

// HasPrefix reports whether o is prefix or lies under it.
func (o OID) HasPrefix(prefix OID) bool {
	return len(o) >= len(prefix) && o[:len(prefix)] == prefix
}
