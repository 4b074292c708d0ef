package der

import "testing"

func TestOIDRoundTrip(t *testing.T) {
	for _, s := range []string{
		"0.0", "0.39", "1.0", "1.2.840.113549.1.7.2", "2.5.29.15", "2.25.0", "2.999.3", "1.3.6.1.4.1.19398.1.1.1.2",
		"1.2.804.2.1.1.1.1.3.1.1", "1.2.4294967295.18446744073709551615",
		"2.25.223816230214427846168087205188571329491", "2.25.340282366920938463463374607431768211455",
	} {
		oid, ok := ParseOID(s)
		if !ok {
			t.Errorf("%s: refused", s)
			continue
		}
		if got := oid.String(); got != s {
			t.Errorf("%s came back as %s", s, got)
		}
		r := NewReader(EncodeOID(oid))
		if got := r.OID(); got != oid || r.Done() != nil {
			t.Errorf("%s: read as %s, %v", s, got, r.Err())
		}
	}
}

func TestOIDRefused(t *testing.T) {
	for _, s := range []string{"", "1", ".", "1.", ".1", "3.1", "0.40", "1.40", "1.2.03", "1.2.-1", "1.2.+1", "1.2..3", "1.02", "1.2.x",
		"2.25.99999999999999999999999999999999999999999999"} {
		if oid, ok := ParseOID(s); ok {
			t.Errorf("%q taken as %s", s, oid)
		}
	}
	for _, b := range [][]byte{{}, {0x80, 1}, {0x2a, 0x80, 1}, {0x2a, 0x86}} {
		r := NewReader(Element(ObjectID, b))
		if oid := r.OID(); r.Err() == nil {
			t.Errorf("%x taken as %s", b, oid)
		}
	}
}
