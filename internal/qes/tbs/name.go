package tbs

import (
	"errors"
	"unicode/utf8"

	"brama/internal/der"
)

// An Attribute is an AttributeTypeAndValue of a Name (RFC 5280 4.1.2.4).
type Attribute struct {
	OID   der.OID
	Value der.Value // the string as it stands; [DecodeString] reads it
}

// Text returns the value in UTF-8.
func (a Attribute) Text() (string, error) { return DecodeString(a.Value) }

// usualAttributes is how many the names in certificates of persons have.
const usualAttributes = 12

// A NameReader takes the attributes of a Name one after another, the sets of multi-valued parts joined. It does not look
// into the strings.
type NameReader struct {
	outer, seq, set der.Reader
	n               int
}

// ReadName returns a reader of a Name, the whole element.
func ReadName(raw []byte) NameReader {
	r := NameReader{outer: *der.NewReader(raw)}
	r.seq = *r.outer.Sequence()
	return r
}

// Next returns the next attribute; false at the end of the name, at the first fault of form, and after [MaxAttributes].
func (r *NameReader) Next() (Attribute, bool) {
	for !r.set.More() {
		if err := r.set.Done(); err != nil {
			r.seq.Fail(err)
		}
		if !r.seq.More() {
			return Attribute{}, false
		}
		if r.set = *r.seq.Set(); !r.set.More() {
			r.seq.Fail(der.ErrEncoding) // SET SIZE (1..MAX)
		}
	}
	pair := r.set.Sequence()
	a := Attribute{OID: pair.OID(), Value: pair.Next()}
	r.set.Fail(pair.Done())
	if r.n++; r.n > MaxAttributes {
		r.set.Fail(der.ErrValue)
	}
	if err := r.set.Err(); err != nil {
		r.seq.Fail(err)
		return Attribute{}, false
	}
	return a, true
}

// Done returns the first error; it is for after the last attribute.
func (r *NameReader) Done() error {
	r.seq.Fail(r.set.Done())
	return errors.Join(r.seq.Done(), r.outer.Done())
}

// ParseName reads a Name: its attributes in order. At most [MaxAttributes].
func ParseName(raw []byte) ([]Attribute, error) {
	r := ReadName(raw)
	list := make([]Attribute, 0, usualAttributes)
	for a, ok := r.Next(); ok; a, ok = r.Next() {
		list = append(list, a)
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return list, nil
}

// checkName reads a Name for its form.
func checkName(raw []byte) error {
	r := ReadName(raw)
	for _, ok := r.Next(); ok; _, ok = r.Next() {
	}
	return r.Done()
}

// maxString bounds one character string in octets. Names are cut to 256 characters elsewhere; a BMPString has two
// octets a character and UTF-8 two for Cyrillic.
const maxString = 4 << 10

// ErrString is a character string whose octets do not fit its declared type, or that is too long.
var ErrString = errors.New("tbs: character string does not fit its type")

// DecodeString reads a character string by its declared type, never by guessing, and returns UTF-8. TeletexString is read
// as ISO 8859-1, as every other reader in use does. U+0000 is refused in every type, as are surrogates in a BMPString;
// other control and direction characters are the business of those who show the text.
func DecodeString(v der.Value) (string, error) {
	b := v.Bytes
	if len(b) > maxString {
		return "", ErrString
	}
	switch v.Tag {
	case der.UTF8String:
		if !utf8.Valid(b) {
			return "", ErrString
		}
	case der.PrintableString, der.NumericString, der.IA5String, der.VisibleString:
		for _, o := range b {
			if !inClass(v.Tag, o) {
				return "", ErrString
			}
		}
	case der.TeletexString:
		return fromRunes(len(b), func(i int) rune { return rune(b[i]) })
	case der.BMPString:
		if len(b)%2 != 0 {
			return "", ErrString
		}
		return fromRunes(len(b)/2, func(i int) rune { return rune(b[2*i])<<8 | rune(b[2*i+1]) })
	case der.UniversalString:
		if len(b)%4 != 0 {
			return "", ErrString
		}
		return fromRunes(len(b)/4, func(i int) rune {
			if b[4*i] != 0 {
				return utf8.RuneError + 1<<21 // beyond Unicode: not valid below
			}
			return rune(b[4*i+1])<<16 | rune(b[4*i+2])<<8 | rune(b[4*i+3])
		})
	default:
		return "", ErrString
	}
	for _, o := range b {
		if o == 0 {
			return "", ErrString
		}
	}
	return string(b), nil
}

func fromRunes(n int, at func(int) rune) (string, error) {
	s := make([]byte, 0, 2*n)
	for i := range n {
		r := at(i)
		if r == 0 || !utf8.ValidRune(r) {
			return "", ErrString
		}
		s = utf8.AppendRune(s, r)
	}
	return string(s), nil
}

// inClass applies X.680 41: the repertoire of the type. PrintableString also takes the characters that certificates carry
// in it against the rule: * (Go's crypto/x509 takes it too), & and @ and _.
func inClass(t der.Tag, o byte) bool {
	digit := o >= '0' && o <= '9'
	switch t {
	case der.NumericString:
		return digit || o == ' '
	case der.PrintableString:
		if digit || o|0x20 >= 'a' && o|0x20 <= 'z' {
			return true
		}
		switch o {
		case ' ', '\'', '(', ')', '+', ',', '-', '.', '/', ':', '=', '?', '*', '&', '@', '_':
			return true
		}
		return false
	case der.VisibleString:
		return o >= 0x20 && o < 0x7f
	}
	return o < 0x80
}

// SubjectAttribute returns the first value of the attribute in the subject, in UTF-8, "" if there is none or it cannot be
// read. For identifiers, which must not stand twice, read all of them by [ParseName].
func (c *Certificate) SubjectAttribute(oid der.OID) string { return attribute(c.RawSubject, oid) }

// IssuerAttribute is SubjectAttribute for the issuer.
func (c *Certificate) IssuerAttribute(oid der.OID) string { return attribute(c.RawIssuer, oid) }

func attribute(name []byte, oid der.OID) string {
	r := ReadName(name)
	for a, ok := r.Next(); ok; a, ok = r.Next() {
		if a.OID == oid {
			s, _ := a.Text()
			return s
		}
	}
	return ""
}

// Attribute types of a Name in use everywhere.
var (
	OIDCommonName       = der.NewOID("2.5.4.3")
	OIDSurname          = der.NewOID("2.5.4.4")
	OIDSerialNumber     = der.NewOID("2.5.4.5")
	OIDOrganization     = der.NewOID("2.5.4.10")
	OIDOrganizationUnit = der.NewOID("2.5.4.11")
	OIDTitle            = der.NewOID("2.5.4.12")
	OIDGivenName        = der.NewOID("2.5.4.42")
)
