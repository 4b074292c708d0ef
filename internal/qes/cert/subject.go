package cert

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"brama/internal/der"
	"brama/internal/qes/tbs"
)

// An Identifier is a typed value read from the subject. Values of different types or countries are never the same number,
// whatever their digits (threat T28).
type Identifier struct {
	Type    string // "RNOKPP", "EDRPOU", "UNZR", "PASSPORT", "TIN" (foreign)
	Country string // "UA" or ISO 3166
	Value   string
}

// Types of identifiers.
const (
	RNOKPP   = "RNOKPP"   // ten digits
	EDRPOU   = "EDRPOU"   // eight digits; a sole trader has the own number there
	UNZR     = "UNZR"     // YYYYMMDD-NNNNN
	Passport = "PASSPORT" // nine digits of a card, or two Cyrillic letters and six digits
	TIN      = "TIN"      // a foreign tax number
)

// A Subject is what the certificate says of a person. Texts are in NFC, of letters, marks, digits and punctuation only, at
// most 256 characters each (threat T97).
type Subject struct {
	CommonName, FamilyName, GivenName, MiddleName string
	Organization, OrganizationalUnit, Title       string
	Email                                         string
	Identifiers                                   []Identifier // one of a type
	BirthDate                                     time.Time    // zero unless proven (УНЗР or dateOfBirth attribute)
	// Warnings say, without any number, what was odd: a wrong check digit, a value that is no identifier.
	Warnings []string
}

// Identifier returns the value of type t, "" if there is none.
func (s Subject) Identifier(t string) string {
	for _, i := range s.Identifiers {
		if i.Type == t {
			return i.Value
		}
	}
	return ""
}

// ErrIdentifiersDisagree says that the certificate holds two different values of one type (threat T27). An error that wraps
// it is an [*IdentifierError].
var ErrIdentifiersDisagree = errors.New("cert: identifiers disagree")

// An IdentifierError names the type whose values disagree: one of the types of [Identifier], or "BIRTHDATE".
type IdentifierError struct{ Type string }

// Error names the type and never the values.
func (e *IdentifierError) Error() string { return ErrIdentifiersDisagree.Error() + ": " + e.Type }

// Unwrap returns ErrIdentifiersDisagree.
func (e *IdentifierError) Unwrap() error { return ErrIdentifiersDisagree }

// Subject reads every place where certificates keep identifiers. Two different values of one type are
// ErrIdentifiersDisagree; the subject is then zero.
func (c *Certificate) Subject() (Subject, error) {
	p := c.person()
	s := p.subject
	s.Identifiers, s.Warnings = slices.Clone(s.Identifiers), slices.Clone(s.Warnings)
	return s, p.err
}

// A person is what the subject was read as, once.
type person struct {
	subject Subject
	err     error
	kind    Kind
}

func (c *Certificate) person() *person {
	c.once.Do(func() {
		v := c.identifiers()
		c.read.kind = v.kind()
		if v.disagree != "" {
			c.read.err = &IdentifierError{Type: v.disagree}
			return
		}
		c.read.subject = Subject{
			CommonName:         v.name(tbs.OIDCommonName),
			FamilyName:         v.name(oidSurname),
			GivenName:          v.name(oidGivenName),
			Organization:       v.name(oidOrganization),
			OrganizationalUnit: v.name(oidOrganizationalUnit),
			Title:              v.name(oidTitle),
			Email:              v.name(oidEmail),
			Identifiers:        v.list,
			BirthDate:          v.birth,
		}
		c.read.subject.Warnings = v.warnings // names add to them
	})
	return &c.read
}

// Attributes of a subject (X.520, RFC 3739 3.2.2, the national arc).
var (
	oidSurname                = der.NewOID("2.5.4.4")
	oidSerialNumber           = der.NewOID("2.5.4.5")
	oidOrganization           = der.NewOID("2.5.4.10")
	oidOrganizationalUnit     = der.NewOID("2.5.4.11")
	oidTitle                  = der.NewOID("2.5.4.12")
	oidGivenName              = der.NewOID("2.5.4.42")
	oidOrganizationIdentifier = der.NewOID("2.5.4.97")
	oidEmail                  = der.NewOID("1.2.840.113549.1.9.1")
	oidDateOfBirth            = der.NewOID("1.3.6.1.5.5.7.9.1")
	oidDRFO                   = der.NewOID("1.2.804.2.1.1.1.11.1.4.1.1")  // ДРФО
	oidEDRPOU                 = der.NewOID("1.2.804.2.1.1.1.11.1.4.2.1")  // ЄДРПОУ
	oidUNZR                   = der.NewOID("1.2.804.2.1.1.1.11.1.4.11.1") // УНЗР
)

// values is what was collected before it is judged.
type values struct {
	attributes []tbs.Attribute // of the subject
	list       []Identifier
	disagree   string // the first type with two values
	birth      time.Time
	warnings   []string

	personRaw, organizationRaw []string // texts of the person's and the organisation's number
	hasPerson, hasOrganization bool
	hasName, entrepreneur      bool
}

func (v *values) warn(s string) {
	for _, w := range v.warnings {
		if w == s {
			return
		}
	}
	v.warnings = append(v.warnings, s)
}

// add records an identifier; a second, different value of its type is a disagreement.
func (v *values) add(t, country, value string) {
	id := Identifier{Type: t, Country: country, Value: value}
	for _, other := range v.list {
		if other == id {
			return
		}
		if other.Type == t && v.disagree == "" {
			v.disagree = t
		}
	}
	v.list = append(v.list, id)
}

func (v *values) addBirth(t time.Time) {
	if !v.birth.IsZero() && !v.birth.Equal(t) && v.disagree == "" {
		v.disagree = "BIRTHDATE"
	}
	v.birth = t
}

// identifiers collects from all sources: the subject's name and subjectDirectoryAttributes.
func (c *Certificate) identifiers() *values {
	v := new(values)
	v.attributes, _ = tbs.ParseName(c.RawSubject) // tbs.Parse has read it
	for _, a := range v.attributes {
		text, err := a.Text()
		if err != nil {
			v.warn("an attribute of the subject cannot be read")
			continue
		}
		switch a.OID {
		case oidSerialNumber:
			v.semantic(text)
		case oidOrganizationIdentifier:
			v.organizationIdentifier(text)
		case oidSurname, oidGivenName:
			v.hasName = v.hasName || text != ""
		default:
			v.national(a.OID, text)
		}
	}
	if e := c.Extension(oidSubjectDirectoryAttributes); e != nil {
		if err := v.directoryAttributes(e.Value); err != nil {
			v.warn("the directory attributes of the subject cannot be read")
		}
	}
	for _, o := range v.organizationRaw {
		v.organization(o)
	}
	for _, i := range v.list {
		v.hasPerson = v.hasPerson || i.Type != EDRPOU
		v.hasOrganization = v.hasOrganization || i.Type == EDRPOU
	}
	return v
}

// directoryAttributes reads 2.5.29.9 (RFC 5280 4.2.1.8).
func (v *values) directoryAttributes(b []byte) error {
	outer := der.NewReader(b)
	list := outer.Sequence()
	for n := 0; list.More(); n++ {
		if n == maxList {
			return der.ErrValue
		}
		attribute := list.Sequence()
		oid := attribute.OID()
		set := attribute.Set()
		for set.More() {
			value := set.Next()
			if oid == oidDateOfBirth {
				r := der.NewReader(value.Full)
				if t := tbs.ReadTime(r); r.Done() == nil && value.Tag == der.GeneralizedTime {
					v.addBirth(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC))
				} else {
					v.warn("the date of birth cannot be read")
				}
				continue
			}
			if oid != oidDRFO && oid != oidEDRPOU && oid != oidUNZR {
				continue
			}
			text, err := tbs.DecodeString(value)
			if err != nil {
				v.warn("an identifier of the subject cannot be read")
				continue
			}
			v.national(oid, text)
		}
		list.Fail(errors.Join(set.Done(), attribute.Done()))
	}
	return errors.Join(list.Done(), outer.Done())
}

// national takes a value of one of the attributes of the national arc.
func (v *values) national(oid der.OID, text string) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
	case oid == oidDRFO:
		v.person(text)
	case oid == oidEDRPOU:
		v.organizationRaw = append(v.organizationRaw, text)
	case oid == oidUNZR:
		v.unzr(text)
	}
}

// semantic takes a serialNumber of the subject by its semantics identifier (ETSI EN 319 412-1, 5.1.3): three letters of the
// type, two of the country, hyphen, value. Anything else, as old certificates have it, is a number of the issuer's own.
func (v *values) semantic(text string) {
	kind, country, value, ok := cutSemantics(text)
	if !ok {
		return
	}
	switch {
	case country == "UA":
		switch kind {
		case "TIN":
			v.person(value)
		case "PNO":
			v.unzr(value)
		case "PAS", "IDC":
			v.passport(value)
		}
	case kind == "TIN":
		v.foreign(TIN, country, value)
	case kind == "PAS", kind == "IDC":
		v.foreign(Passport, country, value)
	}
}

func cutSemantics(text string) (kind, country, value string, ok bool) {
	if len(text) < 7 || text[5] != '-' {
		return "", "", "", false
	}
	for _, o := range []byte(text[:5]) {
		if o < 'A' || o > 'Z' {
			return "", "", "", false
		}
	}
	return text[:3], text[3:5], strings.TrimSpace(text[6:]), true
}

// organizationIdentifier takes 2.5.4.97 (EN 319 412-1, 5.1.4): the national register of trade only.
func (v *values) organizationIdentifier(text string) {
	if kind, country, value, ok := cutSemantics(text); ok && kind == "NTR" && country == "UA" {
		v.organizationRaw = append(v.organizationRaw, value)
	}
}

// foreign takes the number of another country as it stands.
func (v *values) foreign(t, country, value string) {
	for _, r := range value {
		if r > unicode.MaxASCII || !unicode.In(r, unicode.L, unicode.N) && r != '-' && r != '/' {
			v.warn("a foreign identifier has characters that no number has")
			return
		}
	}
	if value == "" || len(value) > 32 {
		v.warn("a foreign identifier has no length of a number")
		return
	}
	v.add(t, country, value)
}

// person takes what stands in the place of the tax number: ten digits are РНОКПП; who has none has the number of the
// passport there, which is another identifier and never becomes РНОКПП (threats T29, T30).
func (v *values) person(text string) {
	v.personRaw = append(v.personRaw, text)
	switch {
	case !isDigits(text):
		v.passport(text)
	case allEqual(text):
		v.warn("a placeholder stands for the tax number")
	case len(text) == 10:
		if !checkDigitOK(text) {
			v.warn("the check digit of the tax number is wrong")
		}
		v.add(RNOKPP, "UA", text)
	case len(text) == 9:
		v.passport(text)
	default:
		v.warn("the tax number has another length")
	}
}

// checkDigitOK applies the check digit of РНОКПП. Some real numbers fail it, so that it never refuses.
func checkDigitOK(digits string) bool {
	weights := [...]int{-1, 5, 7, 9, 4, 6, 10, 5, 7}
	sum := 0
	for i, w := range weights {
		sum += w * int(digits[i]-'0')
	}
	return ((sum%11)+11)%11%10 == int(digits[9]-'0')
}

// lookalikes are the Latin letters that stand for Cyrillic ones in the series of a passport. One script makes one value.
var lookalikes = map[rune]rune{
	'A': 'А', 'B': 'В', 'C': 'С', 'E': 'Е', 'H': 'Н', 'I': 'І', 'K': 'К', 'M': 'М', 'O': 'О', 'P': 'Р', 'T': 'Т', 'X': 'Х',
}

// passport takes nine digits (card) or a series of two letters with six digits (booklet). The letters must be of one script;
// Latin ones are written in Cyrillic, where each has its double there.
func (v *values) passport(text string) {
	if isDigits(text) && len(text) == 9 && !allEqual(text) {
		v.add(Passport, "UA", text)
		return
	}
	runes := []rune(strings.ToUpper(strings.Join(strings.Fields(text), "")))
	if len(runes) != 8 || !isDigits(string(runes[2:])) {
		v.warn("a value in the place of the tax number is no known identifier")
		return
	}
	latin := 0
	for i, r := range runes[:2] {
		if double, ok := lookalikes[r]; ok {
			runes[i] = double
			latin++
		} else if r < 'А' || r > 'Я' {
			if r != 'І' && r != 'Ї' && r != 'Є' && r != 'Ґ' {
				v.warn("the series of a passport has letters of no Ukrainian one")
				return
			}
		}
	}
	if latin == 1 {
		v.warn("the series of a passport mixes scripts")
		return
	}
	v.add(Passport, "UA", string(runes))
}

// organization takes a code of ЄДРПОУ: eight digits. A sole trader (ФОП) has the own number, whichever it is, in both
// places.
func (v *values) organization(text string) {
	for _, p := range v.personRaw {
		if p == text && !(isDigits(text) && len(text) == 8) {
			v.entrepreneur = true
			for _, i := range v.list {
				if i.Type == RNOKPP && i.Value == text || i.Type == Passport {
					v.add(EDRPOU, "UA", i.Value)
					return
				}
			}
			return
		}
	}
	if !isDigits(text) || len(text) != 8 || allZero(text) {
		v.warn("the code of the organisation is none")
		return
	}
	v.add(EDRPOU, "UA", text)
}

// unzr takes a record number of the demographic register: YYYYMMDD-NNNNN, the hyphen left out by some. Its first eight
// digits are the date of birth.
func (v *values) unzr(text string) {
	digits := text
	if len(text) == 14 && text[8] == '-' {
		digits = text[:8] + text[9:]
	}
	if len(digits) != 13 || !isDigits(digits) {
		v.warn("the number of the demographic register has another form")
		return
	}
	birth, err := time.Parse("20060102", digits[:8])
	if err != nil || birth.Year() < 1850 {
		v.warn("the number of the demographic register does not begin with a date")
		return
	}
	v.add(UNZR, "UA", digits[:8]+"-"+digits[8:])
	v.addBirth(birth)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func allEqual(s string) bool { return strings.Count(s, s[:1]) == len(s) }

func allZero(s string) bool { return strings.Trim(s, "0") == "" }

// name returns the first value of a name attribute, cleaned.
func (v *values) name(oid der.OID) string {
	for _, a := range v.attributes {
		if a.OID == oid {
			text, err := a.Text()
			if err != nil {
				return ""
			}
			return clean(text)
		}
	}
	return ""
}

// maxText bounds a text in characters.
const maxText = 256

// clean brings a text to NFC and keeps letters, marks, digits, punctuation and single spaces. Controls and direction marks
// are gone, so that the text says on every page and terminal what it says here.
func clean(s string) string {
	if isClean(s) {
		return s
	}
	return scrub(s)
}

func scrub(s string) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range norm.NFC.String(s) {
		switch {
		case unicode.IsSpace(r):
			space = n > 0
			continue
		case !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P) && r != '№' && r != '+' && r != '`':
			continue
		}
		if space {
			b.WriteByte(' ')
			n++
			space = false
		}
		if n++; n > maxText {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isClean reports, for the texts that nearly all are, that clean would leave them as they are: ASCII and the Cyrillic letters
// U+0400 to U+045F, Ґ and ґ, which are composed in NFC, with single spaces inside.
func isClean(s string) bool {
	n, space := 0, true
	for _, r := range s {
		switch {
		case r == ' ':
			if space {
				return false
			}
		case r < utf8.RuneSelf:
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsPunct(r) {
				return false
			}
		case r < 'Ѐ' || r > 'џ' && r != 'Ґ' && r != 'ґ':
			return false
		}
		n, space = n+1, r == ' '
	}
	return n <= maxText && (n == 0 || !space)
}

// IssuerName returns the common name of the issuer, cleaned; the organisation, or "", where there is none.
func (c *Certificate) IssuerName() string { return c.facts().issuerName }

func (c *Certificate) readIssuerName() string {
	if s := clean(c.IssuerAttribute(tbs.OIDCommonName)); s != "" {
		return s
	}
	return clean(c.IssuerAttribute(oidOrganization))
}

// String names the certificate for operators by its serial number and nothing of the person.
func (c *Certificate) String() string { return fmt.Sprintf("certificate %x", c.Serial) }
