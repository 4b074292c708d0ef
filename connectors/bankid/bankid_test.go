package bankid

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/bankid/bankidtest"
	"brama/connectors/connectortest"
	"brama/connectors/internal/upstreamtest"
	"brama/internal/qes/qestest"
)

const name = "Тестенко Олена Петрівна"

func TestContract(t *testing.T) {
	b := newBench(t, func(d *bankidtest.Config, c *Config) { d.Reusable = true })
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
			"INTERNAL":           spoilt("error", "invalid_request"),
		}}
	})
}

// TestWays: both versions of the protocol, every envelope, and every kind of person that signs in.
func TestWays(t *testing.T) {
	b := newBench(t, nil)
	v2 := b.config
	v1 := v2
	v1.DataSet, v1.WithoutRedirectURI = "", true
	for version, config := range map[string]Config{"v1": v1, "v2": v2} {
		b.setClient(config)
		for _, choices := range []url.Values{
			set(), set("form", "cfb-serial-ephemeral"), set("form", "cfb-serial-static"), set("form", "cfb-ski-ephemeral"), set("form", "cfb-ski-static"),
			set("form", "ctr-serial-ephemeral"), set("form", "ctr-serial-static"), set("form", "ctr-ski-ephemeral"), set("form", "ctr-ski-static"),
			set("bank", "verba"), set("outcome", bankidtest.OddDate), set("person", "official"), set("person", "passport"), set("person", "apostrophe"),
		} {
			id, err := b.try(choices)
			if err != nil {
				t.Errorf("%s %v: %v", version, choices, err)
				continue
			}
			want := name
			if choices.Get("person") == "apostrophe" {
				want = "Дем'яненко Олена Петрівна"
			}
			born := !id.BirthDate.IsZero() && id.BirthDate.Format(time.DateOnly) == "1982-02-19"
			if id.Name != want || id.LoA != connectors.Substantial || !slices.Equal(id.AMR, []string{"user"}) || born == (choices.Get("outcome") != "") {
				t.Errorf("%s %v: %q, level %s, amr %v, born %v", version, choices, id.Name, id.LoA, id.AMR, id.BirthDate)
			}
			if number := id.Identifier(connectors.RNOKPP); (number == "3000199999") == (choices.Get("person") == "passport") {
				t.Errorf("%s %v: the tax number is %q", version, choices, number)
			}
			if len(id.Roles) != 1 || id.Roles[0] != (connectors.Role{ID: "person"}) { // threat T32
				t.Errorf("%s %v: roles %v", version, choices, id.Roles)
			}
			var r Record
			err = json.Unmarshal(id.Evidence.Content, &r)
			if err != nil || r.Member == "" || !strings.HasPrefix(r.Session, "sid-") || r.Bank == "" || r.Client == "" || len(r.Customer) != 64 || r.DataSet != config.DataSet {
				t.Errorf("%s %v: record %s, %v", version, choices, id.Evidence.Content, err)
			}
			if len(id.Evidence.Signature) == 0 || len(id.Evidence.Revocation) == 0 || id.Evidence.TrustList != "test" {
				t.Errorf("%s %v: evidence is not whole", version, choices)
			}
		}
		q := b.double.LastRequest()
		list, _ := q["fields"].([]any)
		if v1 := version == "v1"; v1 != (q["type"] == "physical") || v1 != (len(list) == len(fields)) || q["cert"] == nil {
			t.Errorf("%s asks %v", version, q)
		}
	}
}

// TestRefusals: every answer of the double that is none.
func TestRefusals(t *testing.T) {
	b := newBench(t, nil)
	for _, v := range []struct {
		code    string
		choices url.Values
	}{
		{"UPSTREAM_CANCELLED", set("bank", bankidtest.Cancel)},
		{"REMOTE_DOWN", set("outcome", bankidtest.Unavailable)},
		{"REMOTE_EXPIRED", set("outcome", bankidtest.LateCode)},
		{"REMOTE_EXPIRED", set("outcome", bankidtest.LateToken)},
		{"INTERNAL", set("outcome", bankidtest.BadClient)},
		{"UPSTREAM_CANCELLED", set("outcome", bankidtest.Error+"access_denied")},
		{"REMOTE_DOWN", set("outcome", bankidtest.Error+"temporarily_unavailable")},
		{"INTERNAL", set("outcome", bankidtest.Error+"invalid_request")},
		{"INTERNAL", set("outcome", bankidtest.Error+"invalid_cert")},
		{"INTERNAL", set("outcome", bankidtest.Error+"unauthorized_client")},
		{"UPSTREAM_INVALID", set("outcome", bankidtest.Error+"invalid_data")},
		{"REMOTE_EXPIRED", set("outcome", bankidtest.Error+"invalid_token")},
		{"REMOTE_EXPIRED", set("outcome", bankidtest.Error+"invalid_grant")},
		{"UPSTREAM_INVALID", set("outcome", bankidtest.Error+"Клієнт 12345")},
		{"UPSTREAM_INVALID", set("outcome", bankidtest.NotOK)},
		{"UPSTREAM_INVALID", set("outcome", bankidtest.WrongKey)},
		{"UPSTREAM_INVALID", set("outcome", bankidtest.Tampered)},
		{"UPSTREAM_INVALID", set("outcome", bankidtest.NotAttribute)},
		{"UPSTREAM_INVALID", set("outcome", bankidtest.Legal)},
		{"UPSTREAM_INVALID", set("outcome", upstreamtest.FaultGarbage)},
		{"UPSTREAM_INVALID", set("outcome", upstreamtest.FaultHTML)},
		{"UPSTREAM_INVALID", set("outcome", upstreamtest.FaultHTML, "stage", "token")},
		{"UPSTREAM_INVALID", set("outcome", upstreamtest.FaultTwice, "stage", "token")},
		{"CERT_NO_TAXNO", set("person", "nonumber")},
		{"CERT_NO_TAXNO", set("person", "placeholder")},
		{"CERT_NO_TAXNO", set("person", "card", "outcome", "")},
		{"CERT_DATA_MISSING", set("person", "noname")},
	} {
		id, err := b.try(v.choices)
		if v.choices.Get("person") == "card" { // who refused the tax number has the number of the card there
			if err != nil || id.Identifier(connectors.Passport) != "123456789" || id.Identifier(connectors.RNOKPP) != "" {
				t.Errorf("card: %v, %v", id.Identifiers, err)
			}
			continue
		}
		if codeOf(err) != v.code || !errors.Is(err, connectors.ErrRetry) || id.Name != "" {
			t.Errorf("%v: %v, want %s", v.choices, err, v.code)
		}
	}
}

// TestDown: a centre that hangs, drips, floods or says so is down, and is left alone after three times.
func TestDown(t *testing.T) {
	path := map[string]string{"": resourcePath, "token": tokenPath}
	for _, v := range []url.Values{
		set("outcome", upstreamtest.FaultBig), set("outcome", upstreamtest.FaultDown, "stage", "token"),
		set("outcome", upstreamtest.FaultHang), set("outcome", upstreamtest.FaultSlow, "stage", "token"),
	} {
		b := newBench(t, nil)
		if v.Get("stage") == "token" {
			b.client.tokenTime = 150 * time.Millisecond
		} else {
			b.client.resourceTime = 150 * time.Millisecond
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

// TestChooser: the bank is chosen here or at the centre; the list of the centre only takes away what does not work, and its
// failure takes nothing away.
func TestChooser(t *testing.T) {
	b := newBench(t, func(_ *bankidtest.Config, c *Config) { c.AskBank = true })
	for fault, want := range map[string]int{"": 2, upstreamtest.FaultHang: 3, upstreamtest.FaultHTML: 3, upstreamtest.FaultBig: 3} {
		b.double.SetListFault(fault)
		b.client.listTime = listTime
		if fault == upstreamtest.FaultHang {
			b.client.listTime = 150 * time.Millisecond
		}
		step, err := b.client.Begin(t.Context(), login(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := step.(connectors.Page).Data.(PageData).Banks; len(got) != want {
			t.Errorf("list fault %q: %v, want %d", fault, got, want)
		}
	}
	b.double.SetListFault("")
	for value, bank := range map[string]string{"verba": "verba", "any": ""} {
		step, err := b.client.Advance(t.Context(), login(t), connectors.Event{Via: connectors.ViaForm, Values: set("bank", value)})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(step.(connectors.Redirect).URL)
		if err != nil || u.Query().Get("bank_id") != bank || !strings.HasPrefix(u.String(), b.config.BaseURL+authorizePath+"?") {
			t.Errorf("%s goes to %v, %v", value, u, err)
		}
		l, ev := b.follow(login(t), step, nil)
		if id, err := b.advance(t.Context(), l, ev); err != nil || id.Name != name {
			t.Errorf("%s: %v", value, err)
		}
	}
	for _, value := range []url.Values{nil, set("bank", ""), set("bank", "https://evil.example"), {"bank": {"verba", "kalyna"}}} {
		if step, err := b.client.Advance(t.Context(), login(t), connectors.Event{Via: connectors.ViaForm, Values: value}); codeOf(err) != "TX_UNKNOWN" {
			t.Errorf("%v: %T, %v", value, step, err)
		}
	}
}

// TestSignerStatus: an answer whose signer was revoked is refused; one whose status cannot be had is neither good nor bad.
func TestSignerStatus(t *testing.T) {
	b := newBench(t, nil)
	b.double.SetSignerStatus("kalyna", qestest.Revoked)
	if _, err := b.try(nil); codeOf(err) != "UPSTREAM_INVALID" {
		t.Errorf("revoked: %v", err)
	}
	if _, err := b.try(set("bank", "verba")); err != nil {
		t.Errorf("another bank: %v", err)
	}
	b.double.SetSignerStatus("kalyna", qestest.Good)
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
		"http":         func(c *Config) { c.PlainHTTP = false },
		"no secret":    func(c *Config) { c.ClientSecret = "" },
		"no key":       func(c *Config) { c.Keys = nil },
		"no documents": func(c *Config) { c.Documents = nil },
		"no banks":     func(c *Config) { c.Banks = nil },
		"bank twice":   func(c *Config) { c.Banks = append(slices.Clone(c.Banks), c.Banks[0]) },
		"member twice": func(c *Config) {
			c.Banks = append(slices.Clone(c.Banks), Bank{ID: "x", MemberID: c.Banks[0].MemberID, Name: "x", EDRPOU: "1"})
		},
		"bank named any": func(c *Config) { c.Banks = []Bank{{ID: "any", MemberID: "1", Name: "x", EDRPOU: "1"}} },
		"bank without a signer": func(c *Config) {
			c.Banks = []Bank{{ID: "a", MemberID: "1", Name: "x"}}
		},
	} {
		c := b.config
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: made", what)
		}
	}
	if b.client.MaxLoA() != connectors.Substantial {
		t.Errorf("at most %s", b.client.MaxLoA())
	}
}
