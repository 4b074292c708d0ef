package demoportal

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestEntries: the two buttons of the printed guides stand on the start page and ask for different methods; what the tester
// adds goes on to the provider, from a closed list.
func TestEntries(t *testing.T) {
	var issuer string
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"issuer":"` + issuer + `","authorization_endpoint":"` + issuer + `/authorize","token_endpoint":"` + issuer + `/token","jwks_uri":"` + issuer + `/jwks"}`))
	}))
	defer provider.Close()
	issuer = provider.URL
	p, err := New(Config{Issuer: issuer, ClientID: "c", BaseURL: "http://127.0.0.1:1", Scopes: []string{"openid"}})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		p.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	body := get("/?lang=uk").Body.String()
	for id, want := range map[string][2]string{"login": {"Авторизація за допомогою КЕП", "file"}, "login-idgov": {"IDGOVUA", "idgov"}} {
		m := regexp.MustCompile(`id="` + id + `" href="([^"]+)">([^<]+)<`).FindStringSubmatch(body)
		if m == nil || m[2] != want[0] {
			t.Fatalf("button %s: %v", id, m)
		}
		w := get(strings.ReplaceAll(m[1], "&amp;", "&"))
		to, err := url.Parse(w.Header().Get("Location"))
		if err != nil || to.Query().Get("idp_hint") != want[1] {
			t.Errorf("%s leads to %v", id, to)
		}
	}
	to, _ := url.Parse(get("/login?prompt=create&redirect_uri=http://evil.example/&idp_hint=").Header().Get("Location"))
	if to.Query().Get("prompt") != "create" || to.Query().Get("redirect_uri") != "http://127.0.0.1:1/callback" || to.Query().Has("idp_hint") {
		t.Errorf("what a tester adds becomes %v", to)
	}
}
