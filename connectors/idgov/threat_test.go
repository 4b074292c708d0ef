package idgov

import (
	"bytes"
	"net/http"
	"net/url"
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
	b.NoSecretInLogs(t, []url.Values{
		nil, set("outcome", idgovtest.Error200), set("outcome", idgovtest.Error401), set("outcome", idgovtest.BadClient),
		set("outcome", idgovtest.Clear), set("outcome", idgovtest.Development), set("outcome", idgovtest.NotAttribute),
		set("outcome", upstreamtest.FaultBig), set("outcome", upstreamtest.FaultDown), set("person", "noname"), set("person", "nonumber"),
	}, func(c *Config, base string) { c.BaseURL = base }, "access_token=")
	if got := b.Double.InQuery(); len(got) > 0 {
		t.Errorf("parameters in the address of %v", got)
	}
}

// TestClearAnswerRefused: attributes in clear, or JSON in the place of the envelope, are no answer (threat T47).
func TestClearAnswerRefused(t *testing.T) {
	newBench(t, nil).Invalid(t, idgovtest.Clear, idgovtest.Development)
}

// TestEnvelopeByStranger: an envelope proves nothing about its maker. Unsigned it gives substantial at most, whatever it says
// of a device; signed by anybody but the system it is refused (threat T47).
func TestEnvelopeByStranger(t *testing.T) {
	b := newBench(t, nil)
	b.pinned()
	id, err := b.Try(set("outcome", idgovtest.Device, "form", "plain"))
	if err != nil || id.LoA != connectors.Substantial || !bytes.Contains(id.Evidence.Content, []byte(`"signed":false`)) {
		t.Errorf("unsigned: level %s, record %s, %v", id.LoA, id.Evidence.Content, err)
	}
	b.Invalid(t, idgovtest.Stranger, idgovtest.Official, idgovtest.BadSignature)
	// Without a known signer a good signature of somebody is no more than none.
	c := b.Config
	c.Signers = nil
	b.SetClient(c)
	if id, err := b.Try(set("outcome", idgovtest.Device, "form", "signed")); err != nil || id.LoA != connectors.Substantial {
		t.Errorf("signer not known: %s, %v", id.LoA, err)
	}
	b.Invalid(t, idgovtest.Stranger, idgovtest.BadSignature)
}

// TestEnvelopeOracleUniform: whatever is wrong with an envelope, the person is told one thing, and where the key had a part
// the operator is too (threat T49).
func TestEnvelopeOracleUniform(t *testing.T) {
	b := newBench(t, nil)
	_, ev := b.Walk(b.Login(), nil)
	tok, err := b.Client.token(t.Context(), ev.Values.Get("code"), b.ReturnURL)
	if err != nil {
		t.Fatal(err)
	}
	good, err := b.Client.userInfo(t.Context(), tok, b.Config.Keys[0].Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	asked := []string{DigSign}
	if _, err := b.Client.identify(t.Context(), good, tok, asked); err != nil {
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
		_, err := b.Client.identify(t.Context(), bad, tok, asked)
		if codeOf(err) != "UPSTREAM_INVALID" {
			t.Errorf("%s: %v", what, err)
			continue
		}
		texts[err.Error()] = true
	}
	zero := bytes.Clone(good)
	clear(zero[point+2 : point+35]) // x = 0, a point of order two
	if _, err := b.Client.identify(t.Context(), zero, tok, asked); err == nil {
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
		id, err := b.Client.identify(t.Context(), bad, tok, asked)
		if err == nil && n < key+46 {
			t.Errorf("octet %d was changed and %s signed in", n, id.Name)
		}
	}
}

// TestCallbackMatrix, this side: a return is taken by the login and the connector that it belongs to, and by no other
// (threat T50).
func TestCallbackMatrix(t *testing.T) {
	newBench(t, nil).CallbackMatrix(t, "bankid")
}

// TestPostReturnAlone: a return without the login's own state completes nothing, by whichever way it came (threat T51; that a
// POST is kept until the browser comes with its cookie is the flow's part).
func TestPostReturnAlone(t *testing.T) {
	b := newBench(t, nil)
	_, ev := b.Walk(b.Login(), nil)
	ev.Body = []byte(ev.Values.Encode())
	ev.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if _, err := b.Advance(t.Context(), b.Login(), ev); codeOf(err) != "TX_UNKNOWN" {
		t.Errorf("%v", err)
	}
}

// FuzzUpstreamAnswer: no answer of the system, at any call, does more than a refusal, and the text of an error is never of
// the answer (threat T54).
func FuzzUpstreamAnswer(f *testing.F) {
	b := newBench(f, nil)
	_, ev := b.Walk(b.Login(), nil)
	tok, err := b.Client.token(f.Context(), ev.Values.Get("code"), b.ReturnURL)
	if err != nil {
		f.Fatal(err)
	}
	good, err := b.Client.userInfo(f.Context(), tok, b.Config.Keys[0].Certificate.Raw)
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
		if _, err := b.Client.identify(t.Context(), answer, tok, []string{DigSign}); err != nil && codeOf(err) == "" {
			t.Errorf("identify: %v has no code", err)
		}
		o, err := upstream.ParseObject(answer)
		if err != nil {
			if o != nil {
				t.Error("an object and an error")
			}
			return
		}
		if err := b.Client.answered(o); err != nil && codeOf(err) == "" {
			t.Errorf("answered: %v has no code", err)
		}
		id, err := b.Client.person(o, []string{DigSign})
		if err == nil && (id.Name == "" || len(id.Identifiers) == 0) {
			t.Error("a person without name or number")
		}
		for name := range o {
			_, _ = o.Secret(name)
			_, _ = o.Bytes(name)
		}
	})
}
