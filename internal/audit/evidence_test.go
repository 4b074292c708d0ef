package audit

import (
	"bytes"
	"reflect"
	"testing"
)

// TestEvidencePacked: what is packed is read back, and anything else is refused.
func TestEvidencePacked(t *testing.T) {
	whole := Evidence{Signature: bytes.Repeat([]byte{1, '{'}, 1000), Content: []byte("{content"), Revocation: []byte{0}, TrustList: "42", RevocationList: "20261231-ab"}
	for _, e := range []Evidence{{}, whole, {Content: []byte("x")}, {TrustList: "42"}} {
		var got Evidence
		if err := got.unpack(e.pack(nil)); err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%+v is read back as %+v, %v", e, got, err)
		}
	}
	b := whole.pack(nil)
	for n := range b {
		if err := new(Evidence).unpack(bytes.Clone(b[:n])); err == nil {
			t.Fatalf("the first %d of %d bytes are evidence", n, len(b))
		}
	}
	for _, bad := range [][]byte{nil, {2}, []byte("{}"), append(bytes.Clone(b), 0), {evidenceForm, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}} {
		if err := new(Evidence).unpack(bad); err == nil {
			t.Errorf("%x is evidence", bad)
		}
	}
}

func FuzzEvidence(f *testing.F) {
	f.Add((&Evidence{Signature: []byte("s"), Content: []byte("c"), TrustList: "42"}).pack(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e, again Evidence
		if e.unpack(bytes.Clone(b)) != nil {
			return
		}
		if err := again.unpack(e.pack(nil)); err != nil || !reflect.DeepEqual(again, e) {
			t.Fatalf("%+v comes back as %+v, %v", e, again, err)
		}
	})
}
