package token

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/internal/challenge"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
	"brama/internal/qes/revocation"
)

// A world is a provider of certificates and a server that trusts it.
type world struct {
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
	w := &world{provider: p}
	if w.validator, err = qes.New(qes.Config{Trust: store, Revocation: checker}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) connector(t *testing.T, change func(*Config)) *Connector {
	t.Helper()
	config := Config{Verifier: w.validator}
	if change != nil {
		change(&config)
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func login(t *testing.T) connectors.Login {
	t.Helper()
	expires := time.Now().Add(15 * time.Minute).UTC().Truncate(time.Second)
	text, err := challenge.Challenge{Issuer: "https://id.example.gov.ua", Client: "cabinet", Host: "cabinet.example.gov.ua",
		Method: Method, Login: "l1", Nonce: [32]byte{1}, Expires: expires}.Write()
	if err != nil {
		t.Fatal(err)
	}
	return connectors.Login{ID: "l1", Challenge: text, Expires: expires}
}

// event is what the page posts with the signature of an invented person, made with o.
func (w *world) event(t *testing.T, r qestest.Request, content []byte, purpose cms.Purpose) connectors.Event {
	t.Helper()
	r.FamilyName, r.GivenName, r.MiddleName, r.RNOKPP = "Тестенко", "Олена", "Петрівна", "1234567899"
	i, err := w.provider.Issue(r)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := cms.Sign(i.Key, cms.Options{Certificate: i.Certificate.Raw, Content: content, Detached: true, Purpose: purpose})
	if err != nil {
		t.Fatal(err)
	}
	return posted(signature)
}

func posted(signature []byte) connectors.Event {
	return connectors.Event{Via: connectors.ViaForm, Values: url.Values{"signature": {base64.StdEncoding.EncodeToString(signature)}}}
}

func TestContract(t *testing.T) {
	w := newWorld(t)
	connectortest.Run(t, func(t *testing.T) connectortest.Setup {
		l := login(t)
		return connectortest.Setup{
			Connector: w.connector(t, nil),
			Login:     l,
			Good:      w.event(t, qestest.Request{Device: true}, l.Challenge, cms.PurposeLogin),
			Name:      "Тестенко Олена Петрівна",
			Retry: map[string]connectors.Event{
				"CMS_MALFORMED": {Via: connectors.ViaForm, Values: url.Values{"signature": {"%"}}},
				"TX_UNKNOWN":    {Via: connectors.ViaPoll},
				"SIG_INVALID":   w.event(t, qestest.Request{Device: true}, append(l.Challenge, '\n'), cms.PurposeLogin),
				"CERT_SEAL":     w.event(t, qestest.Request{Kind: qestest.Seal, Organization: "ТОВ «Тестовий приклад»", EDRPOU: "10000108"}, l.Challenge, cms.PurposeLogin),
				"CERT_REVOKED":  w.event(t, qestest.Request{Status: qestest.Revoked}, l.Challenge, cms.PurposeLogin),
			},
		}
	})
}

// TestLevel: high only where the certificate says that the key is in a qualified device; else by policy (T33).
func TestLevel(t *testing.T) {
	w := newWorld(t)
	l := login(t)
	for _, c := range []struct {
		name          string
		request       qestest.Request
		withoutDevice connectors.LoA
		want          connectors.LoA
		amr           string
	}{
		{"in a device", qestest.Request{Device: true}, "", connectors.High, "hwk"},
		{"in a device, strict policy", qestest.Request{Device: true}, connectors.Low, connectors.High, "hwk"},
		{"not said", qestest.Request{}, "", connectors.Substantial, "pop"},
		{"not said, strict policy", qestest.Request{}, connectors.Low, connectors.Low, "pop"},
	} {
		connector := w.connector(t, func(conf *Config) { conf.WithoutDevice = c.withoutDevice })
		step, err := connector.Advance(t.Context(), l, w.event(t, c.request, l.Challenge, cms.PurposeLogin))
		done, ok := step.(connectors.Done)
		if !ok || done.Identity.LoA != c.want || !slices.Equal(done.Identity.AMR, []string{c.amr}) {
			t.Errorf("%s: %+v, %v; want %s, %s", c.name, done.Identity, err, c.want, c.amr)
		}
	}
	if _, err := New(Config{Verifier: w.validator, WithoutDevice: connectors.High}); err == nil {
		t.Error("a policy gives the level high without a device")
	}
}

// TestLoginSignatureIsNotDocument: a signature without our attribute, which any program can be brought to make, signs
// nobody in (T1).
func TestLoginSignatureIsNotDocument(t *testing.T) {
	w := newWorld(t)
	l := login(t)
	_, err := w.connector(t, nil).Advance(t.Context(), l, w.event(t, qestest.Request{Device: true}, l.Challenge, ""))
	var refusal *connectors.Refusal
	if !errors.As(err, &refusal) || refusal.Code != "SIG_INVALID" {
		t.Errorf("Advance = %v, want SIG_INVALID", err)
	}
}

func TestFindCertificates(t *testing.T) {
	w := newWorld(t)
	asked := 0
	connector := w.connector(t, func(c *Config) {
		c.Issuers = []Issuer{{ID: "a", Name: "А"}}
		c.Search = func(context.Context, string, [][]byte) ([][]byte, error) {
			asked++
			return [][]byte{{1}}, nil
		}
	})
	id := make([]byte, 32)
	for _, c := range []struct {
		issuer string
		ids    [][]byte
		want   bool
	}{
		{"", [][]byte{id, id[:20]}, true}, {"a", [][]byte{id}, true}, {"b", [][]byte{id}, false}, {"", nil, false},
		{"", [][]byte{id[:31]}, false}, {"", slices.Repeat([][]byte{id}, maxKeyIDs+1), false},
	} {
		found, err := connector.FindCertificates(t.Context(), c.issuer, c.ids)
		if (len(found) == 1) != c.want || (err == nil) != c.want {
			t.Errorf("%q, %d ids: %v, %v", c.issuer, len(c.ids), found, err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	if _, err := w.connector(t, nil).FindCertificates(t.Context(), "", [][]byte{id}); !errors.Is(err, ErrNoSearch) {
		t.Errorf("without a search: %v", err)
	}
}

func TestPage(t *testing.T) {
	c := newWorld(t).connector(t, func(c *Config) { c.AgentPort = 24200 })
	page := c.Idle()
	data, ok := page.Data.(*PageData)
	if page.Name != "token" || !ok || data.Agent != "http://127.0.0.1:24200" || c.Agent() != data.Agent || c.MaxLoA() != connectors.High {
		t.Errorf("page %+v, agent %s, level %s", page, c.Agent(), c.MaxLoA())
	}
	for _, port := range []int{80, -1, 65536} {
		if _, err := New(Config{Verifier: newWorld(t).validator, AgentPort: port}); err == nil {
			t.Errorf("port %d is taken", port)
		}
	}
}
