package diia

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/connectors/diia/diiatest"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/qestest"
)

// counting is a validator that is counted.
type counting struct {
	*qes.Validator
	calls atomic.Int32
}

func (c *counting) Verify(ctx context.Context, signature, content []byte) (*qes.Result, error) {
	c.calls.Add(1)
	return c.Validator.Verify(ctx, signature, content)
}

// index is an Index in memory.
type index struct{ sync.Map }

func (i *index) Put(_ context.Context, id, login string, _ time.Time) error {
	i.Store(id, login)
	return nil
}

func (i *index) Get(_ context.Context, id string) (string, error) {
	if login, ok := i.Load(id); ok {
		return login.(string), nil
	}
	return "", errors.New("not found")
}

// A world is the connector between the double and a notification address that does what authflow does.
type world struct {
	*connectortest.Authority
	double    *diiatest.Server
	client    *Client
	connector *Connector
	verifier  *counting
	offset    atomic.Int64 // of the clock

	mu       sync.Mutex
	login    connectors.Login
	events   []connectors.Event
	outcomes []error
	done     []connectors.Identity
	drop     bool // take the event, judge nothing
	faults   int  // how many events are answered 500
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.offset.Load())) }

// a setup is what differs between worlds.
type setup struct {
	scope     Scope
	algorithm Algorithm
	client    func(*ClientConfig)
	config    func(*Config)
	double    func(*diiatest.Config)
}

func newWorld(t testing.TB, s setup) *world {
	t.Helper()
	w := &world{Authority: connectortest.NewAuthority(t, func(c *qestest.Config) { c.Diia = true })}
	w.verifier = &counting{Validator: w.Validator}
	srv := httptest.NewUnstartedServer(nil)
	base := "http://" + srv.Listener.Addr().String()
	callback := httptest.NewServer(http.HandlerFunc(w.callback))
	t.Cleanup(callback.Close)
	dc := diiatest.Config{BaseURL: base, Callback: callback.URL, Provider: w.Provider, Now: w.now}
	if s.double != nil {
		s.double(&dc)
	}
	var err error
	if w.double, err = diiatest.New(dc); err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler = w.double.Handler()
	srv.Start()
	t.Cleanup(srv.Close)
	t.Cleanup(w.double.Close)
	out, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	cc := ClientConfig{BaseURL: base, AcquirerToken: diiatest.AcquirerToken, AuthToken: diiatest.AuthToken, Do: out, PlainHTTP: true,
		LinkOrigins: []string{base}, Now: w.now}
	if s.client != nil {
		s.client(&cc)
	}
	if w.client, err = NewClient(cc); err != nil {
		t.Fatal(err)
	}
	if s.scope == "" {
		s.scope = HashedFilesSigning
	}
	made, err := w.client.Setup(t.Context(), plan(s.scope))
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Client: w.client, Verifier: w.verifier, Branch: made.BranchID, Offer: made.OfferID, Scope: s.scope, Algorithm: s.algorithm,
		Index: &index{}, Issuers: []string{qestest.DiiaEDRPOU}, Now: w.now}
	if s.config != nil {
		s.config(&c)
	}
	if w.connector, err = New(c); err != nil {
		t.Fatal(err)
	}
	w.login = connectortest.Login(t, Method)
	w.login.Portal, w.login.ReturnURL = "Електронний кабінет", "https://id.example.gov.ua/login/x/diia/return"
	return w
}

func plan(scope Scope) Plan {
	return Plan{Offer: "Вхід", Scope: scope, ReturnLink: "https://id.example.gov.ua/", Branch: Branch{
		Name: "Brama", FullName: "Brama", Address: "Київ", Email: "a@example.org", Region: "м. Київ", District: "Київ", Location: "Київ",
		Street: "Тестова", House: "1",
	}}
}

// callback is the notification address: what authflow does with an event, without its store.
func (w *world) callback(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, connectors.MaxEventBody))
	if err != nil {
		http.Error(rw, "", http.StatusRequestEntityTooLarge)
		return
	}
	ev := connectors.Event{Via: connectors.ViaNotify, Header: r.Header.Clone(), Body: body}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, ev)
	if w.drop {
		return
	}
	if w.faults > 0 {
		w.faults--
		http.Error(rw, "", http.StatusInternalServerError)
		return
	}
	err = w.judge(r.Context(), ev)
	w.outcomes = append(w.outcomes, err)
	contentType, answer := w.connector.Reply(err)
	rw.Header().Set("Content-Type", contentType)
	rw.Write(answer)
}

// judge is one notification; w.mu is held.
func (w *world) judge(ctx context.Context, ev connectors.Event) error {
	id, err := w.connector.LoginOf(ev)
	if err != nil {
		return err
	}
	if id != w.login.ID {
		return errors.New("unknown login")
	}
	step, err := w.connector.Advance(ctx, w.login, ev)
	if err != nil {
		return err
	}
	w.done = append(w.done, step.(connectors.Done).Identity)
	return nil
}

func (w *world) form(t testing.TB, action string) (connectors.Step, error) {
	t.Helper()
	return w.connector.Advance(t.Context(), w.login, connectors.Event{Via: connectors.ViaForm, Values: url.Values{"action": {action}}})
}

func (w *world) poll(t testing.TB) PageData {
	t.Helper()
	step, err := w.connector.Advance(t.Context(), w.login, connectors.Event{Via: connectors.ViaPoll})
	if err != nil {
		t.Fatalf("poll: %v", err)
	}
	return data(t, step)
}

func data(t testing.TB, step connectors.Step) PageData {
	t.Helper()
	switch s := step.(type) {
	case connectors.Wait:
		return s.Page.Data.(PageData)
	case connectors.Page:
		return s.Data.(PageData)
	}
	t.Fatalf("step is %T", step)
	return PageData{}
}

// press asks for a code and keeps the state, as authflow does.
func (w *world) press(t testing.TB) PageData {
	t.Helper()
	step, err := w.form(t, ActionRequest)
	if err != nil {
		t.Fatalf("press: %v", err)
	}
	wait, ok := step.(connectors.Wait)
	if !ok || wait.Page.Name != "diia" || wait.Every != 2*time.Second {
		t.Fatalf("press gives %#v", step)
	}
	w.keep(wait.Page.State)
	return data(t, step)
}

func (w *world) keep(state []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.login.State = bytes.Clone(state)
}

// act lets the person with the telephone do something with the request of p.
func (w *world) act(t testing.TB, p PageData, a diiatest.Action, who string) []diiatest.Reply {
	t.Helper()
	replies, err := w.double.Act(t.Context(), p.Link, a, who)
	if err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	return replies
}

// last is the outcome of the last notification, which was the n-th.
func (w *world) last(t testing.TB, n int) error {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.outcomes) != n {
		t.Fatalf("%d notifications came, want %d", len(w.outcomes), n)
	}
	return w.outcomes[n-1]
}

// capture returns the event that an action brings, unjudged.
func (w *world) capture(t testing.TB, p PageData, a diiatest.Action, who string) connectors.Event {
	t.Helper()
	w.mu.Lock()
	w.drop = true
	w.mu.Unlock()
	w.act(t, p, a, who)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop = false
	return w.events[len(w.events)-1]
}

func codeOf(err error) string {
	var r *connectors.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}
