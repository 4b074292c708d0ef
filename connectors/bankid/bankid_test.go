package bankid

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/bankid/bankidtest"
	"brama/connectors/connectortest"
	"brama/connectors/internal/returntest"
	"brama/connectors/internal/upstreamtest"
	"brama/internal/qes/qestest"
)

const name = connectortest.PersonName

func TestContract(t *testing.T) {
	b := newBench(t, func(d *bankidtest.Config, _ *Config) { d.Reusable = true })
	b.Contract(t, "invalid_request")
}

// TestWays: both versions of the protocol, every envelope, and every kind of person that signs in.
func TestWays(t *testing.T) {
	b := newBench(t, nil)
	v2 := b.Config
	v1 := v2
	v1.DataSet, v1.WithoutRedirectURI = "", true
	for version, config := range map[string]Config{"v1": v1, "v2": v2} {
		b.SetClient(config)
		for _, choices := range []url.Values{
			set(), set("form", "cfb-serial-ephemeral"), set("form", "cfb-serial-static"), set("form", "cfb-ski-ephemeral"), set("form", "cfb-ski-static"),
			set("form", "ctr-serial-ephemeral"), set("form", "ctr-serial-static"), set("form", "ctr-ski-ephemeral"), set("form", "ctr-ski-static"),
			set("bank", "verba"), set("outcome", bankidtest.OddDate), set("person", "official"), set("person", "passport"), set("person", "apostrophe"),
		} {
			id, err := b.Try(choices)
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
		q := b.Double.LastRequest()
		list, _ := q["fields"].([]any)
		if v1 := version == "v1"; v1 != (q["type"] == "physical") || v1 != (len(list) == len(fields)) || q["cert"] == nil {
			t.Errorf("%s asks %v", version, q)
		}
	}
}

// TestRefusals: every answer of the double that is none.
func TestRefusals(t *testing.T) {
	b := newBench(t, nil)
	b.Refusals(t, map[string][]url.Values{
		"UPSTREAM_CANCELLED": {
			set("bank", bankidtest.Cancel),
			set("outcome", bankidtest.Error+"access_denied"),
		},
		"REMOTE_DOWN": {
			set("outcome", bankidtest.Unavailable),
			set("outcome", bankidtest.Error+"temporarily_unavailable"),
		},
		"REMOTE_EXPIRED": {
			set("outcome", bankidtest.LateCode),
			set("outcome", bankidtest.LateToken),
			set("outcome", bankidtest.Error+"invalid_token"),
			set("outcome", bankidtest.Error+"invalid_grant"),
		},
		"INTERNAL": {
			set("outcome", bankidtest.BadClient),
			set("outcome", bankidtest.Error+"invalid_request"),
			set("outcome", bankidtest.Error+"invalid_cert"),
			set("outcome", bankidtest.Error+"unauthorized_client"),
		},
		"UPSTREAM_INVALID": {
			set("outcome", bankidtest.Error+"invalid_data"),
			set("outcome", bankidtest.Error+"Клієнт 12345"),
			set("outcome", bankidtest.NotOK),
			set("outcome", bankidtest.WrongKey),
			set("outcome", bankidtest.Tampered),
			set("outcome", bankidtest.NotAttribute),
			set("outcome", bankidtest.Legal),
			set("outcome", upstreamtest.FaultGarbage),
			set("outcome", upstreamtest.FaultHTML),
			set("outcome", upstreamtest.FaultHTML, "stage", "token"),
			set("outcome", upstreamtest.FaultTwice, "stage", "token"),
		},
		"CERT_NO_TAXNO": {
			set("person", "nonumber"),
			set("person", "placeholder"),
		},
		"CERT_DATA_MISSING": {set("person", "noname")},
	})
	id, err := b.Try(set("person", "card")) // who refused the tax number has the number of the card there
	if err != nil || id.Identifier(connectors.Passport) != "123456789" || id.Identifier(connectors.RNOKPP) != "" {
		t.Errorf("card: %v, %v", id.Identifiers, err)
	}
}

// TestDown: a centre that hangs, drips, floods or says so is down, and is left alone after three times.
func TestDown(t *testing.T) {
	returntest.Down(t, func() *returntest.Bench[*bankidtest.Server, *Connector, Config] { return newBench(t, nil).Bench })
}

// TestChooser: the bank is chosen here or at the centre; the list of the centre only takes away what does not work, and its
// failure takes nothing away.
func TestChooser(t *testing.T) {
	b := newBench(t, func(_ *bankidtest.Config, c *Config) { c.AskBank = true })
	for fault, want := range map[string]int{"": 2, upstreamtest.FaultHang: 3, upstreamtest.FaultHTML: 3, upstreamtest.FaultBig: 3} {
		b.Double.SetListFault(fault)
		b.Client.listTime = listTime
		if fault == upstreamtest.FaultHang {
			b.Client.listTime = 150 * time.Millisecond
		}
		step, err := b.Client.Begin(t.Context(), b.Login())
		if err != nil {
			t.Fatal(err)
		}
		if got := step.(connectors.Page).Data.(PageData).Banks; len(got) != want {
			t.Errorf("list fault %q: %v, want %d", fault, got, want)
		}
	}
	b.Double.SetListFault("")
	for value, bank := range map[string]string{"verba": "verba", "any": ""} {
		step, err := b.Client.Advance(t.Context(), b.Login(), connectors.Event{Via: connectors.ViaForm, Values: set("bank", value)})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(step.(connectors.Redirect).URL)
		if err != nil || u.Query().Get("bank_id") != bank || !strings.HasPrefix(u.String(), b.Config.BaseURL+authorizePath+"?") {
			t.Errorf("%s goes to %v, %v", value, u, err)
		}
		l, ev := b.Follow(b.Login(), step, nil)
		if id, err := b.Advance(t.Context(), l, ev); err != nil || id.Name != name {
			t.Errorf("%s: %v", value, err)
		}
	}
	for _, value := range []url.Values{nil, set("bank", ""), set("bank", "https://evil.example"), {"bank": {"verba", "kalyna"}}} {
		if step, err := b.Client.Advance(t.Context(), b.Login(), connectors.Event{Via: connectors.ViaForm, Values: value}); codeOf(err) != "TX_UNKNOWN" {
			t.Errorf("%v: %T, %v", value, step, err)
		}
	}
}

// TestSignerStatus: an answer whose signer was revoked is refused; one whose status cannot be had is neither good nor bad.
func TestSignerStatus(t *testing.T) {
	b := newBench(t, nil)
	b.SignerStatus(t, func(status qestest.Status) { b.Double.SetSignerStatus("kalyna", status) }, func() {
		if _, err := b.Try(set("bank", "verba")); err != nil {
			t.Errorf("another bank: %v", err)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	b := newBench(t, nil)
	b.NewRefuses(t, map[string]func(*Config){
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
	})
	if b.Client.MaxLoA() != connectors.Substantial {
		t.Errorf("at most %s", b.Client.MaxLoA())
	}
}
