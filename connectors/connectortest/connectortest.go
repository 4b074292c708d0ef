// Package connectortest is the contract of a connector as a test that each of them runs.
package connectortest

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"sync"
	"testing"

	"brama/connectors"
)

// A Setup is what a connector's own test gives to Run.
type Setup struct {
	Connector connectors.Connector
	Login     connectors.Login
	// Good is an event that ends in Done for Login.
	Good connectors.Event
	// Name is the name in the identity of Good.
	Name string
	// Bound says that Good is bound to the challenge of Login: with another one it must be refused. It is false only for a
	// connector that makes the signature itself.
	Bound bool
	// Waits says that Login waits for its provider: a poll then gives the wait again instead of a refusal.
	Waits bool
	// Answered says that another system tells who the person is: there is no certificate of the person, and the evidence
	// has a content of the connector's own in place of the challenge.
	Answered bool
	// Retry are events that leave the login where it was, by the code that each must get.
	Retry map[string]connectors.Event
}

// Run checks what architecture.md 3 promises of every connector: Begin gives a step, hostile events give a Refusal with a
// code and never Done or a panic, Done carries a complete identity, nothing is remembered between calls, and calls may
// run at once.
func Run(t *testing.T, open func(t *testing.T) Setup) {
	t.Run("Begin", func(t *testing.T) {
		s := open(t)
		step, err := s.Connector.Begin(t.Context(), s.Login)
		if err != nil || step == nil {
			t.Fatalf("Begin = %v, %v; want a step", step, err)
		}
		if _, ok := step.(connectors.Done); ok {
			t.Fatal("Begin proves somebody")
		}
	})
	t.Run("Done", func(t *testing.T) { s := open(t); checkDone(t, s) })
	t.Run("NoStateBetweenCalls", func(t *testing.T) {
		s := open(t)
		for range 2 {
			checkDone(t, s)
		}
	})
	t.Run("AtOnce", func(t *testing.T) {
		s := open(t)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { checkDone(t, s) })
		}
		wg.Wait()
	})
	t.Run("Retry", func(t *testing.T) {
		s := open(t)
		for code, ev := range s.Retry {
			t.Run(code, func(t *testing.T) {
				step, err := s.Connector.Advance(t.Context(), s.Login, ev)
				if !errors.Is(err, connectors.ErrRetry) || CodeOf(err) != code {
					t.Errorf("Advance = %T, %v; want %s, to be tried again", step, err, code)
				}
			})
		}
	})
	t.Run("OtherChallenge", func(t *testing.T) {
		s := open(t)
		if !s.Bound {
			t.Skip("the connector signs whatever challenge there is")
		}
		s.Login.Challenge = bytes.Replace(s.Login.Challenge, []byte("\n"), []byte("\n "), 1)
		refused(t, s, s.Good)
	})
	t.Run("Expired", func(t *testing.T) {
		s := open(t)
		s.Login.Expires = s.Login.Expires.AddDate(-1, 0, 0)
		refused(t, s, s.Good)
	})
	t.Run("Hostile", func(t *testing.T) {
		s := open(t)
		for _, ev := range []connectors.Event{
			{},
			{Via: connectors.ViaForm},
			{Via: connectors.ViaForm, Values: url.Values{"signature": {"%"}, "person": {""}}, Body: []byte{0}},
			{Via: connectors.ViaForm, Values: url.Values{"signature": {"MAA="}, "person": {"nobody"}}, Body: []byte{0x30, 0x00}},
			{Via: connectors.ViaForm, Body: make([]byte, connectors.MaxEventBody)},
			{Via: connectors.ViaNotify},
		} {
			refused(t, s, ev)
		}
		if poll := (connectors.Event{Via: connectors.ViaPoll, Values: s.Good.Values, Body: s.Good.Body}); s.Good.Via == connectors.ViaPoll {
			return // a poll has no content of its own: it is the good event
		} else if !s.Waits {
			refused(t, s, poll)
		} else if step, err := s.Connector.Advance(t.Context(), s.Login, poll); err != nil {
			t.Errorf("a poll ends in %v", err)
		} else if w, ok := step.(connectors.Wait); !ok || w.Every <= 0 {
			t.Errorf("a poll gives %T, want the wait", step)
		}
	})
	t.Run("Notified", func(t *testing.T) { notified(t, open(t)) })
	t.Run("Cancelled", func(t *testing.T) {
		s := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		step, err := s.Connector.Advance(ctx, s.Login, s.Good)
		if _, done := step.(connectors.Done); !done && err == nil {
			t.Errorf("Advance = %T, nil", step)
		}
	})
}

func checkDone(t *testing.T, s Setup) {
	t.Helper()
	step, err := s.Connector.Advance(t.Context(), s.Login, s.Good)
	done, ok := step.(connectors.Done)
	if err != nil || !ok {
		t.Errorf("Advance = %T, %v; want Done", step, err)
		return
	}
	id := done.Identity
	if id.Name != s.Name {
		t.Errorf("name is %q, want %q", id.Name, s.Name)
	}
	switch {
	case id.LoA == "", id.AuthTime.IsZero(), len(id.AMR) == 0, len(id.Roles) == 0:
		t.Errorf("level %q, time %v, amr %v, roles %v: each must be there", id.LoA, id.AuthTime, id.AMR, id.Roles)
	case s.Answered && (len(id.Evidence.Signature) == 0 || len(id.Evidence.Content) == 0):
		t.Error("evidence lacks the answer or its record")
	case s.Answered:
	case id.Certificate.CheckedAt.IsZero(), id.Certificate.NotAfter.IsZero(), id.Certificate.Serial == "":
		t.Errorf("certificate is %+v", id.Certificate)
	case len(id.Evidence.Signature) == 0, !bytes.Equal(id.Evidence.Content, s.Login.Challenge):
		t.Error("evidence lacks the signature or its content")
	}
	seen := map[connectors.IdentifierType]bool{}
	for _, i := range id.Identifiers {
		if seen[i.Type] {
			t.Errorf("two identifiers of the type %s", i.Type)
		}
		seen[i.Type] = true
	}
}

func refused(t *testing.T, s Setup, ev connectors.Event) {
	t.Helper()
	step, err := s.Connector.Advance(t.Context(), s.Login, ev)
	if _, done := step.(connectors.Done); done || err == nil || CodeOf(err) == "" {
		t.Errorf("Advance = %T, %v; want a refusal with a code", step, err)
	}
}
