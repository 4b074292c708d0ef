package config

import (
	"os"
	"strings"
	"testing"
)

const inToken = valid + `keys:
  pkcs11:
    module: /usr/lib/softhsm/libsofthsm2.so
    token: brama
    pin_file: pin
    signing: {ES256: sign-ec, RS256: sign-rsa}
`

func TestKeysRefuses(t *testing.T) {
	if _, err := load(t, inToken); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		inToken + "    next: {RS256: sign-rsa-2027}\n  revoked: [HvFIkRaBRtV4oXiFMmvYTpkYv7YL0D4hTdGh9AzECOM]\n",
		valid + "keys: {rotate_every: 30d}\n",
		valid + "keys: {algorithms: [ES256, RS256]}\n",
	} {
		if _, err := load(t, text); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"relative module", "/usr/lib", "lib", "keys.pkcs11.module"},
		{"no module", "    module: /usr/lib/softhsm/libsofthsm2.so\n", "", "keys.pkcs11.module"},
		{"no token", "    token: brama\n", "", "keys.pkcs11.token"},
		{"no PIN file", "    pin_file: pin\n", "", "keys.pkcs11.pin_file"},
		{"the PIN itself", "pin_file: pin", "pin: 1234", "pin"},
		{"one algorithm", ", RS256: sign-rsa", "", "keys.pkcs11.signing.RS256"},
		{"unknown algorithm", "RS256: sign-rsa", "HS256: sign-rsa", "HS256"},
		{"one key for both", "sign-rsa", "sign-ec", "two keys"},
		{"next is the same", "RS256: sign-rsa}", "RS256: sign-rsa}\n    next: {ES256: sign-ec}", "two keys"},
		{"rotation of a token", "keys:\n", "keys:\n  rotate_every: 90d\n", "keys.rotate_every"},
		{"algorithms of a token", "keys:\n", "keys:\n  algorithms: [ES256]\n", "keys.algorithms"},
		{"unknown algorithm", inToken[strings.Index(inToken, "  pkcs11:"):], "  algorithms: [ES256, HS256]\n", "keys.algorithms"},
		{"not the default algorithm", inToken[strings.Index(inToken, "  pkcs11:"):], "  algorithms: [RS256]\n", "keys.algorithms"},
		{"rotation too quick", inToken[strings.Index(inToken, "  pkcs11:"):], "  rotate_every: 24h\n", "keys.rotate_every"},
		{"no id of a key", "keys:\n", "keys:\n  revoked: [abc]\n", "keys.revoked"},
		{"nothing in it", inToken[strings.Index(inToken, "  pkcs11:"):], "  pkcs11:\n", "keys"},
	} {
		text := strings.Replace(inToken, c.old, c.new, 1)
		if text == inToken {
			t.Fatalf("%s: the case changes nothing", c.name)
		}
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error about %q", c.name, err, c.want)
		}
	}
	// Every fault at once.
	_, err := load(t, valid+"keys: {pkcs11: {module: m}}\n")
	for _, want := range []string{"module", "token", "pin_file", "signing.ES256", "signing.RS256"} {
		if err == nil || !strings.Contains(err.Error(), "keys.pkcs11."+want) {
			t.Errorf("nothing of %s in %v", want, err)
		}
	}
}

func TestPIN(t *testing.T) {
	c, err := load(t, inToken)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		text string
		mode os.FileMode
		want string
	}{
		{"4815 1623\n", 0o600, "4815 1623"},
		{"48151623", 0o640, "48151623"},
		{"48151623", 0o604, ""},
		{"\n", 0o600, ""},
		{"48151623\n#old: 1\n", 0o600, ""},
		{strings.Repeat("4", maxPIN+1), 0o600, ""},
	} {
		_ = os.Remove(c.Path("pin"))
		if err := os.WriteFile(c.Path("pin"), []byte(test.text), test.mode); err != nil {
			t.Fatal(err)
		}
		pin, err := c.PIN()
		if string(pin) != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%q, %v: %q, %v", test.text, test.mode, pin, err)
		}
		if err != nil && strings.Contains(err.Error(), "4815") {
			t.Errorf("the error tells the PIN: %v", err)
		}
	}
}
