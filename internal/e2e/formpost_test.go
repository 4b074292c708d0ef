package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// TestFormPostByScript: the page of response_mode form_post sends itself in a browser with scripts, within its own policy, and
// waits for a press in one without.
func TestFormPostByScript(t *testing.T) {
	t.Parallel()
	answers := make(chan url.Values, 4)
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.ParseForm() == nil {
			answers <- r.PostForm
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><title>x</title><p id="there">there</p>`))
	}))
	t.Cleanup(portal.Close)
	raw, err := json.Marshal(map[string]any{
		"client_id": "posted", "token_endpoint_auth_method": "none", "redirect_uris": []string{portal.URL + "/cb"}, "client_name": "Portal",
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "client.json")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDev(t, "--client", file)
	address := d.Issuer + "/authorize?" + url.Values{
		"client_id": {"posted"}, "redirect_uri": {portal.URL + "/cb"}, "response_type": {"code"}, "response_mode": {"form_post"}, "scope": {"openid"},
		"state": {`<"state'&>`}, "prompt": {"none"}, "ui_locales": {"uk"}, "code_challenge_method": {"S256"}, "code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
	}.Encode()
	for _, noScript := range []bool{false, true} {
		b := newBrowser(t, browserOptions{noScript: noScript})
		b.open(address)
		if noScript {
			b.click("Повернутися на портал")
		}
		b.see("#there")
		if v := <-answers; v.Get("error") != "login_required" || v.Get("state") != `<"state'&>` || v.Get("iss") != d.Issuer {
			t.Errorf("scripts off: %t: %v", noScript, v)
		}
		b.noReports()
	}
}
