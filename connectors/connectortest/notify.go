package connectortest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"brama/connectors"
)

// notified checks what is promised of events without a browser: they name their login, a false one is refused without a
// trace, and the provider learns nothing of the reason.
func notified(t *testing.T, s Setup) {
	n, ok := s.Connector.(connectors.Notified)
	if !ok || s.Good.Via != connectors.ViaNotify {
		t.Skip("the connector is not notified")
	}
	if id, err := n.LoginOf(s.Good); err != nil || id != s.Login.ID {
		t.Errorf("LoginOf = %q, %v, want %q", id, err, s.Login.ID)
	}
	for name, ev := range spoilt(s.Good) {
		state := bytes.Clone(s.Login.State)
		if id, err := n.LoginOf(ev); err == nil && id == s.Login.ID || err != nil {
			// It reaches the login, or nobody's: either way it must not pass.
			refused(t, s, ev)
		} else {
			t.Errorf("%s: LoginOf names another login, %q", name, id)
		}
		if !bytes.Equal(state, s.Login.State) {
			t.Errorf("%s: the state was written to", name)
		}
	}
	checkDone(t, s) // and the good one passes after all of them
	other := s
	other.Login.ID = strings.Repeat("B", len(s.Login.ID))
	other.Login.State = nil
	refused(t, other, s.Good)
	const secret = "what happened inside"
	for _, err := range []error{nil, errors.New(secret)} {
		contentType, body := n.Reply(err)
		if contentType == "" || len(body) == 0 || bytes.Contains(body, []byte(secret)) {
			t.Errorf("Reply(%v) = %q, %q", err, contentType, body)
		}
	}
	_, good := n.Reply(nil)
	if _, bad := n.Reply(errors.New(secret)); bytes.Equal(good, bad) {
		t.Error("the provider cannot tell the outcomes apart")
	}
}

// spoilt are events that resemble a good notification.
func spoilt(good connectors.Event) map[string]connectors.Event {
	with := func(change func(*connectors.Event)) connectors.Event {
		ev := good
		ev.Header, ev.Body = good.Header.Clone(), bytes.Clone(good.Body)
		change(&ev)
		return ev
	}
	return map[string]connectors.Event{
		"no headers": with(func(ev *connectors.Event) { ev.Header = nil }),
		"no body":    with(func(ev *connectors.Event) { ev.Body = nil }),
		"half":       with(func(ev *connectors.Event) { ev.Body = ev.Body[:len(ev.Body)/2] }),
		"oversized": with(func(ev *connectors.Event) {
			ev.Body = append(ev.Body, make([]byte, connectors.MaxEventBody)...)
		}),
		"garbage": with(func(ev *connectors.Event) { ev.Body = bytes.Repeat([]byte{0xff}, 1024) }),
	}
}
