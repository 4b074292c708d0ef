package diia

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/diia/diiatest"
	"brama/internal/fetch"
)

// TestSessionToken: one token for all, a new one once it is refused or old, never two in a row.
func TestSessionToken(t *testing.T) {
	w := newWorld(t, setup{})
	sessions := func() int { return w.double.Count(diiatest.RouteSession) }
	ask := func() error {
		_, err := w.client.Branch(t.Context(), w.connector.cfg.Branch)
		return err
	}
	for range 3 {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	if n := sessions(); n != 1 {
		t.Fatalf("%d sessions for four calls", n)
	}
	w.double.ExpireTokens()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := ask(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := sessions(); n != 2 {
		t.Errorf("%d sessions after the token was refused to eight at once, want 2", n)
	}
	w.offset.Store(int64(sessionLife + time.Minute))
	if err := ask(); err != nil || sessions() != 3 {
		t.Errorf("an old token: %v, %d sessions", err, sessions())
	}
	// Whatever the API says to a fresh token, it is asked twice and not for ever.
	before := w.double.Count(diiatest.RouteBranch)
	w.double.SetFault(diiatest.RouteBranch, &diiatest.Fault{Status: 401, Body: []byte(`{"name":"UnauthorizedError","code":401}`)})
	var api *APIError
	if err := ask(); !errors.As(err, &api) || api.Status != 401 || api.Name != "UnauthorizedError" {
		t.Errorf("refused twice: %v", err)
	}
	if n := w.double.Count(diiatest.RouteBranch) - before; n != 2 || sessions() != 4 {
		t.Errorf("%d calls, %d sessions", n, sessions())
	}
}

// TestTokenWaitEnds: who waits for another's session call gives up with his own context.
func TestTokenWaitEnds(t *testing.T) {
	w := newWorld(t, setup{})
	w.client.session.lock <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := w.client.Branch(ctx, w.connector.cfg.Branch); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// TestOutages: a service that hangs, drips, answers garbage or too much fails the press within its limit and with one code;
// the login stays where it was, and after three failures the service is left alone (T54, T96).
func TestOutages(t *testing.T) {
	w := newWorld(t, setup{client: func(c *ClientConfig) { c.Breaker = &fetch.Breaker{Failures: 1000} }})
	usual := w.connector
	short := w.client.cfg
	short.Timeout = 150 * time.Millisecond
	hasty, err := NewClient(short)
	if err != nil {
		t.Fatal(err)
	}
	hasty.session.token, hasty.session.until = w.client.session.token, w.client.session.until
	impatient := usual.cfg
	impatient.Client = hasty
	for name, f := range map[string]diiatest.Fault{
		"hangs":     {Delay: time.Hour},
		"drips":     {Status: 200, Body: make([]byte, 4096), Drip: true},
		"garbage":   {Status: 200, Body: []byte("<html>технічні роботи</html>")},
		"10 MB":     {Status: 200, Body: bytes.Repeat([]byte(" "), 10<<20)},
		"nothing":   {Status: 200},
		"bad link":  {Status: 200, Body: []byte(`{"deeplink":"https://example.org/"}`)},
		"two":       {Status: 200, Body: []byte(`{"deeplink":"x"}{}`)},
		"redirects": {Status: 307},
		"down":      {Status: 503, Body: []byte(`{}`)},
		"forbidden": {Status: 403, Body: []byte(`{"name":"AccessDeniedError","message":"x","code":403,"data":{}}`)},
	} {
		w.double.SetFault(diiatest.RouteRequest, &f)
		w.connector = usual
		if f.Delay > 0 || f.Drip {
			if w.connector, err = New(impatient); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		step, err := w.form(t, ActionRequest)
		if codeOf(err) != CodeDown || !errors.Is(err, connectors.ErrRetry) || step != nil {
			t.Errorf("%s: %T, %v", name, step, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
	w.double.SetFault(diiatest.RouteRequest, nil)
	w.connector = usual
	if p := w.press(t); p.Phase != Waiting {
		t.Errorf("afterwards: %+v", p)
	}
}

func TestBreaker(t *testing.T) {
	w := newWorld(t, setup{})
	w.double.SetFault(diiatest.RouteRequest, &diiatest.Fault{Status: 403})
	for range 5 {
		if _, err := w.form(t, ActionRequest); codeOf(err) != CodeDown {
			t.Fatal(err)
		}
	}
	if w.connector.Down() {
		t.Error("a refusal of rights is taken for an outage")
	}
	w.double.SetFault(diiatest.RouteRequest, &diiatest.Fault{Status: 503})
	for range 3 {
		if _, err := w.form(t, ActionRequest); codeOf(err) != CodeDown {
			t.Fatal(err)
		}
	}
	asked := w.double.Count(diiatest.RouteRequest)
	if _, err := w.form(t, ActionRequest); !errors.Is(err, fetch.ErrPaused) || codeOf(err) != CodeDown {
		t.Errorf("paused: %v", err)
	}
	if !w.connector.Down() || !data(t, w.connector.Idle()).Down || w.double.Count(diiatest.RouteRequest) != asked {
		t.Error("the service is asked on, or the page does not know")
	}
	w.double.SetFault(diiatest.RouteRequest, nil)
	w.offset.Store(int64(31 * time.Second))
	if p := w.press(t); p.Phase != Waiting || w.connector.Down() {
		t.Errorf("after the pause: %+v", p)
	}
}

// TestWrongTLS: a certificate that the system does not trust is an outage, not an answer.
func TestWrongTLS(t *testing.T) {
	w := newWorld(t, setup{})
	srv := httptest.NewUnstartedServer(w.double.Handler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	cfg := w.client.cfg
	cfg.BaseURL, cfg.Breaker = srv.URL, nil
	client, err := NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := w.double.Count(diiatest.RouteSession)
	if _, err := client.Branches(t.Context()); err == nil || w.double.Count(diiatest.RouteSession) != before {
		t.Errorf("talked to a stranger: %v", err)
	}
}

// TestSetup: what is there is found and left alone, what is absent is made once, and a dry run makes nothing.
func TestSetup(t *testing.T) {
	w := newWorld(t, setup{})
	c, ctx := w.client, t.Context()
	p := plan(HashedFilesSigning)
	again, err := c.Setup(ctx, p)
	if err != nil || again.BranchCreated || again.OfferMade || again.BranchID != w.connector.cfg.Branch || again.OfferID != w.connector.cfg.Offer {
		t.Errorf("second run: %+v, %v", again, err)
	}
	p.ReturnLink = "https://other.example.org/"
	if r, err := c.Setup(ctx, p); err != nil || !r.OfferReturnLinkDiffers || r.OfferID != w.connector.cfg.Offer {
		t.Errorf("other return link: %+v, %v", r, err)
	}
	p = plan(Auth)
	if r, err := c.Setup(ctx, p); err != nil || !r.BranchScopesMissing || r.OfferID != "" {
		t.Errorf("branch without the scope: %+v, %v", r, err)
	}
	p.Branch.Name, p.DryRun = "Інша", true
	if r, err := c.Setup(ctx, p); err != nil || !r.BranchCreated || !r.OfferMade || r.BranchID != "" {
		t.Errorf("dry run: %+v, %v", r, err)
	}
	if all, err := c.Branches(ctx); err != nil || len(all) != 1 {
		t.Errorf("after the dry run: %d branches, %v", len(all), err)
	}
	p.DryRun = false
	made, err := c.Setup(ctx, p)
	if err != nil || made.BranchID == "" || made.OfferID == "" {
		t.Fatalf("made: %+v, %v", made, err)
	}
	b, err := c.Branch(ctx, made.BranchID)
	if err != nil || b.Name != "Інша" || b.Address != "Київ" || b.Scopes.DiiaID[0] != Auth {
		t.Errorf("read back: %+v, %v", b, err)
	}
	b.Scopes.DiiaID = append(b.Scopes.DiiaID, HashedFilesSigning)
	if err := c.UpdateBranch(ctx, b); err != nil {
		t.Error(err)
	}
	for range 60 { // more than one page of the list
		if _, err := c.CreateOffer(ctx, made.BranchID, Offer{Name: "ще", Scopes: Scopes{DiiaID: []Scope{HashedFilesSigning}}}); err != nil {
			t.Fatal(err)
		}
	}
	if offers, err := c.Offers(ctx, made.BranchID); err != nil || len(offers) != 61 {
		t.Errorf("%d offers, %v", len(offers), err)
	}
	for _, s := range []struct {
		branch, offer string
		scope         Scope
		want          Status
	}{
		{made.BranchID, made.OfferID, Auth, Status{true, true, true, true}},
		{made.BranchID, made.OfferID, HashedFilesSigning, Status{true, true, true, false}},
		{made.BranchID, "absent", Auth, Status{true, true, true, false}},
		{w.connector.cfg.Branch, w.connector.cfg.Offer, Auth, Status{true, true, false, false}},
		{"absent", made.OfferID, Auth, Status{Session: true}},
	} {
		if got, err := c.Status(ctx, s.branch, s.offer, s.scope); err != nil || got != s.want || got.Ready() != (s.want == Status{true, true, true, true}) {
			t.Errorf("status of %s %s %s: %+v, %v, want %+v", s.branch, s.offer, s.scope, got, err, s.want)
		}
	}
	if err := c.DeleteOffer(ctx, made.BranchID, made.OfferID); err != nil {
		t.Error(err)
	}
	if err := c.DeleteBranch(ctx, made.BranchID); err != nil {
		t.Error(err)
	}
	if got, err := c.Status(ctx, made.BranchID, made.OfferID, Auth); err != nil || got.Branch {
		t.Errorf("deleted: %+v, %v", got, err)
	}
	for _, id := range []string{"", "..", "a/b", "a?b", "дія"} {
		if _, err := c.Branch(ctx, id); err == nil {
			t.Errorf("%q stands in a path", id)
		}
	}
	cfg := c.cfg
	cfg.AuthToken = "wrong"
	stranger, err := NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := stranger.Status(ctx, made.BranchID, made.OfferID, Auth); err == nil || got.Session {
		t.Errorf("wrong tokens: %+v, %v", got, err)
	}
}
