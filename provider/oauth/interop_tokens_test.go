package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestOpenIDClientTokens(t *testing.T) {
	script := npmScript(t, "openid-client", "tokens.mjs")
	c := interfaces()[0]
	c.RedirectURIs = []string{loopbackPortal}
	for name, demanded := range map[string]bool{"with nonces": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			f, issuer := serveLoopbackWith(t, func(f *fixture) { f.p.cfg.DPoPNonce = demanded }, c)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "node", script, issuer, c.ID, testSecret, loopbackPortal)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, &stderr, f.log)
			}
			type tokens struct {
				Scope string
				Type  string `json:"token_type"`
				Sub   string
			}
			var got struct {
				First, Second, Own             tokens
				UserInfo, Introspection, After map[string]any
				Refused                        string
			}
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			cnf, _ := got.Introspection["cnf"].(map[string]any)
			if got.First.Scope != "openid profile offline_access" || !strings.EqualFold(got.First.Type, "DPoP") ||
				got.Second.Scope != "openid" || got.Second.Sub != got.First.Sub || got.UserInfo["sub"] != got.First.Sub ||
				got.Introspection["active"] != true || cnf["jkt"] == nil || got.After["active"] != false ||
				got.Refused != "invalid_grant" || got.Own.Scope != "orders.read" || !strings.EqualFold(got.Own.Type, "DPoP") {
				t.Errorf("%s", out)
			}
			if demanded != strings.Contains(f.log.String(), "use_dpop_nonce") {
				t.Errorf("log %s", f.log)
			}
		})
	}
}
