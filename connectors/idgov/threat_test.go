package idgov

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"brama/connectors"
	"brama/connectors/idgov/idgovtest"
	"brama/connectors/internal/upstream"
	"brama/connectors/internal/upstreamtest"
)

// TestNoSecretInLogs: no call carries a parameter in its address, and no error, which is what a log gets, holds the secret,
// the code, a token or anything of the person (threat T46).
func TestNoSecretInLogs(t *testing.T) {
	b := newBench(t, nil)
	var text strings.Builder
	for _, v := range []url.Values{
		nil, set("outcome", idgovtest.Error200), set("outcome", idgovtest.Error401), set("outcome", idgovtest.BadClient),
		set("outcome", idgovtest.Clear), set("outcome", idgovtest.Development), set("outcome", idgovtest.NotAttribute),
		set("outcome", upstreamtest.FaultBig), set("outcome", upstreamtest.FaultDown), set("person", "noname"), set("person", "nonumber"),
	} {
		l, ev := b.walk(login(t), v)
		id, err := b.advance(t.Context(), l, ev)
		fmt.Fprintf(&text, "%v %+v %#v %v\n", err, err, err, id.Identifiers)
		if code := ev.Values.Get("code"); code != "" && strings.Contains(text.String(), code) {
			t.Errorf("%v: the code stands in %q", v, err)
		}
	}
	dead := b.config
	gone := httptest.NewServer(http.NotFoundHandler())
	dead.BaseURL = gone.URL
	gone.Close()
	l, ev := b.walk(login(t), nil)
	b.setClient(dead)
	_, err := b.advance(t.Context(), l, ev)
	fmt.Fprintln(&text, err)
	for _, word := range []string{secret, "client_secret", "access_token=", "12345", "Тестенко", "3000199999", ev.Values.Get("code"), ev.Values.Get("state")} {
		if strings.Contains(text.String(), word) {
			t.Errorf("%q stands in an error", word)
		}
	}
	if got := b.double.InQuery(); len(got) > 0 {
		t.Errorf("parameters in the address of %v", got)
	}
}

// TestClearAnswerRefused: attributes in clear, or JSON in the place of the envelope, are no answer (threat T47).
func TestClearAnswerRefused(t *testing.T) {
	b := newBench(t, nil)
	for _, outcome := range []string{idgovtest.Clear, idgovtest.Development} {
		if id, err := b.try(set("outcome", outcome)); codeOf(err) != "UPSTREAM_INVALID" || id.Name != "" {
			t.Errorf("%s: %v", outcome, err)
		}
	}
}

// TestEnvelopeByStranger: an envelope proves nothing about its maker. Unsigned it gives substantial at most, whatever it says
// of a device; signed by anybody but the system it is refused (threat T47).
func TestEnvelopeByStranger(t *testing.T) {
	b := newBench(t, nil)
	b.pinned()
	id, err := b.try(set("outcome", idgovtest.Device, "form", "plain"))
	if err != nil || id.LoA != connectors.Substantial || !bytes.Contains(id.Evidence.Content, []byte(`"signed":false`)) {
		t.Errorf("unsigned: level %s, record %s, %v", id.LoA, id.Evidence.Content, err)
	}
	for _, outcome := range []string{idgovtest.Stranger, idgovtest.Official, idgovtest.BadSignature} {
		if id, err := b.try(set("outcome", outcome)); codeOf(err) != "UPSTREAM_INVALID" || id.Name != "" {
			t.Errorf("%s: %v", outcome, err)
		}
	}
	// Without a known signer a good signature of somebody is no more than none.
	c := b.config
	c.Signers = nil
	b.setClient(c)
	if id, err := b.try(set("outcome", idgovtest.Device, "form", "signed")); err != nil || id.LoA != connectors.Substantial {
		t.Errorf("signer not known: %s, %v", id.LoA, err)
	}
	for _, outcome := range []string{idgovtest.Stranger, idgovtest.BadSignature} {
		if _, err := b.try(set("outcome", outcome)); codeOf(err) != "UPSTREAM_INVALID" {
			t.Errorf("%s, signer not known: %v", outcome, err)
		}
	}
}

// TestEnvelopeOracleUniform: whatever is wrong with an envelope, the person is told one thing, and where the key had a part
// the operator is too (threat T49).
func TestEnvelopeOracleUniform(t *testing.T) {
	b := newBench(t, nil)
	_, ev := b.walk(login(t), nil)
	tok, err := b.client.token(t.Context(), ev.Values.Get("code"), returnURL)
	if err != nil {
		t.Fatal(err)
	}
	good, err := b.client.userInfo(t.Context(), tok, b.config.Keys[0].Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	asked := []string{DigSign}
	if _, err := b.client.identify(t.Context(), good, tok, asked); err != nil {
		t.Fatal(err)
	}
	point := bytes.Index(good, []byte{0x04, 33}) // the ephemeral point: an OCTET STRING of 33 octets
	if point < 0 {
		t.Fatal("the envelope has another form")
	}
	key := point + 35 + bytes.Index(good[point+35:], []byte{0x04, 44}) // the wrapped content key
	texts := map[string]bool{}
	for what, at := range map[string]int{
		"point": point + 10, "point's last bit": point + 34, "key": key + 2, "key's middle": key + 25, "key's check value": key + 45,
	} {
		bad := bytes.Clone(good)
		bad[at] ^= 1
		_, err := b.client.identify(t.Context(), bad, tok, asked)
		if codeOf(err) != "UPSTREAM_INVALID" {
			t.Errorf("%s: %v", what, err)
			continue
		}
		texts[err.Error()] = true
	}
	zero := bytes.Clone(good)
	clear(zero[point+2 : point+35]) // x = 0, a point of order two
	if _, err := b.client.identify(t.Context(), zero, tok, asked); err == nil {
		t.Error("a point of order two was taken")
	} else {
		texts[err.Error()] = true
	}
	if len(texts) != 1 {
		t.Errorf("failures behind the key are told apart: %v", texts)
	}
	for n := range good {
		bad := bytes.Clone(good)
		bad[n] ^= 0x40
		id, err := b.client.identify(t.Context(), bad, tok, asked)
		if err == nil && n < key+46 {
			t.Errorf("octet %d was changed and %s signed in", n, id.Name)
		}
	}
}

// TestCallbackMatrix, this side: a return is taken by the login and the connector that it belongs to, and by no other
// (threat T50).
func TestCallbackMatrix(t *testing.T) {
	b := newBench(t, func(d *idgovtest.Config, _ *Config) { d.Reusable = true })
	mine, ev := b.walk(login(t), nil)
	if !b.client.Spends(mine, ev) {
		t.Error("the login does not know its return")
	}
	if id, err := b.client.LoginOf(ev); err != nil || id != mine.ID {
		t.Errorf("LoginOf = %q, %v", id, err)
	}
	other := login(t)
	other.ID = strings.Repeat("B", len(mine.ID))
	otherBegun, otherEvent := b.walk(other, nil)
	stolen := other
	stolen.State = mine.State
	foreign, err := json.Marshal(upstream.Journey{Method: "bankid", State: ev.Values.Get("state")})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := mine
	elsewhere.State = foreign
	again, _ := b.walk(mine, nil)
	without := connectors.Event{Via: connectors.ViaReturn, Values: url.Values{"code": ev.Values["code"]}}
	twice := connectors.Event{Via: connectors.ViaReturn, Values: url.Values{"code": ev.Values["code"], "state": {ev.Values.Get("state"), "x"}}}
	for what, v := range map[string]struct {
		login connectors.Login
		ev    connectors.Event
	}{
		"another login's return":       {otherBegun, ev},
		"this login, other's return":   {mine, otherEvent},
		"another login with the state": {stolen, ev},
		"another connector's journey":  {elsewhere, ev},
		"an older journey":             {again, ev},
		"no journey":                   {login(t), ev},
		"no state":                     {mine, without},
		"state twice":                  {mine, twice},
		"as a form":                    {mine, connectors.Event{Via: connectors.ViaForm, Values: ev.Values}},
		"as a notification":            {mine, connectors.Event{Via: connectors.ViaNotify, Values: ev.Values}},
	} {
		asked := b.double.Asked("/get-access-token")
		if _, err := b.advance(t.Context(), v.login, v.ev); codeOf(err) != "TX_UNKNOWN" {
			t.Errorf("%s: %v", what, err)
		}
		if b.client.Spends(v.login, v.ev) {
			t.Errorf("%s: spends the state", what)
		}
		if b.double.Asked("/get-access-token") != asked {
			t.Errorf("%s: the code left for the token endpoint", what)
		}
	}
	if _, err := b.advance(t.Context(), mine, ev); err != nil {
		t.Errorf("after all of them the right one: %v", err)
	}
}

// TestPostReturnAlone: a return without the login's own state completes nothing, by whichever way it came (threat T51; that a
// POST is kept until the browser comes with its cookie is the flow's part).
func TestPostReturnAlone(t *testing.T) {
	b := newBench(t, nil)
	_, ev := b.walk(login(t), nil)
	ev.Body = []byte(ev.Values.Encode())
	ev.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if _, err := b.advance(t.Context(), login(t), ev); codeOf(err) != "TX_UNKNOWN" {
		t.Errorf("%v", err)
	}
}

// FuzzUpstreamAnswer: no answer of the system, at any call, does more than a refusal, and the text of an error is never of
// the answer (threat T54).
func FuzzUpstreamAnswer(f *testing.F) {
	b := newBench(f, nil)
	_, ev := b.walk(login(f), nil)
	tok, err := b.client.token(f.Context(), ev.Values.Get("code"), returnURL)
	if err != nil {
		f.Fatal(err)
	}
	good, err := b.client.userInfo(f.Context(), tok, b.config.Keys[0].Certificate.Raw)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{
		good, []byte(`{"access_token":"a","user_id":1}`), []byte(`{"error":"invalid_grant"}`), []byte(`{"error":0,"encryptedUserInfo":"MAA="}`),
		[]byte(`{"auth_type":"dig_sign","lastname":"A","givenname":"B","drfocode":"3000199999","unzr":"19820219-00001","isqscd":true}`),
		[]byte(`{"a":1,"a":2}`), []byte("<html>"), []byte(`{"lastname":{"a":[1]}}`),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		if _, err := b.client.identify(t.Context(), answer, tok, []string{DigSign}); err != nil && codeOf(err) == "" {
			t.Errorf("identify: %v has no code", err)
		}
		o, err := upstream.ParseObject(answer)
		if err != nil {
			if o != nil {
				t.Error("an object and an error")
			}
			return
		}
		if err := b.client.answered(o); err != nil && codeOf(err) == "" {
			t.Errorf("answered: %v has no code", err)
		}
		id, err := b.client.person(o, []string{DigSign})
		if err == nil && (id.Name == "" || len(id.Identifiers) == 0) {
			t.Error("a person without name or number")
		}
		for name := range o {
			_, _ = o.Secret(name)
			_, _ = o.Bytes(name)
		}
	})
}
