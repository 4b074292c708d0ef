package offline

import (
	"bytes"
	"slices"
	"testing"

	"brama/internal/qes"
	"brama/internal/qes/asic"
	"brama/internal/qes/cms"
	"brama/internal/qes/keystore"
	"brama/internal/vectors"
)

// TestVerifyContainer: an ASiC-E container says of each signature what it covers; one whose document was changed, one that is
// no container, and one that is a request to sign in are refused (threats T1, T65).
func TestVerifyContainer(t *testing.T) {
	container, err := keystore.Open(keystore.NewStdPrimitives(), vectors.Read(t, "keys/diia-test.p12"), []byte("testpassword"))
	if err != nil {
		t.Fatal(err)
	}
	var signer cms.Signer
	for i := range container.Keys {
		if container.Keys[i].Curve == "M257" {
			if signer, err = qes.NewSigner(container.Keys[i].DSTU); err != nil {
				t.Fatal(err)
			}
		}
	}
	pack := func(documents ...asic.Document) []byte {
		b, err := asic.Pack(documents, func(manifest []byte) ([]byte, error) {
			return cms.Sign(signer, cms.Options{Certificate: vectors.Read(t, "certs/diia-test-sign.cer"), Content: manifest, Detached: true})
		})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	contract, annex := asic.Document{Name: "договір.txt", Content: []byte("договір")}, asic.Document{Name: "додаток.txt", Content: []byte("додаток")}
	good := pack(contract, annex)
	other := pack(asic.Document{Name: contract.Name, Content: []byte("договор")}, annex)
	// The content of the one with the manifest and the signature of the other: the entries lie in the same places.
	end := bytes.Index(good, []byte("META-INF/ASiC"))
	mixed := slices.Concat(other[:end], good[end:])
	for name, c := range map[string]struct {
		b        []byte
		exit     int
		code     string
		value    string
		sub      string
		findings []string
	}{
		"good":               {good, 3, "", "valid", "", []string{"договір.txt", "додаток.txt"}},
		"request to sign in": {pack(contract, asic.Document{Name: "x", Content: []byte("\ufeff brama-login-v1\n")}), 1, "SIG_INVALID", "", "SIG_CONSTRAINTS_FAILURE", nil},
		"mixed":              {mixed, 1, "", "", "", nil},
		"no container":       {[]byte("PK\x03\x04xxxx"), 1, "CMS_MALFORMED", "", "FORMAT_FAILURE", nil},
	} {
		r, code := verify(t, write(t, c.b))
		if code != c.exit || c.code != "" && r.Code != c.code || c.sub != "" && r.SubIndication != c.sub {
			t.Errorf("%s: exit %d, %s %s", name, code, r.SubIndication, r.Code)
		}
		if c.findings == nil {
			if len(r.Signatures) != 0 {
				t.Errorf("%s: %d signatures", name, len(r.Signatures))
			}
			continue
		}
		if len(r.Signatures) != 1 || r.Signatures[0].SignatureValue != c.value || !slices.Equal(r.Signatures[0].Documents, c.findings) {
			t.Errorf("%s: %+v", name, r.Signatures)
		}
	}
}
