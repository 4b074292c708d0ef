package returntest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/connectors/internal/upstream"
)

// NoSecretInLogs checks that no error, which is what a log gets, holds the secret, the code, anything of the person or one of
// words (threat T46): after each of the choices, and when nobody answers at the address that move sets.
func (b *Bench[D, C, S]) NoSecretInLogs(t *testing.T, choices []url.Values, move func(config *S, base string), words ...string) {
	t.Helper()
	var text strings.Builder
	for _, v := range choices {
		l, ev := b.Walk(b.Login(), v)
		id, err := b.Advance(t.Context(), l, ev)
		fmt.Fprintf(&text, "%v %+v %#v %v\n", err, err, err, id.Identifiers)
		if code := ev.Values.Get("code"); code != "" && strings.Contains(text.String(), code) {
			t.Errorf("%v: the code stands in %q", v, err)
		}
	}
	dead := b.Config
	gone := httptest.NewServer(http.NotFoundHandler())
	move(&dead, gone.URL)
	gone.Close()
	l, ev := b.Walk(b.Login(), nil)
	b.SetClient(dead)
	_, err := b.Advance(t.Context(), l, ev)
	fmt.Fprintln(&text, err)
	for _, word := range append(words, Secret, "client_secret", "12345", "Тестенко", "3000199999", ev.Values.Get("code"), ev.Values.Get("state")) {
		if strings.Contains(text.String(), word) {
			t.Errorf("%q stands in an error", word)
		}
	}
}

// CallbackMatrix checks that a return is taken by the login and the connector that it belongs to, and by no other (threat
// T50). other is the method of another connector.
func (b *Bench[D, C, S]) CallbackMatrix(t *testing.T, other string) {
	mine, ev := b.Walk(b.Login(), nil)
	if !b.Client.Spends(mine, ev) {
		t.Error("the login does not know its return")
	}
	if id, err := b.Client.LoginOf(ev); err != nil || id != mine.ID {
		t.Errorf("LoginOf = %q, %v", id, err)
	}
	another := b.Login()
	another.ID = strings.Repeat("B", len(mine.ID))
	anotherBegun, anotherEvent := b.Walk(another, nil)
	stolen := another
	stolen.State = mine.State
	foreign, err := json.Marshal(upstream.Journey{Method: other, State: ev.Values.Get("state")})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := mine
	elsewhere.State = foreign
	again, _ := b.Walk(mine, nil)
	without := connectors.Event{Via: connectors.ViaReturn, Values: url.Values{"code": ev.Values["code"]}}
	twice := connectors.Event{Via: connectors.ViaReturn, Values: url.Values{"code": ev.Values["code"], "state": {ev.Values.Get("state"), "x"}}}
	for what, v := range map[string]struct {
		login connectors.Login
		ev    connectors.Event
	}{
		"another login's return":       {anotherBegun, ev},
		"this login, other's return":   {mine, anotherEvent},
		"another login with the state": {stolen, ev},
		"another connector's journey":  {elsewhere, ev},
		"an older journey":             {again, ev},
		"no journey":                   {b.Login(), ev},
		"no state":                     {mine, without},
		"state twice":                  {mine, twice},
		"as a form":                    {mine, connectors.Event{Via: connectors.ViaForm, Values: ev.Values}},
		"as a notification":            {mine, connectors.Event{Via: connectors.ViaNotify, Values: ev.Values}},
	} {
		if _, err := b.Advance(t.Context(), v.login, v.ev); codeOf(err) != "TX_UNKNOWN" {
			t.Errorf("%s: %v", what, err)
		}
		if b.Client.Spends(v.login, v.ev) {
			t.Errorf("%s: spends the state", what)
		}
		if n := b.Double.Asked(b.system.Token.Path); n != 0 {
			t.Fatalf("%s: the code left for the token endpoint", what)
		}
	}
	if id, err := b.Advance(t.Context(), mine, ev); err != nil || id.Name != connectortest.PersonName {
		t.Errorf("after all of them the right one: %v", err)
	}
}
