//go:build pkcs11 && cgo

package systems_test

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brama/cmd/brama/internal/systems"
	"brama/cmd/brama/internal/wiring"
	"brama/connectors"
	"brama/connectors/bankid"
	"brama/connectors/idgov"
	"brama/internal/qes/qestest"
	"brama/internal/tools/pkcs11dstu"
)

// TestEnvelopeKeyInToken: answers of ID.GOV.UA and of a bank are opened by a key that never leaves its token; with the key
// of another certificate, without the PIN, or without the token the start is refused, and no PIN is told.
func TestEnvelopeKeyInToken(t *testing.T) {
	t.Setenv("BANKID_SECRET_OF_THE_TEST", secret)
	w := newWorld(t)
	module := pkcs11dstu.Build(t, t.TempDir())
	const pin = "48151623"
	tokens := pkcs11dstu.New(t)
	token := tokens.Add(0, "brama", "1", pin, 3)
	add := func(name string) {
		t.Helper()
		key := w.issue(qestest.Request{Kind: qestest.Encryption, Organization: "Brama", EDRPOU: "12345678"})
		w.write(name, key.Certificate.Raw)
		token.ForAgreement(token.AddKey(key.Key.DSTU.Bytes(), key.Key.DSTU.PublicKey().Bytes(), nil))
	}
	add("token.cer")
	add("token2.cer")
	w.write("pin", []byte(pin+"\n"))
	text := strings.ReplaceAll(w.settings("branch1", "offer1"), "{container: key.dat, password_file: password, certificate: key.cer}",
		"{pkcs11: {module: "+module+", token: brama, pin_file: pin, key: key 0}, certificate: token.cer}")

	for _, c := range []struct{ name, old, new, want string }{
		{"another key", "key: key 0", "key: key 1", "not the key of the certificate"},
		{"no key", "key: key 0", "key: key 7", "no such key"},
		{"no token", "token: brama", "token: other", "no such token"},
		{"no PIN", "pin_file: pin", "pin_file: none", "connectors.idgov.keys[0].pkcs11.pin_file"},
		{"no module", module, "/nonexistent.so", "/nonexistent.so"},
	} {
		cfg := w.config(w.load(strings.ReplaceAll(text, c.old, c.new)))
		hsm := &wiring.HSM{}
		cfg.Agreement = hsm.Agreement
		methods, err := systems.New(cfg)
		if err == nil || methods != nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "connectors.idgov.keys[0].pkcs11") {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && strings.Contains(err.Error(), pin) {
			t.Errorf("%s: the error tells the PIN: %v", c.name, err)
		}
		if err := hsm.Close(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}

	cfg := w.config(w.load(text))
	hsm := &wiring.HSM{}
	cfg.Agreement = hsm.Agreement
	methods, err := systems.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := hsm.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	before := len(token.Calls())
	for method, choices := range map[string]url.Values{idgov.Method: {"means": {idgov.DigSign}}, bankid.Method: {"bank": {"kalyna"}}} {
		l := login(t, method)
		step, err := methods[method].Begin(t.Context(), l)
		l.State = state(t, step, err)
		step, err = methods[method].Advance(t.Context(), l, w.away(step.(connectors.Redirect).URL, choices))
		if done, ok := step.(connectors.Done); err != nil || !ok || done.Identity.FamilyName == "" {
			t.Errorf("%s: %T, %v", method, step, err)
		}
	}
	if calls := token.Calls()[before:]; !slices.Equal(calls, []string{"derive", "unwrap", "destroy", "destroy", "derive", "unwrap", "destroy", "destroy"}) {
		t.Errorf("the token was asked %v", calls)
	}
	// A token that was pulled out is told by readiness, and opens nothing.
	token.Remove()
	if err := hsm.Ready(t.Context()); err == nil {
		t.Error("ready without the token")
	}
	token.Insert()
	if err := hsm.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "pin")); err != nil {
		t.Error(err)
	}
}
