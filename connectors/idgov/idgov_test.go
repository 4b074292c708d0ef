package idgov

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/connectors/idgov/idgovtest"
	"brama/connectors/internal/upstreamtest"
	"brama/internal/qes/qestest"
)

const name = "Тестенко Олена Петрівна"

func TestContract(t *testing.T) {
	b := newBench(t, func(d *idgovtest.Config, _ *Config) { d.Reusable = true })
	connectortest.Run(t, func(t *testing.T) connectortest.Setup {
		l, good := b.walk(login(t), nil)
		spoilt := func(name, value string) connectors.Event {
			ev := connectors.Event{Via: connectors.ViaReturn, Values: url.Values{}}
			for k, v := range good.Values {
				ev.Values[k] = v
			}
			ev.Values[name] = []string{value}
			return ev
		}
		return connectortest.Setup{Connector: b.client, Login: l, Good: good, Name: name, Answered: true, Retry: map[string]connectors.Event{
			"TX_UNKNOWN":         spoilt("state", "x"+good.Values.Get("state")[1:]),
			"REMOTE_EXPIRED":     spoilt("code", strings.Repeat("0", 40)),
			"UPSTREAM_CANCELLED": spoilt("error", "access_denied"),
			"REMOTE_DOWN":        spoilt("error", "temporarily_unavailable"),
			"UPSTREAM_INVALID":   spoilt("error", "<script>"),
			"INTERNAL":           spoilt("error", "unauthorized_client"),
		}}
	})
}

// TestWays: every means, envelope and kind of person that signs in, with its level.
func TestWays(t *testing.T) {
	b := newBench(t, func(_ *idgovtest.Config, c *Config) {
		c.MobileID, c.AuthTypes = true, []string{DigSign, BankID, MobileID, DiiaID, DiiaOAuth}
	})
	unpinned := b.config
	for _, v := range []struct {
		choices url.Values
		pinned  bool
		loa     connectors.LoA
		amr     string
		rnokpp  string
	}{
		{set(), false, connectors.Substantial, "pop", "3000199999"},
		{set("form", "signed"), false, connectors.Substantial, "pop", "3000199999"},
		{set("outcome", idgovtest.Device), true, connectors.Substantial, "pop", "3000199999"}, // not signed
		{set("outcome", idgovtest.Device, "form", "signed"), false, connectors.Substantial, "pop", "3000199999"},
		{set("outcome", idgovtest.Device, "form", "signed"), true, connectors.High, "pop", "3000199999"},
		{set("outcome", idgovtest.NumberTypes, "form", "static"), true, connectors.High, "pop", "3000199999"},
		{set("form", "ctr"), true, connectors.Substantial, "pop", "3000199999"},
		{set("form", "bare"), true, connectors.Substantial, "pop", "3000199999"},
		{set("means", BankID, "form", "signed"), true, connectors.Substantial, "user", "3000199999"},
		{set("means", MobileID, "form", "signed", "outcome", idgovtest.Device), true, connectors.High, "pop,mca", "3000199999"},
		{set("means", DiiaID), true, connectors.Substantial, "pop,mca", "3000199999"},
		{set("means", DiiaOAuth, "form", "signed", "outcome", idgovtest.Device), true, connectors.Substantial, "user", "3000199999"},
		{set("person", "fop"), false, connectors.Substantial, "pop", "3000199999"},
		{set("person", "official"), false, connectors.Substantial, "pop", "3000199999"},
		{set("person", "passport"), false, connectors.Substantial, "pop", ""},
		{set("person", "card"), false, connectors.Substantial, "pop", ""},
		{set("outcome", idgovtest.LogoutFails), false, connectors.Substantial, "pop", "3000199999"},
	} {
		b.setClient(unpinned)
		if v.pinned {
			b.pinned()
		}
		id, err := b.try(v.choices)
		if err != nil {
			t.Errorf("%v: %v", v.choices, err)
			continue
		}
		if id.LoA != v.loa || strings.Join(id.AMR, ",") != v.amr || id.Identifier(connectors.RNOKPP) != v.rnokpp || id.Name != name || len(id.Identifiers) == 0 {
			t.Errorf("%v, pinned %v: %s, level %s, amr %v, %d identifiers", v.choices, v.pinned, id.Name, id.LoA, id.AMR, len(id.Identifiers))
		}
		// Threat T32: what the system says of an organisation gives no role.
		if len(id.Roles) != 1 || id.Roles[0] != (connectors.Role{ID: "person"}) {
			t.Errorf("%v: roles %v", v.choices, id.Roles)
		}
		var r Record
		if err := json.Unmarshal(id.Evidence.Content, &r); err != nil || r.System != Name || r.User == "" || len(r.Envelope) != 64 {
			t.Errorf("%v: record %s, %v", v.choices, id.Evidence.Content, err)
		}
		if signed := v.pinned && v.choices.Get("form") != ""; r.Signed != signed {
			t.Errorf("%v, pinned %v: the record says signed %v", v.choices, v.pinned, r.Signed)
		}
		if id.Evidence.TrustList != "test" || r.Signed && len(id.Evidence.Revocation) == 0 {
			t.Errorf("%v: evidence of the list %q, of the status %d octets", v.choices, id.Evidence.TrustList, len(id.Evidence.Revocation))
		}
	}
}

// TestRefusals: every answer of the double that is none.
func TestRefusals(t *testing.T) {
	b := newBench(t, func(d *idgovtest.Config, _ *Config) { d.Form.Signed = true })
	b.pinned()
	for _, v := range []struct {
		code    string
		choices url.Values
	}{
		{"UPSTREAM_CANCELLED", set("means", idgovtest.Cancel)},
		{"REMOTE_DOWN", set("outcome", idgovtest.Unavailable)},
		{"REMOTE_EXPIRED", set("outcome", idgovtest.LateCode)},
		{"INTERNAL", set("outcome", idgovtest.BadClient)},
		{"UPSTREAM_INVALID", set("outcome", idgovtest.Error200)},
		{"REMOTE_EXPIRED", set("outcome", idgovtest.Error401)},
		{"UPSTREAM_INVALID", set("outcome", idgovtest.WrongKey)},
		{"UPSTREAM_INVALID", set("outcome", idgovtest.NotAttribute)},
		{"UPSTREAM_INVALID", set("outcome", idgovtest.OtherMeans)},
		{"UPSTREAM_INVALID", set("means", DiiaOAuth)}, // it was not asked for
		{"UPSTREAM_INVALID", set("outcome", idgovtest.BadSignature)},
		{"UPSTREAM_INVALID", set("outcome", upstreamtest.FaultGarbage)},
		{"UPSTREAM_INVALID", set("outcome", upstreamtest.FaultGarbage, "stage", "token")},
		{"UPSTREAM_INVALID", set("outcome", upstreamtest.FaultHTML)},
		{"UPSTREAM_INVALID", set("outcome", upstreamtest.FaultHTML, "stage", "token")},
		{"UPSTREAM_INVALID", set("outcome", upstreamtest.FaultTwice, "stage", "token")},
		{"UPSTREAM_INVALID", set("outcome", upstreamtest.FaultTwice)},
		{"CERT_SEAL", set("person", "seal")},
		{"CERT_NO_TAXNO", set("person", "nonumber")},
		{"CERT_NO_TAXNO", set("person", "placeholder")},
		{"CERT_DATA_MISSING", set("person", "noname")},
	} {
		id, err := b.try(v.choices)
		if codeOf(err) != v.code || !errors.Is(err, connectors.ErrRetry) || id.Name != "" {
			t.Errorf("%v: %v, want %s", v.choices, err, v.code)
		}
	}
}

// TestDown: a system that hangs, drips, floods or says so is down, and is left alone after three times.
func TestDown(t *testing.T) {
	path := map[string]string{"": "/get-user-info", "token": "/get-access-token"}
	for _, v := range []url.Values{
		set("outcome", upstreamtest.FaultBig), set("outcome", upstreamtest.FaultDown, "stage", "token"),
		set("outcome", upstreamtest.FaultHang), set("outcome", upstreamtest.FaultSlow, "stage", "token"),
	} {
		b := newBench(t, nil)
		if v.Get("stage") == "token" {
			b.client.tokenTime = 150 * time.Millisecond
		} else {
			b.client.userInfoTime = 150 * time.Millisecond
		}
		l, ev := b.walk(login(t), nil)
		for range 3 {
			if _, err := b.try(v); codeOf(err) != "REMOTE_DOWN" {
				t.Errorf("%v: %v", v, err)
			}
		}
		if _, err := b.advance(t.Context(), l, ev); codeOf(err) != "REMOTE_DOWN" || b.double.Asked(path[v.Get("stage")]) != 3 {
			t.Errorf("%v: asked again after three failures: %v", v, err)
		}
		if _, err := b.client.Begin(t.Context(), login(t)); codeOf(err) != "REMOTE_DOWN" || !b.client.Down() {
			t.Errorf("%v: the browser is sent to a system that is down: %v", v, err)
		}
	}
}

// TestOneShot: a code and a token are good once; the system is told to forget the person after each reading; a cap of the
// test environment is no identity.
func TestOneShot(t *testing.T) {
	b := newBench(t, func(d *idgovtest.Config, _ *Config) { d.Cap = 1 })
	l, ev := b.walk(login(t), nil)
	if _, err := b.advance(t.Context(), l, ev); err != nil {
		t.Fatal(err)
	}
	if _, err := b.advance(t.Context(), l, ev); codeOf(err) != "REMOTE_EXPIRED" {
		t.Errorf("a code was taken twice: %v", err)
	}
	if got := b.double.Asked("/get-user-logout"); got != 1 {
		t.Errorf("logged out %d times, want once", got)
	}
	if _, err := b.try(nil); codeOf(err) != "UPSTREAM_INVALID" {
		t.Errorf("above the cap: %v", err)
	}
}

// TestCertificateEncoding: twice by default, as the system's developers advise, and once if the operator says so.
func TestCertificateEncoding(t *testing.T) {
	b := newBench(t, nil)
	der := b.config.Keys[0].Certificate.Raw
	for once, want := range map[bool]string{false: url.QueryEscape(base64.StdEncoding.EncodeToString(der)), true: base64.StdEncoding.EncodeToString(der)} {
		c := b.config
		c.CertOnce = once
		b.setClient(c)
		if _, err := b.try(nil); err != nil || b.double.LastCert() != want {
			t.Errorf("once %v: %v, the certificate was sent as %.40s", once, err, b.double.LastCert())
		}
	}
}

// TestBegin: what stands in the address, and the means of each client.
func TestBegin(t *testing.T) {
	b := newBench(t, func(_ *idgovtest.Config, c *Config) {
		c.Clients = map[string][]string{"cabinet": {BankID}}
	})
	first, err := b.client.Begin(t.Context(), login(t))
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(first.(connectors.Redirect).URL)
	if err != nil || !strings.HasPrefix(u.String(), b.config.BaseURL+"/?") {
		t.Fatalf("%v, %v", u, err)
	}
	q := u.Query()
	if q.Get("auth_type") != BankID || q.Get("response_type") != "code" || q.Get("client_id") != b.config.ClientID || q.Get("redirect_uri") != returnURL || len(q) != 5 {
		t.Errorf("parameters %v", q)
	}
	if strings.Contains(u.String(), secret) {
		t.Error("the secret stands in the address")
	}
	second, err := b.client.Begin(t.Context(), login(t))
	if err != nil || bytes.Equal(first.(connectors.Redirect).State, second.(connectors.Redirect).State) {
		t.Errorf("two journeys have one state, %v", err)
	}
	if _, err := b.try(nil); codeOf(err) != "UPSTREAM_INVALID" { // dig_sign is not for this client
		t.Errorf("a means of another client: %v", err)
	}
	if id, err := b.try(set("means", BankID)); err != nil || id.Name != name {
		t.Errorf("its own means: %v", err)
	}
	l := login(t)
	l.Challenge = nil
	if _, err := b.client.Begin(t.Context(), l); codeOf(err) != "INTERNAL" {
		t.Errorf("without a challenge nobody knows whose login it is: %v", err)
	}
}

// TestSignerStatus: an answer whose signer was revoked is refused; one whose status cannot be had is neither good nor bad.
func TestSignerStatus(t *testing.T) {
	b := newBench(t, func(d *idgovtest.Config, _ *Config) { d.Form.Signed = true })
	b.pinned()
	b.double.SetSignerStatus(qestest.Revoked)
	if _, err := b.try(nil); codeOf(err) != "UPSTREAM_INVALID" {
		t.Errorf("revoked: %v", err)
	}
	b.double.SetSignerStatus(qestest.Good)
	for _, service := range []string{qestest.ServiceOCSP, qestest.ServiceCRL, qestest.ServiceDelta} {
		b.tsp.SetDown(service, true)
	}
	if _, err := b.try(nil); codeOf(err) != "CERT_STATUS_UNREACHABLE" {
		t.Errorf("unreachable: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	b := newBench(t, nil)
	for what, change := range map[string]func(*Config){
		"http":              func(c *Config) { c.PlainHTTP = false },
		"http elsewhere":    func(c *Config) { c.BaseURL = "http://id.gov.ua" },
		"slash":             func(c *Config) { c.BaseURL = "https://id.gov.ua/" },
		"javascript":        func(c *Config) { c.BaseURL = "javascript:alert(1)" },
		"no secret":         func(c *Config) { c.ClientSecret = "" },
		"no key":            func(c *Config) { c.Keys = nil },
		"other certificate": func(c *Config) { c.Keys = []Key{{Private: c.Keys[0].Private, Certificate: b.double.Senders()[0]}} },
		"unknown means":     func(c *Config) { c.AuthTypes = []string{"password"} },
		"mobile_id":         func(c *Config) { c.AuthTypes = []string{MobileID} },
		"mobile_id, client": func(c *Config) { c.Clients = map[string][]string{"a": {MobileID}} },
		"nothing":           func(c *Config) { c.AuthTypes = []string{} },
		"no documents":      func(c *Config) { c.Documents = nil },
		"no network":        func(c *Config) { c.Do = nil },
	} {
		c := b.config
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: made", what)
		}
	}
	signing, err := b.tsp.Issue(qestest.Request{FamilyName: "Тестенко", GivenName: "Олена", RNOKPP: "3000199999"})
	if err != nil {
		t.Fatal(err)
	}
	c := b.config
	c.Keys = []Key{{Private: signing.Key.DSTU, Certificate: signing.Certificate.Certificate}}
	if _, err := New(c); err == nil {
		t.Error("a key for signatures was taken for key agreement")
	}
	if b.client.MaxLoA() != connectors.Substantial {
		t.Errorf("at most %s without a known signer", b.client.MaxLoA())
	}
	if b.pinned(); b.client.MaxLoA() != connectors.High {
		t.Errorf("at most %s with a known signer", b.client.MaxLoA())
	}
}
