package bankid

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"brama/connectors"
	"brama/connectors/bankid/bankidtest"
	"brama/connectors/internal/upstream"
	"brama/connectors/internal/upstreamtest"
)

// TestNoSecretInLogs: no error, which is what a log gets, holds the secret, the code, a token or anything of the person
// (threat T46).
func TestNoSecretInLogs(t *testing.T) {
	b := newBench(t, nil)
	b.NoSecretInLogs(t, []url.Values{
		nil, set("outcome", bankidtest.Error+"invalid_token"), set("outcome", bankidtest.Error+"Клієнт 12345"), set("outcome", bankidtest.BadClient),
		set("outcome", bankidtest.Clear), set("outcome", bankidtest.Legal), set("outcome", bankidtest.NotAttribute), set("outcome", bankidtest.OtherSigner),
		set("outcome", upstreamtest.FaultBig), set("outcome", upstreamtest.FaultDown), set("person", "noname"), set("person", "nonumber"),
	}, func(c *Config, base string) { c.BaseURL = base }, "Bearer")
}

// TestClearAnswerRefused: a client in clear, and an envelope without the bank's signature, are no answer (threat T47).
func TestClearAnswerRefused(t *testing.T) {
	newBench(t, nil).Invalid(t, bankidtest.Clear, bankidtest.Unsigned)
}

// TestOtherBankSigner: an answer counts if the seal under it is of the bank that memberId names and, where the person chose a
// bank here, that bank is the one (threat T48).
func TestOtherBankSigner(t *testing.T) {
	b := newBench(t, func(_ *bankidtest.Config, c *Config) { c.AskBank = true })
	begin := func(bank string) connectors.Step {
		step, err := b.Client.Advance(t.Context(), b.Login(), connectors.Event{Via: connectors.ViaForm, Values: set("bank", bank)})
		if err != nil {
			t.Fatal(err)
		}
		return step
	}
	for _, v := range []struct {
		bank, outcome, code string
	}{
		{"any", bankidtest.OtherSigner, "UPSTREAM_INVALID"},
		{"kalyna", bankidtest.OtherSigner, "UPSTREAM_INVALID"},
		{"kalyna", bankidtest.OtherMember, "UPSTREAM_INVALID"}, // not the bank that was chosen
		{"any", bankidtest.OtherMember, ""},                    // the centre let the person choose
		{"any", bankidtest.NewMember, "UPSTREAM_INVALID"},
		{"any", bankidtest.Official, "UPSTREAM_INVALID"}, // signs what a person wants
		{"any", bankidtest.Stranger, "UPSTREAM_INVALID"},
		{"any", bankidtest.BadSignature, "UPSTREAM_INVALID"},
	} {
		choices := set("outcome", v.outcome)
		l, ev := b.Follow(b.Login(), begin(v.bank), choices)
		if id, err := b.Advance(t.Context(), l, ev); codeOf(err) != v.code || (err == nil) != (id.Name != "") {
			t.Errorf("%s, %s: %v, want %q", v.bank, v.outcome, err, v.code)
		}
	}
	// A bank whose certificates are known signs with these and no others, its own seal included.
	c := b.Config
	c.Banks = append([]Bank{}, c.Banks...)
	c.Banks[0].Signers = []Fingerprint{sha256.Sum256([]byte("another certificate"))}
	b.SetClient(c)
	l, ev := b.Follow(b.Login(), begin("kalyna"), nil)
	if _, err := b.Advance(t.Context(), l, ev); codeOf(err) != "UPSTREAM_INVALID" {
		t.Errorf("a certificate that is not the known one: %v", err)
	}
}

// TestSecondUse: a code and a token are good once, and an answer brings the same signature each time that it is brought, by
// whose digest the flow refuses a second use (threat T48).
func TestSecondUse(t *testing.T) {
	b := newBench(t, nil)
	l, ev := b.Walk(b.Login(), nil)
	a := fetchAnswer(t, b, ev)
	if _, err := b.Advance(t.Context(), l, ev); codeOf(err) != "REMOTE_EXPIRED" {
		t.Errorf("a code was taken twice: %v", err)
	}
	one, err := b.Client.identify(t.Context(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	two, err := b.Client.identify(t.Context(), a, "")
	if err != nil || !bytes.Equal(one.Evidence.Signature, two.Evidence.Signature) {
		t.Errorf("one answer has two signatures, %v", err)
	}
}

func fetchAnswer(t testing.TB, b *bench, ev connectors.Event) answer {
	t.Helper()
	token, err := b.Client.token(t.Context(), ev.Values.Get("code"), b.ReturnURL)
	if err != nil {
		t.Fatal(err)
	}
	a, err := b.Client.resource(t.Context(), token, b.Config.Keys[0].Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestEnvelopeOracleUniform: whatever octet of an envelope was changed, the person is told one thing (threat T49), or it is one
// that the bank's signature does not cover and that changes nothing. What is behind the key is compared in package idgov.
func TestEnvelopeOracleUniform(t *testing.T) {
	b := newBench(t, func(d *bankidtest.Config, _ *Config) {
		d.Form = bankidtest.Form{Static: true, CTR: true, ByKeyID: true}
	})
	_, ev := b.Walk(b.Login(), nil)
	good := fetchAnswer(t, b, ev)
	passed := 0
	for n := 0; n < len(good.customer); n += 7 {
		bad := good
		bad.customer = bytes.Clone(good.customer)
		bad.customer[n] ^= 0x11
		id, err := b.Client.identify(t.Context(), bad, "")
		switch {
		case err == nil && id.Name == name && id.Identifier(connectors.RNOKPP) == "3000199999":
			passed++
		case codeOf(err) != "UPSTREAM_INVALID" || id.Name != "":
			t.Errorf("octet %d: %v", n, err)
		}
	}
	if passed > 15 {
		t.Errorf("%d octets of the envelope do not matter", passed)
	}
}

// TestUpstreamURLList: no address, picture or name of the centre's list gets on our page or into a redirect (threat T54).
func TestUpstreamURLList(t *testing.T) {
	b := newBench(t, func(_ *bankidtest.Config, c *Config) { c.AskBank = true })
	step, err := b.Client.Begin(t.Context(), b.Login())
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%+v", step)
	for _, word := range []string{"javascript", "phishing", "<script", "bank.example"} {
		if strings.Contains(shown, word) {
			t.Errorf("%q is on the page: %s", word, shown)
		}
	}
	if b.Double.Asked(banksPath) != 1 {
		t.Error("the list was not asked for")
	}
	for _, base := range []string{"javascript:alert(1)", "https://user@id.bank.gov.ua", "https://id.bank.gov.ua/?x=", "ftp://id.bank.gov.ua", "//id.bank.gov.ua", "http://id.bank.gov.ua"} {
		c := b.Config
		c.BaseURL = base
		if _, err := New(c); err == nil {
			t.Errorf("%s is an address of a system", base)
		}
	}
}

// TestCallbackMatrix, this side: a return is taken by the login and the connector that it belongs to, and by no other
// (threat T50).
func TestCallbackMatrix(t *testing.T) {
	newBench(t, nil).CallbackMatrix(t, "idgov")
}

// FuzzUpstreamAnswer: no answer of the centre or the bank does more than a refusal with a code (threat T54).
func FuzzUpstreamAnswer(f *testing.F) {
	b := newBench(f, nil)
	_, ev := b.Walk(b.Login(), nil)
	good := fetchAnswer(f, b, ev)
	for _, seed := range [][]byte{
		good.customer, []byte(`{"state":"ok","cert":"MAA=","customerCrypto":"MAA=","memberId":"300001","sidBi":"1"}`), []byte(`{"error":"invalid_token"}`),
		[]byte(`{"type":"physical","lastName":"A","firstName":"B","inn":"3000199999","birthDay":"19.02.1982"}`), []byte(`[{"memberId":"1","workable":false}]`),
		[]byte(`{"a":1,"a":2}`), []byte("<html>"), []byte("[[]]"),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a := good
		a.customer = raw
		if _, err := b.Client.identify(t.Context(), a, ""); err != nil && codeOf(err) == "" {
			t.Errorf("identify: %v has no code", err)
		}
		if list, err := upstream.ParseList(raw); err != nil && list != nil {
			t.Error("a list and an error")
		}
		o, err := upstream.ParseObject(raw)
		if err != nil {
			return
		}
		if err := b.Client.answered(o); err != nil && codeOf(err) == "" {
			t.Errorf("answered: %v has no code", err)
		}
		if a, err := readAnswer(o); err == nil && len(a.customer) == 0 {
			t.Error("an answer without data")
		}
		id, err := b.Client.person(o)
		if err == nil && (id.Name == "" || len(id.Identifiers) == 0) || err != nil && codeOf(err) == "" {
			t.Errorf("a person without name or number, or no code: %v", err)
		}
	})
}
