package authflow

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"brama/provider/oauth"
	"brama/provider/session"
)

func ticketFlow(t testing.TB) *Flow {
	t.Helper()
	sealer, err := session.NewSealer(nil, bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &Flow{Config: Config{Sealer: sealer}}
}

// portalRequest is what a portal asks, with so many characters of state.
func portalRequest(state int) *oauth.AuthorizeRequest {
	s := strings.Repeat("s0", state/2)
	return &oauth.AuthorizeRequest{ClientID: "cabinet", RedirectURI: "https://cabinet.example.gov.ua/oidc/callback", State: s,
		Scopes: []string{"openid", "profile"}, RequestedAt: time.Now().UTC(), Nonce: "n-0S6_WzA2Mj", Challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}
}

func TestTicketComesBackWhole(t *testing.T) {
	f := ticketFlow(t)
	now := time.Now().UTC()
	for name, want := range map[string]ticket{
		"usual":   {ID: newID(), Client: "cabinet", Created: now, Expires: now.Add(loginLife), Request: portalRequest(32)},
		"long":    {ID: newID(), Client: "cabinet", Created: now, Expires: now.Add(loginLife), Request: portalRequest(2000)},
		"stored":  {ID: newID(), Client: "cabinet", Created: now, Expires: now.Add(loginLife), Lang: "en", Longer: 3, Other: true},
		"pushed":  {ID: newID(), Client: "cabinet", Created: now, Expires: now.Add(loginLife), Pushed: "urn:x", At: now},
		"nothing": {Expires: now.Add(loginLife)},
	} {
		value, err := f.sealTicket(want)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := f.openTicket(value)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
		if len(value) > maxTicket {
			t.Errorf("%s: cookie of %d characters", name, len(value))
		}
		if name == "long" && len(value) > 2000 {
			t.Errorf("a long request was not compressed: %d characters", len(value))
		}
	}
}

func TestTicketThatDoesNotFit(t *testing.T) {
	f := ticketFlow(t)
	req := portalRequest(0)
	for range 400 {
		req.LoginHint += newID() // nothing to compress
	}
	if _, err := f.sealTicket(ticket{Expires: time.Now().Add(time.Hour), Request: req}); !errors.Is(err, errTicketTooLong) {
		t.Errorf("error %v, want errTicketTooLong", err)
	}
}

// A ticket of another version of ours, or of none, does not open as something else.
func TestTicketOfAnotherForm(t *testing.T) {
	f := ticketFlow(t)
	whole, err := (&ticket{ID: newID(), Request: portalRequest(32)}).pack()
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"empty": {}, "unknown": {99}, "cut": whole[:len(whole)-1], "longer": append(bytes.Clone(whole), 0),
		"no flate": append([]byte{ticketDeflated}, whole...), "json": []byte(`{"ID":"x"}`),
	} {
		if got, err := f.openTicket(f.Sealer.SealBytes(ticketPurpose, b, time.Now().Add(time.Hour))); err == nil {
			t.Errorf("%s opens: %+v", name, got)
		}
	}
}

func BenchmarkTicket(b *testing.B) {
	f := ticketFlow(b)
	t := ticket{ID: newID(), Client: "cabinet", Created: time.Now(), Expires: time.Now().Add(time.Hour), Request: portalRequest(32)}
	b.ReportAllocs()
	for b.Loop() {
		value, err := f.sealTicket(t)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.openTicket(value); err != nil {
			b.Fatal(err)
		}
	}
}
