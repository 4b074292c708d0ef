package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// TestOpenIDClientSigned: npm's openid-client asks by PAR, by request object, for a signed answer and for DPoP tokens, and by
// all of them as the profiles of FAPI 2.0 demand.
func TestOpenIDClientSigned(t *testing.T) {
	script := npmScript(t, "openid-client", "signed.mjs")
	key := clientKeys()["ES256"]
	private := jose.JSONWebKey{Key: key.private, KeyID: key.id, Algorithm: "ES256"}
	secret := signingPortal(t)
	secret.JWKS = keySetOf(t, key.public())
	asserting := jwtClient(t)
	fapi, signing := fapiClient(t, ProfileFAPI2), fapiClient(t, ProfileFAPI2MessageSigning)
	fapi.ID, signing.ID = "fapi", "signing"
	f, issuer := serveLoopback(t, secret, asserting, fapi, signing)
	type ways struct {
		Issuer      string           `json:"issuer"`
		ID          string           `json:"id"`
		Secret      string           `json:"secret,omitempty"`
		Key         *jose.JSONWebKey `json:"key,omitempty"`
		RedirectURI string           `json:"redirectURI"`
		Alg         string           `json:"alg"`
		PAR         bool             `json:"par"`
		JAR         bool             `json:"jar"`
		JARM        bool             `json:"jarm"`
		DPoP        bool             `json:"dpop"`
	}
	for name, c := range map[string]ways{
		"PAR, secret":     {ID: "portal", Secret: testSecret, PAR: true},
		"PAR, assertion":  {ID: "jwt", PAR: true},
		"JAR and JARM":    {ID: "jwt", JAR: true, JARM: true},
		"FAPI 2.0":        {ID: "fapi", PAR: true, DPoP: true},
		"message signing": {ID: "signing", PAR: true, JAR: true, JARM: true, DPoP: true},
	} {
		t.Run(name, func(t *testing.T) {
			c.Issuer, c.RedirectURI, c.Alg = issuer, "https://portal.example.ua/cb", "ES256"
			if c.Secret == "" || c.JAR {
				c.Key = &private
			}
			raw, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "node", script, string(raw))
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, &stderr, f.log)
			}
			var got struct {
				Claims, UserInfo map[string]any
				Type             string
				Parameters       []string
			}
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			if got.Claims["iss"] != issuer || got.Claims["acr"] != "substantial" || got.UserInfo["sub"] != got.Claims["sub"] || (got.Type == "dpop") != c.DPoP {
				t.Errorf("%s", out)
			}
			if c.PAR && !slices.Equal(slices.Sorted(slices.Values(got.Parameters)), []string{"client_id", "request_uri"}) {
				t.Errorf("the browser carried %v", got.Parameters)
			}
		})
	}
}
