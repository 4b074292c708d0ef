package oauth

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A distinguishedName is the subject of a certificate, the most specific part first, as RFC 4514 writes it.
type distinguishedName [][]nameAttribute

// A nameAttribute is one attribute of a name: its value as text, or where it was written or could be read no other way, as DER.
type nameAttribute struct {
	oid, text string
	der       []byte
}

const maxNameParts = 32

// attributeTypes are the short names that RFC 4514, 3 knows, and others in use. They are compared without case.
var attributeTypes = map[string]string{
	"CN": "2.5.4.3", "SN": "2.5.4.4", "SERIALNUMBER": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8", "STREET": "2.5.4.9",
	"O": "2.5.4.10", "OU": "2.5.4.11", "TITLE": "2.5.4.12", "BUSINESSCATEGORY": "2.5.4.15", "POSTALCODE": "2.5.4.17",
	"GIVENNAME": "2.5.4.42", "ORGANIZATIONIDENTIFIER": "2.5.4.97", "UID": "0.9.2342.19200300.100.1.1", "DC": "0.9.2342.19200300.100.1.25",
	"EMAILADDRESS": "1.2.840.113549.1.9.1", "E": "1.2.840.113549.1.9.1",
}

var errDN = errors.New("is not a name of RFC 4514")

// parseDN reads the string form of a name (RFC 4514, 3). Spaces around separators, which people write, are left out.
func parseDN(s string) (distinguishedName, error) {
	if !utf8.ValidString(s) {
		return nil, errDN
	}
	var dn distinguishedName
	var rdn []nameAttribute
	for parts := 0; ; parts++ {
		if parts == maxNameParts {
			return nil, fmt.Errorf("%w: more than %d parts", errDN, maxNameParts)
		}
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			return nil, errDN
		}
		oid, err := attributeType(strings.Trim(name, " "))
		if err != nil {
			return nil, err
		}
		a := nameAttribute{oid: oid}
		if s, err = a.read(strings.TrimLeft(rest, " ")); err != nil {
			return nil, err
		}
		rdn = append(rdn, a)
		if s == "" || s[0] == ',' {
			dn, rdn = append(dn, rdn), nil
		}
		if s == "" {
			return dn, nil
		}
		s = s[1:]
	}
}

func attributeType(name string) (string, error) {
	if oid, ok := attributeTypes[strings.ToUpper(name)]; ok {
		return oid, nil
	}
	for number := range strings.SplitSeq(name, ".") {
		if number == "" || strings.Trim(number, "0123456789") != "" || len(number) > 1 && number[0] == '0' {
			return "", fmt.Errorf("%w: attribute %q is not known", errDN, name)
		}
	}
	return name, nil
}

// read reads a value and returns what follows it: "", or a separator and more.
func (a *nameAttribute) read(s string) (string, error) {
	if strings.HasPrefix(s, "#") {
		end := strings.IndexAny(s, ",+")
		if end < 0 {
			end = len(s)
		}
		der, err := hex.DecodeString(strings.TrimRight(s[1:end], " "))
		if err != nil || len(der) == 0 {
			return "", fmt.Errorf("%w: value is not hexadecimal", errDN)
		}
		a.der = der
		return s[end:], nil
	}
	var value []byte
	kept := 0 // so much stays when spaces at the end go; an escaped space stays
	i := 0
scan:
	for i < len(s) {
		switch c := s[i]; c {
		case ',', '+':
			break scan
		case '\\':
			b, n, err := unescape(s[i+1:])
			if err != nil {
				return "", err
			}
			value = append(value, b)
			kept = len(value)
			i += 1 + n
		case '"', ';', '<', '>', 0:
			return "", fmt.Errorf("%w: %q is not escaped", errDN, c)
		default:
			value = append(value, c)
			if c != ' ' {
				kept = len(value)
			}
			i++
		}
	}
	if a.text = string(value[:kept]); a.text == "" || !utf8.ValidString(a.text) {
		return "", fmt.Errorf("%w: value is empty or not text", errDN)
	}
	return s[i:], nil
}

// unescape reads what follows a backslash: a special character, or two hexadecimal digits.
func unescape(s string) (byte, int, error) {
	if s != "" && strings.IndexByte(" \"#+,;<=>\\", s[0]) >= 0 {
		return s[0], 1, nil
	}
	if len(s) >= 2 {
		if b, err := hex.DecodeString(s[:2]); err == nil {
			return b[0], 2, nil
		}
	}
	return 0, 0, fmt.Errorf("%w: a backslash before nothing that is escaped", errDN)
}

// readDN reads the DER of a name (RFC 5280, 4.1.2.4).
func readDN(der []byte) (distinguishedName, error) {
	type attributeSET []struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	var sequence []attributeSET
	if rest, err := asn1.Unmarshal(der, &sequence); err != nil || len(rest) != 0 {
		return nil, errors.New("oauth: subject of the certificate cannot be read")
	}
	var dn distinguishedName
	for _, set := range slices.Backward(sequence) {
		var rdn []nameAttribute
		for _, a := range set {
			rdn = append(rdn, nameAttribute{oid: a.Type.String(), text: directoryString(a.Value), der: a.Value.FullBytes})
		}
		dn = append(dn, rdn)
	}
	return dn, nil
}

// directoryString returns the text of a value, "" if it has none that can be read without guessing.
func directoryString(v asn1.RawValue) string {
	if v.Class != asn1.ClassUniversal || v.IsCompound {
		return ""
	}
	switch v.Tag {
	case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString:
		if utf8.Valid(v.Bytes) {
			return string(v.Bytes)
		}
	case asn1.TagBMPString:
		if len(v.Bytes)%2 == 0 {
			units := make([]uint16, len(v.Bytes)/2)
			for i := range units {
				units[i] = uint16(v.Bytes[2*i])<<8 | uint16(v.Bytes[2*i+1])
			}
			return string(utf16.Decode(units))
		}
	}
	return ""
}

// equal compares a registered name with that of a certificate, letter for letter: an authority that writes one name in two
// ways would be our guess.
func (dn distinguishedName) equal(certificate distinguishedName) bool {
	return slices.EqualFunc(dn, certificate, func(want, got []nameAttribute) bool {
		if len(want) != len(got) {
			return false
		}
		got = slices.Clone(got)
		for _, w := range want {
			i := slices.IndexFunc(got, w.equal)
			if i < 0 {
				return false
			}
			got = slices.Delete(got, i, i+1)
		}
		return true
	})
}

func (a nameAttribute) equal(certificate nameAttribute) bool {
	if a.oid != certificate.oid {
		return false
	}
	if a.der != nil {
		return bytes.Equal(a.der, certificate.der)
	}
	return a.text != "" && a.text == certificate.text
}
