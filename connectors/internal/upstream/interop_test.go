package upstream_test

import (
	"bytes"
	"testing"

	"brama/connectors/connectortest"
	"brama/connectors/internal/upstream"
	"brama/connectors/internal/upstreamtest"
	"brama/internal/interop"
	"brama/internal/qes/qestest"
	"brama/internal/qes/tbs"
)

// answer is what a system seals. It ends in the middle of a block.
var answer = []byte(`{"auth_type":"dig_sign","lastname":"ПЕТРЕНКО","givenname":"ОЛЕНА"}`)

// TestDoubleByOthers: what the doubles of ID.GOV.UA and BankID seal, in every form and on both curves, is opened by an
// implementation that is not ours, and the signature inside is one to it; what such an implementation seals and signs is
// opened and passes here.
func TestDoubleByOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("runs another program for seconds")
	}
	a := connectortest.NewAuthority(t)
	system, err := upstreamtest.NewSystem(a.Provider, "Банк", "10000201")
	if err != nil {
		t.Fatal(err)
	}
	seal := a.Person(t, func(r *qestest.Request) { r.Kind, r.Organization, r.EDRPOU = qestest.Seal, "Банк", "10000201" })
	signed := interop.SignWithBouncyCastle(t, seal.Key.DSTU, seal.Certificate.Raw, answer, false)
	senders := map[qestest.Algorithm]*qestest.Issued{}
	for curve, algorithm := range map[string]qestest.Algorithm{"M257": qestest.M257, "M431": qestest.M431} {
		issue := func() *qestest.Issued {
			return a.Person(t, func(r *qestest.Request) { r.Kind, r.Algorithm = qestest.Encryption, algorithm })
		}
		ours := issue()
		senders[algorithm] = issue()
		keys, err := upstream.NewKeys([]upstream.Key{{Private: ours.Key.DSTU, Certificate: ours.Certificate.Certificate}})
		if err != nil {
			t.Fatal(err)
		}
		t.Run("ours by theirs, "+curve, func(t *testing.T) {
			var messages, certificates [][]byte
			var forms []upstreamtest.Form
			for i := range 16 { // every form of an answer
				f := upstreamtest.Form{CTR: i&1 != 0, ByKeyID: i&2 != 0, Static: i&4 != 0, Signed: i&8 != 0, Attach: i == 4, Bare: i == 9}
				message, _, err := system.Seal(answer, ours.Certificate.Raw, f)
				if err != nil {
					t.Fatal(err)
				}
				forms, messages = append(forms, f), append(messages, message)
			}
			tampered, _, err := system.Seal(answer, ours.Certificate.Raw, upstreamtest.Form{Tampered: true})
			if err != nil {
				t.Fatal(err)
			}
			other, _, err := system.Seal(answer, senders[algorithm].Certificate.Raw, upstreamtest.Form{})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range system.Senders() {
				certificates = append(certificates, c.Raw)
			}
			opened := interop.OpenEnvelopesWithBouncyCastle(t, ours.Key.DSTU, certificates, append(messages, tampered, other)...)
			for i, f := range forms {
				switch {
				case opened[i] == nil:
					t.Errorf("%+v: theirs does not open", f)
				case !f.Signed && !bytes.Equal(opened[i], answer):
					t.Errorf("%+v: theirs reads %q", f, opened[i])
				}
			}
			if opened[16] != nil || opened[17] != nil {
				t.Error("theirs opens what was changed, or is for somebody else")
			}
			_, message, err := keys.Open(messages[12], nil)
			if err == nil && !bytes.Equal(message, opened[12]) {
				t.Error("they read another signature than we")
			}
			interop.VerifyWithBouncyCastle(t, opened[12], nil, nil).Accept(t)
			spoilt, _, err := system.Seal(answer, ours.Certificate.Raw, upstreamtest.Form{Signed: true, Spoilt: true})
			if err != nil {
				t.Fatal(err)
			}
			opened = interop.OpenEnvelopesWithBouncyCastle(t, ours.Key.DSTU, nil, spoilt)
			interop.VerifyWithBouncyCastle(t, opened[0], nil, nil).Refuse(t)
		})
		t.Run("theirs by ours, "+curve, func(t *testing.T) {
			sender := senders[algorithm]
			for i, s := range []interop.Sealing{
				{}, {CTR: true, ByKeyID: true}, {Sender: sender.Key.DSTU}, {Sender: sender.Key.DSTU, CTR: true, ByKeyID: true, SignedData: true},
			} {
				s.To, s.SenderCertificate = ours.Certificate.Raw, sender.Certificate.Raw
				content := answer
				if i > 0 {
					content = signed
				}
				object, message, err := keys.Open(interop.SealWithBouncyCastle(t, content, s), []*tbs.Certificate{sender.Certificate.Certificate})
				if err != nil {
					t.Errorf("%d: ours does not open: %v", i, err)
					continue
				}
				if i == 0 {
					if !bytes.Equal(object, answer) {
						t.Errorf("ours reads %q", object)
					}
					continue
				}
				s, err := client(t).Verify(t.Context(), a.Documents, message, nil)
				if err != nil || !bytes.Equal(s.Content, answer) || !s.By("10000201", nil) {
					t.Errorf("%d: the signature inside: %v", i, err)
				}
			}
		})
	}
}
