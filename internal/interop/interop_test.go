package interop

import (
	"bytes"
	"net/http/httptest"
	"testing"
	"time"

	"brama/internal/dstu/dstu4145"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
	"brama/internal/qes/revocation"
	"brama/internal/vectors"
)

var content = []byte("brama-login-v1\nлише для входу, не є документом\nhttps://id.example.ua\n")

// site is a provider whose keys sign here, and a validator that trusts it.
func site(t *testing.T) (*qestest.Provider, *qes.Validator) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	p, err := qestest.New(qestest.Config{BaseURL: "http://" + server.Listener.Addr().String(), RSA: true})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = p.Handler()
	server.Start()
	t.Cleanup(server.Close)
	store, err := p.TrustStore()
	if err != nil {
		t.Fatal(err)
	}
	client, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	checker, err := revocation.New(revocation.Config{Do: client.Do, Responders: store.Responders, AllowsHost: store.AllowsHost})
	if err != nil {
		t.Fatal(err)
	}
	v, err := qes.New(qes.Config{Trust: store, Revocation: checker})
	if err != nil {
		t.Fatal(err)
	}
	return p, v
}

func issue(t *testing.T, p *qestest.Provider, authority string, a qestest.Algorithm) *qestest.Issued {
	t.Helper()
	i, err := p.Issue(qestest.Request{Authority: authority, Algorithm: a, FamilyName: "Тестенко", GivenName: "Олена", RNOKPP: "1234567899"})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func ours(t *testing.T, s cms.Signer, c *cert.Certificate, change func(*cms.Options)) []byte {
	t.Helper()
	o := cms.Options{Certificate: c.Raw, Content: content, SigningTime: time.Now(), Purpose: cms.PurposeLogin}
	if change != nil {
		change(&o)
	}
	b, err := cms.Sign(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func detached(o *cms.Options) { o.Detached = true }

// TestOursAccepted: what we write is taken by implementations that are not ours, and refused once it is changed.
func TestOursAccepted(t *testing.T) {
	p, _ := site(t)
	for _, test := range []struct {
		authority string
		algorithm qestest.Algorithm
		verifiers []func(t testing.TB, message, content []byte) Verdict
	}{
		{qestest.Main, qestest.M257, []func(t testing.TB, message, content []byte) Verdict{byBouncyCastle, VerifyWithJkurwa}},
		{qestest.Second, qestest.M431, []func(t testing.TB, message, content []byte) Verdict{byBouncyCastle, VerifyWithJkurwa}},
		{qestest.Kupyna, qestest.M257Kupyna, []func(t testing.TB, message, content []byte) Verdict{byBouncyCastle}},
		{qestest.ECDSA, qestest.P256, []func(t testing.TB, message, content []byte) Verdict{byBouncyCastle, VerifyWithOpenSSL}},
		{qestest.RSA, qestest.RSA2048, []func(t testing.TB, message, content []byte) Verdict{byBouncyCastle, VerifyWithOpenSSL}},
	} {
		for n, verify := range test.verifiers {
			t.Run(string(test.algorithm)+"/"+string(rune('a'+n)), func(t *testing.T) {
				i := issue(t, p, test.authority, test.algorithm)
				verify(t, ours(t, i.Key, i.Certificate, nil), nil).Accept(t)
				message := ours(t, i.Key, i.Certificate, detached)
				verify(t, message, content).Accept(t)
				verify(t, message, append(bytes.Clone(content), 'x')).Refuse(t)
				message[len(message)-1] ^= 1
				verify(t, message, content).Refuse(t)
			})
		}
	}
}

func byBouncyCastle(t testing.TB, message, content []byte) Verdict {
	t.Helper()
	return VerifyWithBouncyCastle(t, message, content, nil)
}

// TestOthersSignIn: signatures made by implementations that are not ours sign a person in.
func TestOthersSignIn(t *testing.T) {
	p, v := site(t)
	dstu := issue(t, p, qestest.Main, qestest.M257)
	large := issue(t, p, qestest.Second, qestest.M431)
	ec, rsa := issue(t, p, qestest.ECDSA, qestest.P256), issue(t, p, qestest.RSA, qestest.RSA2048)
	pkcs8 := func(i *qestest.Issued) []byte {
		b, err := i.Key.PKCS8()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	byKey := func(sign func(testing.TB, *dstu4145.PrivateKey, []byte, []byte, bool) []byte) func(*testing.T, *qestest.Issued, bool) []byte {
		return func(t *testing.T, i *qestest.Issued, detached bool) []byte {
			return sign(t, i.Key.DSTU, i.Certificate.Raw, content, detached)
		}
	}
	byPKCS8 := func(sign func(testing.TB, []byte, []byte, []byte, bool) []byte) func(*testing.T, *qestest.Issued, bool) []byte {
		return func(t *testing.T, i *qestest.Issued, detached bool) []byte {
			return sign(t, pkcs8(i), i.Certificate.Raw, content, detached)
		}
	}
	openssl := func(more ...string) func(*testing.T, *qestest.Issued, bool) []byte {
		return func(t *testing.T, i *qestest.Issued, detached bool) []byte {
			return SignWithOpenSSL(t, pkcs8(i), i.Certificate.Raw, content, detached, more...)
		}
	}
	for name, test := range map[string]struct {
		issued *qestest.Issued
		sign   func(*testing.T, *qestest.Issued, bool) []byte
		want   string
	}{
		"jkurwa":                {dstu, byKey(SignWithJkurwa), "DSTU4145-GOST34311"},
		"jkurwa M431":           {large, byKey(SignWithJkurwa), "DSTU4145-GOST34311"},
		"Bouncy Castle":         {dstu, byKey(SignWithBouncyCastle), "DSTU4145-GOST34311"},
		"Bouncy Castle M431":    {large, byKey(SignWithBouncyCastle), "DSTU4145-GOST34311"},
		"Bouncy Castle ECDSA":   {ec, byPKCS8(SignPKCS8WithBouncyCastle), "ECDSA-SHA256"},
		"Bouncy Castle RSA":     {rsa, byPKCS8(SignPKCS8WithBouncyCastle), "RSA-SHA256"},
		"openssl ECDSA":         {ec, openssl(), "ECDSA-SHA256"},
		"openssl RSA":           {rsa, openssl(), "RSA-SHA256"},
		"openssl PSS":           {rsa, openssl("-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"), "RSA-PSS-SHA256"},
		"openssl by key id":     {ec, openssl("-keyid"), "ECDSA-SHA256"},
		"openssl BER, streamed": {ec, openssl("-stream"), "ECDSA-SHA256"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, d := range []bool{true, false} {
				message := test.sign(t, test.issued, d)
				res, err := v.Verify(t.Context(), message, content)
				if err != nil {
					t.Errorf("detached %v: %v", d, err)
					continue
				}
				if !res.Signer.Equal(test.issued.Certificate) || res.SignatureAlgorithm != test.want || res.Purpose != "" {
					t.Errorf("detached %v: %+v", d, res)
				}
				if _, err := v.Verify(t.Context(), message, append(bytes.Clone(content), 'x')); err == nil {
					t.Errorf("detached %v: taken for another content", d)
				}
			}
		})
	}
}

// TestRealKeysAccepted: the keys of real containers, by implementations that are not ours, are in package keystore's and the
// browser program's tests; here the oldest of the real signatures is verified by both sides.
func TestRealSignature(t *testing.T) {
	fox := vectors.Read(t, "cms/fox.txt")
	VerifyWithBouncyCastle(t, vectors.Read(t, "cms/bes-detached.p7s"), fox, nil).Accept(t)
	VerifyWithBouncyCastle(t, vectors.Read(t, "cms/kupyna256-detached.p7s"), vectors.Read(t, "cms/login.bin"), nil).Accept(t)
	VerifyWithBouncyCastle(t, vectors.Read(t, "cms/neg-bes-attached-sig.p7s"), nil, nil).Refuse(t)
	VerifyWithJkurwa(t, vectors.Read(t, "cms/bes-attached.p7s"), nil).Accept(t)
	VerifyWithJkurwa(t, vectors.Read(t, "cms/neg-bes-attached-sig.p7s"), nil).Refuse(t)
	VerifyWithOpenSSL(t, vectors.Read(t, "cms/p256-detached.p7s"), fox).Accept(t)
}
