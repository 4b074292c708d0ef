package connectortest

import (
	"net/http/httptest"
	"testing"
	"time"

	"brama/connectors"
	"brama/internal/challenge"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
	"brama/internal/qes/revocation"
)

// An Authority is a running test provider of certificates with a validator that trusts it.
type Authority struct {
	*qestest.Provider
	Validator *qes.Validator
	Documents *qes.DocumentValidator // of the same trust: seals too
}

// NewAuthority starts one; it ends with the test. Each change is made to its settings before.
func NewAuthority(t testing.TB, change ...func(*qestest.Config)) *Authority {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	cfg := qestest.Config{BaseURL: "http://" + srv.Listener.Addr().String()}
	for _, c := range change {
		c(&cfg)
	}
	tsp, err := qestest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler = tsp.Handler()
	srv.Start()
	t.Cleanup(srv.Close)
	store, err := tsp.TrustStore()
	if err != nil {
		t.Fatal(err)
	}
	client, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	checker, err := revocation.New(revocation.Config{Do: client.Do, Responders: store.Responders, AllowsHost: store.AllowsHost, CacheFor: -1})
	if err != nil {
		t.Fatal(err)
	}
	v, err := qes.New(qes.Config{Trust: store, Revocation: checker})
	if err != nil {
		t.Fatal(err)
	}
	documents, err := qes.NewDocumentValidator(qes.DocumentConfig{Trust: store, Revocation: checker})
	if err != nil {
		t.Fatal(err)
	}
	return &Authority{Provider: tsp, Validator: v, Documents: documents}
}

// Person issues a certificate to an invented person; change may be nil.
func (a *Authority) Person(t testing.TB, change func(*qestest.Request)) *qestest.Issued {
	t.Helper()
	r := qestest.Request{FamilyName: "Тестенко", GivenName: "Олена", MiddleName: "Петрівна", RNOKPP: "3184710691"}
	if change != nil {
		change(&r)
	}
	i, err := a.Issue(r)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// PersonName is the name of Person.
const PersonName = "Тестенко Олена Петрівна"

// Login returns a login with a challenge of ten minutes for a method.
func Login(t testing.TB, method string) connectors.Login {
	t.Helper()
	expires := time.Now().Add(10 * time.Minute).UTC().Truncate(time.Second)
	text, err := challenge.Challenge{Issuer: "https://id.example.gov.ua", Client: "cabinet", Host: "cabinet.example.gov.ua", Method: method,
		Login: "AAAAAAAAAAAAAAAAAAAAAA", Nonce: [challenge.NonceSize]byte{1}, Expires: expires}.Write()
	if err != nil {
		t.Fatal(err)
	}
	return connectors.Login{ID: "AAAAAAAAAAAAAAAAAAAAAA", Challenge: text, Expires: expires}
}

// Sign signs content as i; a login signature of our own programs has the purpose login, that of another program none.
func Sign(t testing.TB, i *qestest.Issued, content []byte, purpose cms.Purpose) []byte {
	t.Helper()
	b, err := cms.Sign(i.Key, cms.Options{Certificate: i.Certificate.Raw, Content: content, Detached: true, Purpose: purpose, SigningTime: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
