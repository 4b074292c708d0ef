package diia

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/connectors/diia/diiatest"
	"brama/internal/fetch"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
)

// write makes a notification by hand.
func write(trace, action, encodeData string) connectors.Event {
	const b = "frontier"
	return connectors.Event{Via: connectors.ViaNotify, Header: http.Header{
		"Content-Type": {"multipart/mixed; boundary=" + b}, headerTrace: {trace}, headerAction: {action},
	}, Body: []byte("--" + b + "\r\nContent-Disposition: form-data; name=\"encodeData\"\r\n\r\n" + encodeData + "\r\n--" + b + "--\r\n")}
}

// encode is encodeData of the scope hashedFilesSigning.
func encode(signature []byte) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"signedItems":[{"name":"x.txt","signature":%q}]}`, base64.StdEncoding.EncodeToString(signature)))
}

func (w *world) requestID(t testing.TB) string {
	t.Helper()
	r, err := readState(w.login.State)
	if err != nil || r == nil {
		t.Fatalf("no request: %v", err)
	}
	return r.ID
}

// TestNotifyOrder: no notification that could be refused for less comes to a signature (T43).
func TestNotifyOrder(t *testing.T) {
	w := newWorld(t, setup{})
	p := w.press(t)
	good := w.capture(t, p, diiatest.Approve, "")
	id := w.requestID(t)
	calls := func(ev connectors.Event) int32 {
		w.mu.Lock()
		defer w.mu.Unlock()
		before := w.verifier.calls.Load()
		if err := w.judge(t.Context(), ev); err == nil {
			t.Error("accepted")
		}
		return w.verifier.calls.Load() - before
	}
	with := func(change func(*connectors.Event)) connectors.Event {
		ev := good
		ev.Header = good.Header.Clone()
		change(&ev)
		return ev
	}
	set := func(name, value string) func(*connectors.Event) {
		return func(ev *connectors.Event) { ev.Header.Set(name, value) }
	}
	cheap := map[string]connectors.Event{
		"no trace id":      with(func(ev *connectors.Event) { ev.Header.Del(headerTrace) }),
		"two trace ids":    with(func(ev *connectors.Event) { ev.Header.Add(headerTrace, id) }),
		"unknown trace id": with(set(headerTrace, "BBBBBBBBBBBBBBBBBBBBBB"+id[len(w.login.ID):])),
		"guessed trace id": with(set(headerTrace, w.login.ID+"."+base64.RawURLEncoding.EncodeToString(make([]byte, 32)))),
		"login id alone":   with(set(headerTrace, w.login.ID)),
		"other type":       with(set("Content-Type", "application/json")),
		"no boundary":      with(set("Content-Type", "multipart/mixed")),
		"other action":     with(set(headerAction, "auth")),
		"sharing":          with(func(ev *connectors.Event) { ev.Header.Del(headerAction) }),
		"too large":        with(func(ev *connectors.Event) { ev.Body = make([]byte, connectors.MaxEventBody+1) }),
	}
	for name, ev := range cheap {
		if n := calls(ev); n != 0 {
			t.Errorf("%s: %d verifications", name, n)
		}
	}
	w.offset.Store(int64(life + grace + time.Second))
	if n := calls(good); n != 0 {
		t.Errorf("too late: %d verifications", n)
	}
	w.offset.Store(0)
	state := w.login.State
	w.keep(nil)
	if n := calls(good); n != 0 {
		t.Errorf("nothing waits: %d verifications", n)
	}
	w.keep(state)
	if n := calls(write(id, "hashedFilesSigning", encode([]byte{0x30, 0}))); n != 1 {
		t.Errorf("the counter does not count: %d", n)
	}
}

// TestForgedNotifyLeavesLoginAlive: whoever has seen the QR code sends what he wants, many at once, and the person still
// signs in (T44).
func TestForgedNotifyLeavesLoginAlive(t *testing.T) {
	w := newWorld(t, setup{})
	p := w.press(t)
	id := w.requestID(t)
	stranger := w.Person(t, nil)
	good := w.capture(t, p, diiatest.Approve, "")
	// A key that somebody lost long ago, of another provider: its signature is over this very challenge.
	lost := w.Person(t, func(r *qestest.Request) { r.Status = qestest.Revoked })
	forged := []connectors.Event{
		write(id, "hashedFilesSigning", encode([]byte("x"))),
		write(id, "hashedFilesSigning", encode(connectortest.Sign(t, lost, w.login.Challenge, ""))),
		write(id, "hashedFilesSigning", encode(connectortest.Sign(t, stranger, []byte("інший текст"), ""))),
		write(id, "hashedFilesSigning", ""),
		write(id, "auth", encode(nil)),
		w.capture(t, p, diiatest.WrongHash, ""),
	}
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			if step, err := w.connector.Advance(t.Context(), w.login, forged[i%len(forged)]); err == nil || errors.Is(err, connectors.ErrAuthentic) {
				t.Errorf("forged notification %d gives %T, %v", i%len(forged), step, err)
			}
		})
	}
	wg.Wait()
	if w.poll(t) != p {
		t.Error("the page shows another state")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.judge(t.Context(), good); err != nil {
		t.Errorf("after the flood: %v", err)
	}
}

// TestSignatureOfOtherProviderRefused: a signature over this very challenge by a key in a file, or by a program of ours, was
// asked for by another way (T3).
func TestSignatureOfOtherProviderRefused(t *testing.T) {
	w := newWorld(t, setup{})
	w.press(t)
	id := w.requestID(t)
	person := w.Person(t, nil)
	seal := w.Person(t, func(r *qestest.Request) {
		r.Authority, r.Kind, r.Organization, r.EDRPOU, r.RNOKPP = qestest.Diia, qestest.Seal, "ТОВ «Тест»", "12345678", ""
	})
	for name, c := range map[string]struct {
		signature []byte
		code      string
	}{
		"key in a file":    {connectortest.Sign(t, person, w.login.Challenge, ""), "SIG_INVALID"},
		"login by a file":  {connectortest.Sign(t, person, w.login.Challenge, cms.PurposeLogin), "SIG_INVALID"},
		"seal of provider": {connectortest.Sign(t, seal, w.login.Challenge, ""), "CERT_SEAL"},
	} {
		_, err := w.connector.Advance(t.Context(), w.login, write(id, "hashedFilesSigning", encode(c.signature)))
		if codeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

// TestCrossedEvents: what was signed for one login is nothing for another, whatever trace id it comes under (T4, T45).
func TestCrossedEvents(t *testing.T) {
	w := newWorld(t, setup{})
	good := w.capture(t, w.press(t), diiatest.Approve, "")
	mine := w.login
	w.login.ID = "CCCCCCCCCCCCCCCCCCCCCC"
	w.login.Challenge = bytes.Replace(mine.Challenge, []byte(mine.ID), []byte(w.login.ID), 1)
	w.keep(nil)
	w.press(t)
	if id, err := w.connector.LoginOf(good); err != nil || id != mine.ID {
		t.Errorf("LoginOf = %q, %v", id, err)
	}
	if _, err := w.connector.Advance(t.Context(), w.login, good); codeOf(err) != codeUnknown {
		t.Errorf("under the first trace id: %v", err)
	}
	good.Header = good.Header.Clone()
	good.Header.Set(headerTrace, w.requestID(t))
	if _, err := w.connector.Advance(t.Context(), w.login, good); codeOf(err) != "SIG_INVALID" {
		t.Errorf("under the second: %v", err)
	}
}

// TestDigestOfOtherAlgorithm: SHA-256 signed under the name of ГОСТ 34.311, as a sample of the PHP SDK has it, is refused
// (T11).
func TestDigestOfOtherAlgorithm(t *testing.T) {
	w := newWorld(t, setup{})
	link, err := w.client.CreateRequest(t.Context(), SigningRequest{Branch: w.connector.cfg.Branch, Offer: w.connector.cfg.Offer,
		Scope: HashedFilesSigning, Algorithm: DSTU, ID: "x", FileName: "x.txt", Hash: ECDSA.Digest(w.login.Challenge)})
	if err != nil {
		t.Fatal(err)
	}
	signed := w.capture(t, PageData{Link: link}, diiatest.Approve, "")
	w.press(t)
	signed.Header.Set(headerTrace, w.requestID(t))
	if _, err := w.connector.Advance(t.Context(), w.login, signed); codeOf(err) != "SIG_INVALID" {
		t.Errorf("%v", err)
	}
}

// TestNoSecretInLogs: neither token stands in an error, in a value that is printed, or in what a failed call leaves (T46).
func TestNoSecretInLogs(t *testing.T) {
	w := newWorld(t, setup{client: func(c *ClientConfig) { c.Breaker = &fetch.Breaker{Failures: 1000} }})
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	note := func(err error) {
		if err == nil {
			t.Error("no error to look into")
			return
		}
		log.Error("failed", "err", err)
		for ; err != nil; err = errors.Unwrap(err) {
			fmt.Fprintf(&out, "%+v %#v\n", err, err)
		}
	}
	session := w.client.session.token
	echo := []byte(`{"name":"` + diiatest.AuthToken + `","message":"` + diiatest.AcquirerToken + `","code":500}`)
	for _, route := range []string{diiatest.RouteSession, diiatest.RouteRequest} {
		for _, f := range []diiatest.Fault{{Status: 500, Body: echo}, {Status: 200, Body: echo}, {Status: 401, Body: echo}, {Status: 302}, {Status: 200, Body: make([]byte, maxAnswer+1)}} {
			w.double.SetFault(route, &f)
			if route == diiatest.RouteSession {
				w.client.session.token = ""
			}
			_, err := w.form(t, ActionRequest)
			note(err)
		}
		w.double.SetFault(route, nil)
	}
	for _, change := range []func(*ClientConfig){
		func(c *ClientConfig) { c.BaseURL = "http://127.0.0.1:1" },
		func(c *ClientConfig) { c.BaseURL = "http://10.0.0.1" },
		func(c *ClientConfig) { c.BaseURL = strings.Replace(c.BaseURL, "http", "https", 1) },
		func(c *ClientConfig) { c.Timeout = time.Nanosecond },
	} {
		cfg := w.client.cfg
		change(&cfg)
		client, err := NewClient(cfg)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Status(t.Context(), "b", "o", Auth)
		note(err)
		log.Info("configuration", "client", cfg.AcquirerToken, "all", fmt.Sprintf("%v %+v %#v", cfg.AcquirerToken, cfg, cfg.AuthToken))
		b, err := json.Marshal(map[string]any{"a": cfg.AcquirerToken, "b": cfg.AuthToken})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	for _, secret := range []string{diiatest.AcquirerToken, diiatest.AuthToken, string(session)} {
		if secret == "" || strings.Contains(out.String(), secret) {
			t.Errorf("secret %q… is in the log", secret[:min(8, len(secret))])
		}
	}
}

// TestUpstreamURLList: only a link of a listed origin comes to the page, and only one that reads the same everywhere (T54).
func TestUpstreamURLList(t *testing.T) {
	origins := []string{"https://diia.app"}
	for link, want := range map[string]bool{
		"https://diia.app/acquirers/branch/1/offer/2/dynamic/3?requestId=a%2Bb%3D": true,
		"https://diia.app/":                                true,
		"https://diia.app":                                 false,
		"http://diia.app/x":                                false,
		"https://diia.app.example.org/x":                   false,
		"https://diia.app@example.org/x":                   false,
		"https://example.org/https://diia.app/":            false,
		"https://diia.app:8443/x":                          false,
		"HTTPS://DIIA.APP/x":                               false,
		"javascript:alert(1)//https://diia.app/":           false,
		"data:text/html,x":                                 false,
		"//diia.app/x":                                     false,
		"https://diia.app/x#y":                             false,
		"https://diia.app/\" onclick=":                     false,
		"https://diia.app\\@example.org/":                  false,
		"https://diia.app/\r\nx":                           false,
		"https://diia.app/дія":                             false,
		"https://diia.app/" + strings.Repeat("x", maxLink): false,
		"": false,
	} {
		b, err := json.Marshal(map[string]string{"deeplink": link})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseLink(b, origins); (err == nil) != want || want && got != link {
			t.Errorf("%q gives %q, %v, want %v", link, got, err, want)
		}
		if got, err := parseLink(append(b, "{}"...), origins); err == nil {
			t.Errorf("two values give %q", got)
		}
	}
}

// TestRequestIDIsNoRight: the id, which the telephone and the provider know, opens nothing but the door to the checks (T45).
func TestRequestIDIsNoRight(t *testing.T) {
	w := newWorld(t, setup{})
	w.press(t)
	id := w.requestID(t)
	_, secret, _ := strings.Cut(id, ".")
	if b, err := base64.RawURLEncoding.DecodeString(secret); err != nil || len(b) != 32 {
		t.Errorf("the id has %d octets of chance", len(b))
	}
	for _, via := range []connectors.Via{connectors.ViaReturn, connectors.ViaForm} {
		if step, err := w.connector.Advance(t.Context(), w.login, connectors.Event{Via: via, Values: map[string][]string{"requestId": {id}}}); err == nil {
			t.Errorf("way %d: %T", via, step)
		}
	}
	if p := w.poll(t); strings.Contains(fmt.Sprintf("%+v", p), secret) {
		t.Error("the page shows the id")
	}
}

func enc(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
