package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// TestOpenIDClientDecrypts: another library opens what is encrypted for a portal, and verifies what is inside.
func TestOpenIDClientDecrypts(t *testing.T) {
	script := npmScript(t, "openid-client", "sealed.mjs")
	pair := testPortalKeys()
	for _, form := range []struct{ sign, alg, enc string }{
		{"ES256", "ECDH-ES", "A128CBC-HS256"}, {"EdDSA", "ECDH-ES+A256KW", "A256GCM"},
		{"RS256", "ECDH-ES+A128KW", "A128GCM"}, {"PS256", "RSA-OAEP-256", "A128GCM"},
	} {
		c := portal()
		c.RedirectURIs, c.JWKS = []string{loopbackPortal}, pair.set(t)
		c.IDTokenAlg, c.UserInfoSignedAlg = form.sign, form.sign
		c.IDTokenEncAlg, c.IDTokenEncEnc, c.UserInfoEncAlg, c.UserInfoEncEnc = form.alg, form.enc, form.alg, form.enc
		f, issuer := serveLoopback(t, c)
		private := jose.JSONWebKey{Key: pair.ec, KeyID: "ec"}
		if strings.HasPrefix(form.alg, "RSA") {
			private = jose.JSONWebKey{Key: pair.rsa, KeyID: "rsa"}
		}
		jwk, err := private.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := exec.CommandContext(ctx, "node", script, issuer, c.ID, testSecret, loopbackPortal, form.sign, form.alg, form.enc)
		var stderr bytes.Buffer
		cmd.Stdin, cmd.Stderr = bytes.NewReader(jwk), &stderr
		out, err := cmd.Output()
		cancel()
		if err != nil {
			t.Errorf("%+v: %v\n%s\n%s", form, err, &stderr, f.log)
			continue
		}
		var got struct {
			Parts            int
			Claims, UserInfo map[string]any
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if got.Parts != 5 || got.Claims["rnokpp"] != "3333333334" || got.UserInfo["sub"] != got.Claims["sub"] || got.UserInfo["aud"] != c.ID {
			t.Errorf("%+v: %s", form, out)
		}
	}
}
