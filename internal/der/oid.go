package der

// An OID is the content octets of an OBJECT IDENTIFIER. It is comparable and serves as a map key; the zero value is no
// identifier.
type OID string

// maxOIDOctets bounds an identifier; the longest in use here has 21 octets.
const maxOIDOctets = 64

// maxArcOctets bounds one arc: 19 octets hold the 128 bits of an arc under 2.25, where a UUID is the number (X.667 7.1).
const maxArcOctets = 19

// maxFirstOctets bounds the number that the first two arcs share. The largest in use is 105 (2.25); this is far above.
const maxFirstOctets = 4

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
	var b []byte
	var first uint64
	n := 0
	for start := 0; start <= len(s); n++ {
		end := start
		for end < len(s) && s[end] != '.' {
			end++
		}
		arc := s[start:end]
		start = end + 1
		if n >= 2 {
			if b, ok = appendArc(b, arc); !ok {
				return "", false
			}
			continue
		}
		// The first two arcs share one number (X.690 8.19.4); both are small in every identifier there is.
		v, valid := smallNumber(arc)
		if !valid {
			return "", false
		}
		switch {
		case n == 0 && v > 2, n == 1 && first < 2 && v > 39, n == 1 && first*40+v >= 1<<(7*maxFirstOctets):
			return "", false
		case n == 0:
			first = v
		default:
			b = appendBase128(nil, first*40+v)
		}
	}
	return OID(b), n >= 2 && len(b) <= maxOIDOctets
}

// smallNumber reads a decimal number of at most nine digits without zeros in front. strconv would do, and would bring its
// words for people into the browser program.
func smallNumber(s string) (v uint64, ok bool) {
	if s == "" || len(s) > 9 || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		v = v*10 + uint64(s[i]-'0')
	}
	return v, true
}

// appendArc appends the decimal number s in base 128.
func appendArc(b []byte, s string) ([]byte, bool) {
	if s == "" || len(s) > 1 && s[0] == '0' {
		return nil, false
	}
	var digits []byte // base 128, the lowest first
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return nil, false
		}
		carry := int(s[i] - '0')
		for j := range digits {
			carry += int(digits[j]) * 10
			digits[j] = byte(carry & 0x7f)
			carry >>= 7
		}
		if carry > 0 {
			if digits = append(digits, byte(carry)); len(digits) > maxArcOctets {
				return nil, false
			}
		}
	}
	if len(digits) == 0 {
		digits = []byte{0}
	}
	for i := len(digits) - 1; i >= 0; i-- {
		o := digits[i]
		if i > 0 {
			o |= 0x80
		}
		b = append(b, o)
	}
	return b, true
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
	for i, o := range b {
		if first && o == 0x80 {
			return ErrEncoding
		}
		if arc++; arc > maxArcOctets || i == arc-1 && arc > maxFirstOctets {
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
	for start := 0; start < len(o); {
		end := start
		for o[end] >= 0x80 {
			end++
		}
		arc := []byte(o[start : end+1])
		if start == 0 {
			top := byte(0)
			for top < 2 && (len(arc) > 1 || arc[0] >= 40) {
				subtract40(&arc)
				top++
			}
			s = append(s, '0'+top)
		}
		s = appendDecimal(append(s, '.'), arc)
		start = end + 1
	}
	return string(s)
}

// subtract40 takes 40 from a base-128 number that is at least 40.
func subtract40(arc *[]byte) {
	a := *arc
	borrow := 40
	for i := len(a) - 1; i >= 0 && borrow > 0; i-- {
		v := int(a[i]&0x7f) - borrow
		borrow = 0
		if v < 0 {
			v, borrow = v+128, 1
		}
		a[i] = a[i]&0x80 | byte(v)
	}
	for len(a) > 1 && a[0]&0x7f == 0 {
		a = a[1:]
	}
	*arc = a
}

// appendDecimal appends the base-128 number arc (the highest digit first, upper bits ignored).
func appendDecimal(s, arc []byte) []byte {
	digits := []byte{0} // decimal, the lowest first
	for _, o := range arc {
		carry := int(o & 0x7f)
		for j := range digits {
			carry += int(digits[j]) << 7
			digits[j] = byte(carry % 10)
			carry /= 10
		}
		for ; carry > 0; carry /= 10 {
			digits = append(digits, byte(carry%10))
		}
	}
	for i := len(digits) - 1; i >= 0; i-- {
		s = append(s, '0'+digits[i])
	}
	return s
}

// HasPrefix reports whether o is prefix or lies under it.
func (o OID) HasPrefix(prefix OID) bool {
	return len(o) >= len(prefix) && o[:len(prefix)] == prefix
}
