//go:build linux

package main

import (
	"net/http/httptest"
	"testing"
	"time"

	"brama/internal/challenge"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
	"brama/internal/qes/revocation"
	"brama/internal/tools/agenttest"
	"brama/internal/tools/pkcs11dstu"
)

func TestMain(m *testing.M) { agenttest.Main(m) }

const (
	site   = "https://id.example.gov.ua"
	pin    = "314159265"
	phrase = "сірий кіт на даху"
)

// A world is a trust service provider, and a server that asks it.
type world struct {
	t         *testing.T
	provider  *qestest.Provider
	validator *qes.Validator
}

func newWorld(t *testing.T) *world {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	p, err := qestest.New(qestest.Config{BaseURL: "http://" + server.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = p.Handler()
	server.Start()
	t.Cleanup(server.Close)
	client, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	store, err := p.TrustStore()
	if err != nil {
		t.Fatal(err)
	}
	checker, err := revocation.New(revocation.Config{Do: client.Do, Responders: store.Responders, AllowsHost: store.AllowsHost})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, provider: p}
	if w.validator, err = qes.New(qes.Config{Trust: store, Revocation: checker, Policy: qes.Policy{RequirePurpose: true}}); err != nil {
		t.Fatal(err)
	}
	return w
}

func olena() qestest.Request {
	return qestest.Request{FamilyName: "Тестенко", GivenName: "Олена", MiddleName: "Петрівна", RNOKPP: "1234567899", Device: true}
}

func (w *world) issue(r qestest.Request) *qestest.Issued {
	w.t.Helper()
	i, err := w.provider.Issue(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

// put gives a token of ours an issued key, and the certificate if it is to be there.
func put(token *pkcs11dstu.Token, i *qestest.Issued, certificate bool) int {
	var der []byte
	if certificate {
		der = i.Certificate.Raw
	}
	return token.AddKey(i.Key.DSTU.Bytes(), i.Key.DSTU.PublicKey().Bytes(), der)
}

// signedBy validates a reply as the server does and checks whose signature it is.
func (w *world) signedBy(r agenttest.Reply, text []byte, name string) {
	w.t.Helper()
	if r.Status != 200 || len(r.Signature) == 0 {
		w.t.Fatalf("the agent says %d %s", r.Status, r.Body)
	}
	res, err := w.validator.Verify(w.t.Context(), r.Signature, text)
	if err != nil {
		w.t.Fatalf("the signature is refused: %v", err)
	}
	subject, err := res.Signer.Subject()
	if err != nil || subject.CommonName != name || res.Purpose != string(cms.PurposeLogin) {
		w.t.Errorf("signed by %q with the purpose %q, %v; want %q", subject.CommonName, res.Purpose, err, name)
	}
}

// text makes a challenge of site.
func text(t *testing.T) []byte {
	t.Helper()
	b, err := challenge.Challenge{Issuer: site, Client: "cabinet", Host: "cabinet.example.gov.ua", Method: "token", Login: "l1",
		Nonce: [32]byte{7}, Expires: time.Now().Add(15 * time.Minute).UTC().Truncate(time.Second)}.Write()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// start starts an agent that knows site and a person with a phrase.
func start(t *testing.T, modules ...string) *agenttest.Agent {
	t.Helper()
	return agenttest.Start(t, agenttest.Options{Origins: []string{site}, Modules: modules, Phrase: phrase})
}
