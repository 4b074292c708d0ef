package idgov

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/connectors/idgov/idgovtest"
	"brama/connectors/internal/returntest"
	"brama/connectors/internal/upstreamtest"
	"brama/internal/qes/qestest"
)

const name = connectortest.PersonName

func TestContract(t *testing.T) {
	b := newBench(t, func(d *idgovtest.Config, _ *Config) { d.Reusable = true })
	b.Contract(t, "unauthorized_client")
}

// TestWays: every means, envelope and kind of person that signs in, with its level.
func TestWays(t *testing.T) {
	b := newBench(t, func(_ *idgovtest.Config, c *Config) {
		c.MobileID, c.AuthTypes = true, []string{DigSign, BankID, MobileID, DiiaID, DiiaOAuth}
	})
	unpinned := b.Config
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
		b.SetClient(unpinned)
		if v.pinned {
			b.pinned()
		}
		id, err := b.Try(v.choices)
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
	b.Refusals(t, map[string][]url.Values{
		"UPSTREAM_CANCELLED": {set("means", idgovtest.Cancel)},
		"REMOTE_DOWN":        {set("outcome", idgovtest.Unavailable)},
		"REMOTE_EXPIRED": {
			set("outcome", idgovtest.LateCode),
			set("outcome", idgovtest.Error401),
		},
		"INTERNAL": {set("outcome", idgovtest.BadClient)},
		"UPSTREAM_INVALID": {
			set("outcome", idgovtest.Error200),
			set("outcome", idgovtest.WrongKey),
			set("outcome", idgovtest.NotAttribute),
			set("outcome", idgovtest.OtherMeans),
			set("means", DiiaOAuth), // it was not asked for
			set("outcome", idgovtest.BadSignature),
			set("outcome", upstreamtest.FaultGarbage),
			set("outcome", upstreamtest.FaultGarbage, "stage", "token"),
			set("outcome", upstreamtest.FaultHTML),
			set("outcome", upstreamtest.FaultHTML, "stage", "token"),
			set("outcome", upstreamtest.FaultTwice, "stage", "token"),
			set("outcome", upstreamtest.FaultTwice),
		},
		"CERT_SEAL": {set("person", "seal")},
		"CERT_NO_TAXNO": {
			set("person", "nonumber"),
			set("person", "placeholder"),
		},
		"CERT_DATA_MISSING": {set("person", "noname")},
	})
}

// TestDown: a system that hangs, drips, floods or says so is down, and is left alone after three times.
func TestDown(t *testing.T) {
	returntest.Down(t, func() *returntest.Bench[*idgovtest.Server, *Connector, Config] { return newBench(t, nil).Bench })
}

// TestOneShot: a code and a token are good once; the system is told to forget the person after each reading; a cap of the
// test environment is no identity.
func TestOneShot(t *testing.T) {
	b := newBench(t, func(d *idgovtest.Config, _ *Config) { d.Cap = 1 })
	l, ev := b.Walk(b.Login(), nil)
	if _, err := b.Advance(t.Context(), l, ev); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Advance(t.Context(), l, ev); codeOf(err) != "REMOTE_EXPIRED" {
		t.Errorf("a code was taken twice: %v", err)
	}
	if got := b.Double.Asked("/get-user-logout"); got != 1 {
		t.Errorf("logged out %d times, want once", got)
	}
	if _, err := b.Try(nil); codeOf(err) != "UPSTREAM_INVALID" {
		t.Errorf("above the cap: %v", err)
	}
}

// TestCertificateEncoding: twice by default, as the system's developers advise, and once if the operator says so.
func TestCertificateEncoding(t *testing.T) {
	b := newBench(t, nil)
	der := b.Config.Keys[0].Certificate.Raw
	for once, want := range map[bool]string{false: url.QueryEscape(base64.StdEncoding.EncodeToString(der)), true: base64.StdEncoding.EncodeToString(der)} {
		c := b.Config
		c.CertOnce = once
		b.SetClient(c)
		if _, err := b.Try(nil); err != nil || b.Double.LastCert() != want {
			t.Errorf("once %v: %v, the certificate was sent as %.40s", once, err, b.Double.LastCert())
		}
	}
}

// TestBegin: what stands in the address, and the means of each client.
func TestBegin(t *testing.T) {
	b := newBench(t, func(_ *idgovtest.Config, c *Config) {
		c.Clients = map[string][]string{"cabinet": {BankID}}
	})
	first, err := b.Client.Begin(t.Context(), b.Login())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(first.(connectors.Redirect).URL)
	if err != nil || !strings.HasPrefix(u.String(), b.Config.BaseURL+"/?") {
		t.Fatalf("%v, %v", u, err)
	}
	q := u.Query()
	if q.Get("auth_type") != BankID || q.Get("response_type") != "code" || q.Get("client_id") != b.Config.ClientID || q.Get("redirect_uri") != b.ReturnURL || len(q) != 5 {
		t.Errorf("parameters %v", q)
	}
	if strings.Contains(u.String(), returntest.Secret) {
		t.Error("the secret stands in the address")
	}
	second, err := b.Client.Begin(t.Context(), b.Login())
	if err != nil || bytes.Equal(first.(connectors.Redirect).State, second.(connectors.Redirect).State) {
		t.Errorf("two journeys have one state, %v", err)
	}
	if _, err := b.Try(nil); codeOf(err) != "UPSTREAM_INVALID" { // dig_sign is not for this client
		t.Errorf("a means of another client: %v", err)
	}
	if id, err := b.Try(set("means", BankID)); err != nil || id.Name != name {
		t.Errorf("its own means: %v", err)
	}
	l := b.Login()
	l.Challenge = nil
	if _, err := b.Client.Begin(t.Context(), l); codeOf(err) != "INTERNAL" {
		t.Errorf("without a challenge nobody knows whose login it is: %v", err)
	}
}

// TestSignerStatus: an answer whose signer was revoked is refused; one whose status cannot be had is neither good nor bad.
func TestSignerStatus(t *testing.T) {
	b := newBench(t, func(d *idgovtest.Config, _ *Config) { d.Form.Signed = true })
	b.pinned()
	b.SignerStatus(t, b.Double.SetSignerStatus, func() {})
}

func TestNewRefuses(t *testing.T) {
	b := newBench(t, nil)
	b.NewRefuses(t, map[string]func(*Config){
		"http":              func(c *Config) { c.PlainHTTP = false },
		"http elsewhere":    func(c *Config) { c.BaseURL = "http://id.gov.ua" },
		"slash":             func(c *Config) { c.BaseURL = "https://id.gov.ua/" },
		"javascript":        func(c *Config) { c.BaseURL = "javascript:alert(1)" },
		"no secret":         func(c *Config) { c.ClientSecret = "" },
		"no key":            func(c *Config) { c.Keys = nil },
		"other certificate": func(c *Config) { c.Keys = []Key{{Private: c.Keys[0].Private, Certificate: b.Double.Senders()[0]}} },
		"unknown means":     func(c *Config) { c.AuthTypes = []string{"password"} },
		"mobile_id":         func(c *Config) { c.AuthTypes = []string{MobileID} },
		"mobile_id, client": func(c *Config) { c.Clients = map[string][]string{"a": {MobileID}} },
		"nothing":           func(c *Config) { c.AuthTypes = []string{} },
		"no documents":      func(c *Config) { c.Documents = nil },
		"no network":        func(c *Config) { c.Do = nil },
	})
	signing, err := b.Authority.Issue(qestest.Request{FamilyName: "Тестенко", GivenName: "Олена", RNOKPP: "3000199999"})
	if err != nil {
		t.Fatal(err)
	}
	c := b.Config
	c.Keys = []Key{{Private: signing.Key.DSTU, Certificate: signing.Certificate.Certificate}}
	if _, err := New(c); err == nil {
		t.Error("a key for signatures was taken for key agreement")
	}
	if b.Client.MaxLoA() != connectors.Substantial {
		t.Errorf("at most %s without a known signer", b.Client.MaxLoA())
	}
	if b.pinned(); b.Client.MaxLoA() != connectors.High {
		t.Errorf("at most %s with a known signer", b.Client.MaxLoA())
	}
}
