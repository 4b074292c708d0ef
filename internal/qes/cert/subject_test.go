package cert

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"brama/internal/der"
)

// sources is a subject as a list of (place, value).
type source struct{ place, value string }

func (s source) put(x *x509.Certificate, dir *[][]byte) {
	switch s.place {
	case "serialNumber":
		named(x, oidSerialNumber, s.value)
	case "organizationIdentifier":
		named(x, oidOrganizationIdentifier, s.value)
	case "ДРФО in the name":
		named(x, oidDRFO, s.value)
	case "ДРФО":
		*dir = append(*dir, directoryAttribute(oidDRFO, s.value))
	case "ЄДРПОУ":
		*dir = append(*dir, directoryAttribute(oidEDRPOU, s.value))
	case "УНЗР":
		*dir = append(*dir, directoryAttribute(oidUNZR, s.value))
	case "dateOfBirth":
		*dir = append(*dir, der.EncodeSequence(der.EncodeOID(oidDateOfBirth), der.EncodeSetOf(der.EncodeString(der.GeneralizedTime, s.value))))
	default:
		panic(s.place)
	}
}

func subjectOf(t *testing.T, sources ...source) (*Certificate, Subject, error) {
	t.Helper()
	c := issued(t, func(x *x509.Certificate) {
		var dir [][]byte
		for _, s := range sources {
			s.put(x, &dir)
		}
		if dir != nil {
			directory(x, dir...)
		}
	})
	s, err := c.Subject()
	return c, s, err
}

// TestIdentifiersDisagree: every source is read, and two values of one type are a refusal whatever their order (T27).
func TestIdentifiersDisagree(t *testing.T) {
	for _, test := range []struct {
		name    string
		sources []source
		want    string // type that disagrees, or the identifiers joined
	}{
		{"one source", []source{{"serialNumber", "TINUA-1122334455"}}, "RNOKPP:1122334455"},
		{"two that agree", []source{{"serialNumber", "TINUA-1122334455"}, {"ДРФО", "1122334455"}}, "RNOKPP:1122334455"},
		{"three that agree", []source{{"serialNumber", "TINUA-1122334455"}, {"ДРФО", "1122334455"}, {"ДРФО in the name", "1122334455"}}, "RNOKPP:1122334455"},
		{"TINUA against ДРФО", []source{{"serialNumber", "TINUA-1122334455"}, {"ДРФО", "1122334456"}}, "!RNOKPP"},
		{"serialNumber twice", []source{{"serialNumber", "TINUA-1122334455"}, {"serialNumber", "TINUA-1122334456"}}, "!RNOKPP"},
		{"ДРФО twice", []source{{"ДРФО", "1122334455"}, {"ДРФО", "1122334456"}}, "!RNOKPP"},
		{"name against directory", []source{{"ДРФО", "1122334455"}, {"ДРФО in the name", "1122334456"}}, "!RNOKPP"},
		{"УНЗР twice", []source{{"УНЗР", "19700102-00017"}, {"serialNumber", "PNOUA-19700102-00018"}}, "!UNZR"},
		{"УНЗР with and without hyphen", []source{{"УНЗР", "19700102-00017"}, {"serialNumber", "PNOUA-1970010200017"}}, "UNZR:19700102-00017"},
		{"УНЗР against date of birth", []source{{"УНЗР", "19700102-00017"}, {"dateOfBirth", "19700103120000Z"}}, "!BIRTHDATE"},
		{"УНЗР and date of birth", []source{{"УНЗР", "19700102-00017"}, {"dateOfBirth", "19700102120000Z"}}, "UNZR:19700102-00017"},
		{"ЄДРПОУ against NTRUA", []source{{"ЄДРПОУ", "43395033"}, {"organizationIdentifier", "NTRUA-43395034"}}, "!EDRPOU"},
		{"ЄДРПОУ and NTRUA", []source{{"ЄДРПОУ", "43395033"}, {"organizationIdentifier", "NTRUA-43395033"}}, "EDRPOU:43395033"},
		{"two passports", []source{{"serialNumber", "PASUA-АА123456"}, {"ДРФО", "АА123457"}}, "!PASSPORT"},
		{"two foreign numbers", []source{{"serialNumber", "TINPL-1234567890"}, {"serialNumber", "TINDE-1234567890"}}, "!TIN"},
		{"all of one person", []source{{"serialNumber", "TINUA-1122334455"}, {"УНЗР", "19700102-00017"}, {"ЄДРПОУ", "43395033"}},
			"RNOKPP:1122334455 UNZR:19700102-00017 EDRPOU:43395033"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 2 {
				_, s, err := subjectOf(t, test.sources...)
				if kind, refused := strings.CutPrefix(test.want, "!"); refused {
					var which *IdentifierError
					if !errors.Is(err, ErrIdentifiersDisagree) || !errors.As(err, &which) || which.Type != kind {
						t.Errorf("got %v, %v; want a disagreement of %s", s.Identifiers, err, kind)
					}
					if len(s.Identifiers) != 0 {
						t.Error("a choice was made")
					}
				} else if got := joined(s); err != nil || got != test.want {
					t.Errorf("got %s, %v; want %s", got, err, test.want)
				}
				slices.Reverse(test.sources)
				if !strings.HasPrefix(test.want, "!") && strings.Contains(test.want, " ") {
					return // the order of a list is that of the sources
				}
			}
		})
	}
}

func joined(s Subject) string {
	var list []string
	for _, i := range s.Identifiers {
		v := i.Type + ":" + i.Value
		if i.Country != "UA" {
			v += "/" + i.Country
		}
		list = append(list, v)
	}
	return strings.Join(list, " ")
}

// TestForeignTIN: digits of another country are another number (T28).
func TestForeignTIN(t *testing.T) {
	for value, want := range map[string]string{
		"TINPL-1234567890":                       "TIN:1234567890/PL",
		"TINUA-1234567899":                       "RNOKPP:1234567899",
		"tinua-1234567899":                       "",
		"TINU-1234567899":                        "",
		"TIN-1234567899":                         "",
		"TINUA1234567899":                        "",
		"1234567899":                             "",
		"2028407":                                "",
		"UA-43395033-2401":                       "",
		"PNOPL-1234567890":                       "",
		"PASPL-AB1234567":                        "PASSPORT:AB1234567/PL",
		"TINPL-12345 67890":                      "",
		"TINPL-" + strings.Repeat("1", 33):       "",
		"TINPL-12\u202e34":                       "",
		"PNOUA-19700102-00017":                   "UNZR:19700102-00017",
		"PNOUA-19701302-00017":                   "",
		"PNOUA-1122334455":                       "",
		"IDCUA-123456789":                        "PASSPORT:123456789",
		"VATUA-1234567899":                       "",
		"TINUA-" + "\u0661" + "234567890":        "",
		"TINUA-1234567899 ":                      "RNOKPP:1234567899",
		"TINUA-TINPL-1234567890":                 "",
		"TINUA-" + strings.Repeat("12345", 5000): "",
	} {
		if len(value) > 4096 {
			continue // refused as a string before
		}
		_, s, err := subjectOf(t, source{"serialNumber", value})
		if got := joined(s); err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", value, got, err, want)
		}
	}
}

// TestPassportScripts: a series in Latin and in Cyrillic letters is one passport, a mixed one is none (T29).
func TestPassportScripts(t *testing.T) {
	for value, want := range map[string]string{
		"АА123456":  "PASSPORT:АА123456",
		"AA123456":  "PASSPORT:АА123456",
		"aa123456":  "PASSPORT:АА123456",
		"аа123456":  "PASSPORT:АА123456",
		"АА 123456": "PASSPORT:АА123456",
		"AА123456":  "", // one Latin, one Cyrillic
		"КС987654":  "PASSPORT:КС987654",
		"KC987654":  "PASSPORT:КС987654",
		"ЇЄ000001":  "PASSPORT:ЇЄ000001",
		"DZ123456":  "", // no series has these
		"ыа123456":  "PASSPORT:ЫА123456",
		"123456789": "PASSPORT:123456789",
		"000000000": "",
		"АА12345":   "",
		"АА1234567": "",
	} {
		for _, place := range []string{"ДРФО", "serialNumber"} {
			in := value
			if place == "serialNumber" {
				in = "TINUA-" + value
			}
			_, s, err := subjectOf(t, source{place, in})
			if got := joined(s); err != nil || got != want {
				t.Errorf("%s %q: got %q, %v; want %q", place, in, got, err, want)
			}
			if s.Identifier(RNOKPP) != "" {
				t.Errorf("%q fills the tax number", value)
			}
		}
	}
}

// TestTaxNumberRules: placeholders and numbers of another length are no tax number; a wrong check digit is said and
// taken (T30).
func TestTaxNumberRules(t *testing.T) {
	for _, test := range []struct {
		name, value, want string
		warned            bool
	}{
		{"good check digit", "3184710691", "RNOKPP:3184710691", false},
		{"wrong check digit", "1122334455", "RNOKPP:1122334455", true},
		{"zeros", "0000000000", "", true},
		{"one digit", "1111111111", "", true},
		{"a zero", "0", "", true},
		{"a code of ЄДРПОУ", "43395033", "", true},
		{"too long", "31847106911", "", true},
		{"empty", "", "", false},
		{"blank", "  ", "", false},
		{"a hyphen", "-", "", true},
	} {
		_, s, err := subjectOf(t, source{"ДРФО", test.value})
		if got := joined(s); err != nil || got != test.want || (len(s.Warnings) > 0) != test.warned {
			t.Errorf("%s: got %q, %v, warnings %q", test.name, got, err, s.Warnings)
		}
		for _, w := range s.Warnings {
			if test.value != "0" && test.value != "-" && strings.Contains(w, test.value) {
				t.Errorf("%s: the warning holds the number", test.name)
			}
		}
	}
}

func TestCheckDigit(t *testing.T) {
	// −1·3+5·1+7·8+9·4+4·7+6·1+10·0+5·6+7·9 = 221; 221 mod 11 = 1.
	if !checkDigitOK("3184710691") || checkDigitOK("3184710692") {
		t.Error("3184710691")
	}
}

func TestKinds(t *testing.T) {
	person := source{"serialNumber", "TINUA-3184710691"}
	company := source{"ЄДРПОУ", "43395033"}
	for _, test := range []struct {
		name    string
		sources []source
		change  func(*x509.Certificate)
		want    Kind
	}{
		{"person", []source{person}, nil, KindPerson},
		{"employee", []source{person, company}, nil, KindEmployee},
		{"sole trader", []source{person, {"ЄДРПОУ", "3184710691"}}, nil, KindEntrepreneur},
		{"sole trader without a tax number", []source{{"ДРФО", "АА123456"}, {"ЄДРПОУ", "АА123456"}}, nil, KindEntrepreneur},
		{"company code in both places", []source{{"ДРФО", "43395033"}, company}, nil, KindSeal},
		{"foreigner", []source{{"serialNumber", "TINPL-1234567890"}}, nil, KindPerson},
		{"nobody", nil, nil, KindUnknown},
		{"name only", nil, func(x *x509.Certificate) { named(x, oidSurname, "Шевченко") }, KindPerson},
		{"seal", []source{company}, func(x *x509.Certificate) { x.UnknownExtKeyUsage = append(x.UnknownExtKeyUsage, stdOID(EKUSeal)) }, KindSeal},
		{"seal with a person's number", []source{person, company}, func(x *x509.Certificate) { x.UnknownExtKeyUsage = append(x.UnknownExtKeyUsage, stdOID(EKUSeal)) }, KindSeal},
		{"seal by statement", []source{person}, statements(oidQCType, der.EncodeSequence(der.EncodeOID(oidQCTypeSeal))), KindSeal},
		{"signature by statement", []source{person}, statements(oidQCType, der.EncodeSequence(der.EncodeOID(oidQCTypeSign))), KindPerson},
		{"web site", []source{person}, statements(oidQCType, der.EncodeSequence(der.EncodeOID(oidQCTypeWeb))), KindService},
		{"company alone", []source{company}, nil, KindSeal},
		{"agreement", []source{person}, func(x *x509.Certificate) { x.KeyUsage = x509.KeyUsageKeyAgreement }, KindEncryption},
		{"agreement of a seal", []source{company}, func(x *x509.Certificate) { x.KeyUsage = x509.KeyUsageKeyAgreement }, KindEncryption},
		{"signature and agreement", []source{person}, func(x *x509.Certificate) { x.KeyUsage |= x509.KeyUsageKeyAgreement }, KindEncryption},
		{"digitalSignature alone", []source{person}, func(x *x509.Certificate) { x.KeyUsage = x509.KeyUsageDigitalSignature }, KindUnknown},
		{"no key usage", []source{person}, func(x *x509.Certificate) { x.KeyUsage = 0 }, KindUnknown},
		{"authority", []source{person}, func(x *x509.Certificate) { x.BasicConstraintsValid, x.IsCA = true, true }, KindService},
		{"certificate signer", []source{person}, func(x *x509.Certificate) { x.KeyUsage |= x509.KeyUsageCertSign }, KindService},
		{"OCSP", []source{person}, func(x *x509.Certificate) { x.ExtKeyUsage = append(x.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) }, KindService},
		{"TSP", []source{person}, func(x *x509.Certificate) { x.ExtKeyUsage = append(x.ExtKeyUsage, x509.ExtKeyUsageTimeStamping) }, KindService},
		{"TLS", []source{person}, func(x *x509.Certificate) { x.ExtKeyUsage = append(x.ExtKeyUsage, x509.ExtKeyUsageServerAuth) }, KindService},
		{"mail", []source{person}, func(x *x509.Certificate) { x.ExtKeyUsage = append(x.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) }, KindPerson},
		{"unknown usage", []source{person}, func(x *x509.Certificate) {
			x.UnknownExtKeyUsage = append(x.UnknownExtKeyUsage, asn1.ObjectIdentifier{1, 2, 3})
		}, KindUnknown},
	} {
		c := issued(t, func(x *x509.Certificate) {
			var dir [][]byte
			for _, s := range test.sources {
				s.put(x, &dir)
			}
			if dir != nil {
				directory(x, dir...)
			}
			if test.change != nil {
				test.change(x)
			}
		})
		if got := c.Kind(); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestBirthDate(t *testing.T) {
	want := time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC)
	for _, s := range []source{{"УНЗР", "19700102-00017"}, {"dateOfBirth", "19700102120000Z"}} {
		_, subject, err := subjectOf(t, s)
		if err != nil || !subject.BirthDate.Equal(want) {
			t.Errorf("%s: %v, %v", s.place, subject.BirthDate, err)
		}
	}
	_, subject, err := subjectOf(t, source{"serialNumber", "TINUA-3184710691"})
	if err != nil || !subject.BirthDate.IsZero() {
		t.Errorf("a date of birth from a tax number alone: %v, %v", subject.BirthDate, err)
	}
}

// TestHostileSubject: texts are decoded by their type and cleaned (T97).
func TestHostileSubject(t *testing.T) {
	for in, want := range map[string]string{
		"Іван  Франко":                     "Іван Франко",
		"<script>alert(1)</script>":        "scriptalert(1)/script",
		"evil\u202egnp.exe":                "evilgnp.exe",
		"a\r\nb\tc":                        "a b c",
		"И\u0306":                          "Й",
		"zero\u200bwidth":                  "zerowidth",
		"\x1b[31mred":                      "[31mred",
		"О'Коннор-Ґалаґан":                 "О'Коннор-Ґалаґан",
		"ТОВ «Літак» № 5":                  "ТОВ «Літак» № 5",
		strings.Repeat("ї", 400):           strings.Repeat("ї", 256),
		strings.Repeat("a", 3000) + "tail": strings.Repeat("a", 256),
	} {
		c := issued(t, func(x *x509.Certificate) {
			x.Subject.CommonName = ""
			named(x, der.NewOID("2.5.4.3"), in)
		})
		s, err := c.Subject()
		if err != nil || s.CommonName != want {
			t.Errorf("%q: got %q, %v; want %q", in, s.CommonName, err, want)
		}
	}
	// A BMPString holds what it holds, not what its octets look like.
	c := issued(t, func(x *x509.Certificate) {
		x.Subject.CommonName = ""
		named(x, der.NewOID("2.5.4.3"), asn1.RawValue{Tag: asn1.TagBMPString, Bytes: []byte("\x04\x14\x04\x56\x04\x4f")})
	})
	if s, _ := c.Subject(); s.CommonName != "Дія" {
		t.Errorf("BMPString: %q", s.CommonName)
	}
}

// TestCleanFast: the quick way out of clean is taken only where the slow one changes nothing (T97).
func TestCleanFast(t *testing.T) {
	taken := 0
	for r := rune(0); r < 0x3000; r++ {
		for _, s := range []string{string(r), "О" + string(r), string(r) + "е", "a" + string(r) + " б"} {
			if isClean(s) {
				taken++
				if got := scrub(s); got != s {
					t.Errorf("%q is taken as clean, is %q", s, got)
				}
			}
		}
	}
	for _, s := range []string{"", " ", "а ", " а", "а  б", strings.Repeat("я", maxText), strings.Repeat("я", maxText+1), "й", "Ґ'\u202e"} {
		if isClean(s) && scrub(s) != s {
			t.Errorf("%q is taken as clean, is %q", s, scrub(s))
		}
	}
	if taken < 600 || !isClean("Тестенко Олена Іванівна") || isClean(strings.Repeat("я", maxText+1)) {
		t.Errorf("%d texts taken", taken)
	}
}
