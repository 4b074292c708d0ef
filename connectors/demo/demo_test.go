package demo

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
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
