package demo

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
	"brama/internal/qes/revocation"
)

func TestContract(t *testing.T) {
	a := connectortest.NewAuthority(t)
	people := map[string]*qestest.Issued{"valid": a.Person(t, nil), "revoked": a.Person(t, func(r *qestest.Request) { r.Status = qestest.Revoked })}
	press := func(person string) connectors.Event {
		return connectors.Event{Via: connectors.ViaForm, Values: url.Values{"person": {person}}}
	}
	connectortest.Run(t, func(t *testing.T) connectortest.Setup {
		c, err := New(Config{Verifier: a.Validator, Persons: []string{"valid", "revoked", "damaged"},
			Sign: func(_ context.Context, person string, challenge []byte) ([]byte, error) {
				if person == "damaged" {
					return nil, &connectors.Refusal{Code: "KEY_DAMAGED"}
				}
				return connectortest.Sign(t, people[person], challenge, cms.PurposeLogin), nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		return connectortest.Setup{Connector: c, Login: connectortest.Login(t, Method), Name: connectortest.PersonName, Good: press("valid"),
			Retry: map[string]connectors.Event{"CERT_REVOKED": press("revoked"), "KEY_DAMAGED": press("damaged"), "TX_UNKNOWN": press("root")}}
	})
}

// TestSignFails: a fault of ours ends the login and names no code of the person's.
func TestSignFails(t *testing.T) {
	a := connectortest.NewAuthority(t)
	c, err := New(Config{Verifier: a.Validator, Persons: []string{"valid"},
		Sign: func(context.Context, string, []byte) ([]byte, error) { return nil, errors.New("no key") }})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Advance(t.Context(), connectortest.Login(t, Method), connectors.Event{Via: connectors.ViaForm, Values: url.Values{"person": {"valid"}}})
	if err == nil || errors.Is(err, connectors.ErrRetry) {
		t.Errorf("%v", err)
	}
}

// presser returns a press on a button of the form: a signature is made and validated, the status of its certificate
// remembered.
func presser(b testing.TB) func() {
	b.Helper()
	a := connectortest.NewAuthority(b)
	store, err := a.TrustStore()
	if err != nil {
		b.Fatal(err)
	}
	client, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		b.Fatal(err)
	}
	status, err := revocation.New(revocation.Config{Do: client.Do, Responders: store.Responders, AllowsHost: store.AllowsHost})
	if err != nil {
		b.Fatal(err)
	}
	validator, err := qes.New(qes.Config{Trust: store, Revocation: status, Policy: qes.Policy{RequirePurpose: true}})
	if err != nil {
		b.Fatal(err)
	}
	person := a.Person(b, nil)
	signer, err := cms.Prepare(person.Key, person.Certificate.Raw)
	if err != nil {
		b.Fatal(err)
	}
	c, err := New(Config{Verifier: validator, Persons: []string{"valid"},
		Sign: func(_ context.Context, _ string, challenge []byte) ([]byte, error) {
			return signer.Sign(cms.Options{Content: challenge, Detached: true, Purpose: cms.PurposeLogin, SigningTime: time.Now()})
		}})
	if err != nil {
		b.Fatal(err)
	}
	login := connectortest.Login(b, Method)
	event := connectors.Event{Via: connectors.ViaForm, Values: url.Values{"person": {"valid"}}}
	return func() {
		if _, err := c.Advance(b.Context(), login, event); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAdvanceAllocations: of a person who was here before nothing is read, found or made again.
func TestAdvanceAllocations(t *testing.T) {
	press := presser(t)
	for range 40 { // until the key that signs has its tables
		press()
	}
	if n := testing.AllocsPerRun(50, press); n > 40 {
		t.Errorf("%v allocations, want at most 40", n)
	}
}

func BenchmarkAdvance(b *testing.B) {
	press := presser(b)
	b.ReportAllocs()
	for b.Loop() {
		press()
	}
}
