package oauth

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"brama/connectors"
)

// wholePortal is a portal that may have whatever there is.
func wholePortal(t testing.TB) Client {
	t.Helper()
	c := signingPortal(t)
	c.GrantTypes = slices.Clone(grantTypes)
	c.Scopes = append(slices.Clone(scopes), scopeOffline)
	c.APIScopes = []string{"orders"}
	c.Claims = append(c.Claims, "email")
	c.CertificateClaims, c.IntrospectionRight = true, true
	c.RequestURIs = []string{testRequestURI}
	return c
}

// announced is a value of the metadata under test.
type announced struct {
	*fixture
	name  string
	value any
}

func (a *announced) list() []string {
	var out []string
	values, _ := a.value.([]any)
	for _, v := range values {
		s, _ := v.(string)
		out = append(out, s)
	}
	if len(out) == 0 {
		a.t.Errorf("%s is no list: %v", a.name, a.value)
	}
	return out
}

// endpoint checks that what is behind an announced address is served and is not the nothing of an unknown one.
func endpoint(path string) func(*announced) {
	return func(a *announced) {
		if a.value != testIssuer+path {
			a.t.Errorf("%s is %v", a.name, a.value)
		}
	}
}

// accepted checks each value as a parameter of a request, and that another one is refused with code; "" for a parameter
// whose unknown values are ignored.
func accepted(parameter, refusal string) func(*announced) {
	return func(a *announced) {
		for _, v := range a.list() {
			a.code(parameter, v)
		}
		if refusal != "" {
			a.refused(parameter, refusal, parameter, "unknown")
		}
	}
}

func always(want any) func(*announced) {
	return func(a *announced) {
		if a.value != want {
			a.t.Errorf("%s is %v", a.name, a.value)
		}
	}
}

// signs checks that a client is given what it registers for, in every announced algorithm and no other.
func signsFor(set func(*Client, string), token func(*fixture) string) func(*announced) {
	return func(a *announced) {
		for _, alg := range a.list() {
			c := wholePortal(a.t)
			set(&c, alg)
			f := newFixture(a.t, memStore(a.t), c)
			if got := headerOf(a.t, token(f))["alg"]; got != alg {
				a.t.Errorf("%s: %s gives %v", a.name, alg, got)
			}
		}
		c := wholePortal(a.t)
		set(&c, "HS256")
		if c.Validate() == nil {
			a.t.Errorf("%s: HS256 can be registered", a.name)
		}
	}
}

// registers checks that a client can be registered for every announced value and for no other.
func registers(all []string, set func(*Client, string)) func(*announced) {
	return func(a *announced) {
		values := a.list()
		for _, v := range append(slices.Clone(all), "unknown", "none_of_ours") {
			c := wholePortal(a.t)
			set(&c, v)
			if err := c.Validate(); (err == nil) != slices.Contains(values, v) {
				a.t.Errorf("%s: %q is announced %t, registered: %v", a.name, v, slices.Contains(values, v), err)
			}
		}
	}
}

// proofs hold for each field of the metadata what shows that it is true. Who adds a field adds its proof.
var proofs = map[string]func(*announced){
	"issuer":                                always(testIssuer),
	"authorization_endpoint":                endpoint(PathAuthorize),
	"token_endpoint":                        endpoint(PathToken),
	"userinfo_endpoint":                     endpoint(PathUserInfo),
	"revocation_endpoint":                   endpoint(PathRevoke),
	"introspection_endpoint":                endpoint(PathIntrospect),
	"pushed_authorization_request_endpoint": endpoint(PathPAR),
	"jwks_uri":                              endpoint(PathJWKS),
	"scopes_supported": func(a *announced) {
		for _, s := range a.list() {
			body := a.mustExchange(a.code("scope", "openid "+s, "prompt", "consent"))
			if granted, _ := body["scope"].(string); !slices.Contains(strings.Fields(granted), s) {
				a.t.Errorf("scope %s gives %q", s, granted)
			}
		}
	},
	"response_types_supported": accepted("response_type", "unsupported_response_type"),
	"response_modes_supported": func(a *announced) {
		for _, m := range a.list() {
			w := a.ask(params("response_mode", m))
			var v url.Values
			if strings.HasPrefix(m, "form_post") {
				v = a.posted(w)
			} else {
				v = a.answerOf(w)
			}
			if (v.Get("response") != "") != strings.HasSuffix(m, "jwt") || v.Get("response") == "" && v.Get("code") == "" {
				a.t.Errorf("%s: %v", m, v)
			}
		}
		a.refused("fragment", "invalid_request", "response_mode", "fragment")
	},
	"grant_types_supported": func(a *announced) {
		for _, g := range append(a.list(), "password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer") {
			status, body := a.tokens(asked(PathToken, "portal", url.Values{"grant_type": {g}}))
			if (status == 400 && body["error"] == "unsupported_grant_type") == slices.Contains(a.list(), g) {
				a.t.Errorf("%s: %d %v", g, status, body)
			}
		}
	},
	"acr_values_supported": func(a *announced) {
		for _, v := range a.list() {
			a.subject = func(*AuthorizeRequest) Subject {
				s := testSubject(time.Now())
				s.Identity.LoA = connectors.LoA(v)
				return s
			}
			if got := a.idClaims(a.mustExchange(a.code("claims", `{"id_token":{"acr":{"essential":true,"value":"`+v+`"}}}`)))["acr"]; got != v {
				a.t.Errorf("acr %s: %v", v, got)
			}
		}
	},
	"code_challenge_methods_supported": accepted("code_challenge_method", "invalid_request"),
	"prompt_values_supported": func(a *announced) {
		a.subject = func(r *AuthorizeRequest) Subject {
			if slices.Contains(r.Prompt, "none") {
				return testSubject(time.Now().Add(-time.Minute)) // there is a session
			}
			return testSubject(time.Now())
		}
		accepted("prompt", "invalid_request")(a)
	},
	"display_values_supported": func(a *announced) {
		if got := a.list(); len(got) != 1 || got[0] != "page" {
			a.t.Errorf("there is one page, and %v is announced", got)
		}
		a.read("display", "popup") // is no error
	},
	"ui_locales_supported": accepted("ui_locales", ""),
	"claims_parameter_supported": func(a *announced) {
		if (a.read("claims", `{"userinfo":{"name":null}}`).Claims != nil) != a.value.(bool) {
			a.t.Error("claims parameter")
		}
	},
	"request_parameter_supported": func(a *announced) {
		if (a.answerOf(a.give(object(a.t, nil))).Get("code") != "") != a.value.(bool) {
			a.t.Error("request parameter")
		}
	},
	"request_uri_parameter_supported": func(a *announced) {
		if (a.answerOf(a.refer(testRequestURI)).Get("code") != "") != a.value.(bool) {
			a.t.Errorf("request_uri is %v", a.value)
		}
	},
	"require_request_uri_registration": func(a *announced) {
		if a.value != true {
			a.t.Errorf("registration of request_uri is %v", a.value)
		}
		a.page("by reference", a.refer(testRequestURI+"x"), "invalid_request_uri")
	},
	"request_object_signing_alg_values_supported": func(a *announced) {
		for _, alg := range a.list() {
			if q := a.answerOf(a.give(signJWT(a.t, clientKeys()[alg], objectClaims(nil), nil))); q.Get("code") == "" {
				a.t.Errorf("request object by %s: %v", alg, q)
			}
		}
		if slices.Contains(a.list(), "none") || slices.Contains(a.list(), "HS256") {
			a.t.Error("none or HS256")
		}
	},
	"require_pushed_authorization_requests": func(a *announced) {
		if a.value != false || a.code() == "" {
			a.t.Error("PAR is not required") // that it says true where it is: TestRequirePAR
		}
	},
	"require_signed_request_object": func(a *announced) {
		if a.value != false || a.code() == "" {
			a.t.Error("request objects are not required")
		}
	},
	"authorization_response_iss_parameter_supported": func(a *announced) {
		if a.value != true || a.answerOf(a.ask(params())).Get("iss") != testIssuer || a.answerOf(a.ask(params("prompt", "x"))).Get("iss") != testIssuer {
			a.t.Error("iss")
		}
	},
	"subject_types_supported": registers([]string{Pairwise, Public}, func(c *Client, v string) { c.SubjectType = v }),
	"authorization_signing_alg_values_supported": signsFor(func(c *Client, alg string) { c.AuthorizationSignedAlg = alg },
		func(f *fixture) string { return f.answerOf(f.ask(params("response_mode", "jwt"))).Get("response") }),
	"id_token_signing_alg_values_supported": signsFor(func(c *Client, alg string) { c.IDTokenAlg = alg },
		func(f *fixture) string { return f.mustExchange(f.code())["id_token"].(string) }),
	"introspection_signing_alg_values_supported": signsFor(func(c *Client, alg string) { c.IDTokenAlg = alg },
		func(f *fixture) string {
			r := asked(PathIntrospect, "portal", url.Values{"token": {"x"}})
			r.Header.Set("Accept", mediaIntrospection)
			return f.do(r).Body.String()
		}),
	"userinfo_signing_alg_values_supported": signsFor(func(c *Client, alg string) { c.UserInfoSignedAlg = alg },
		func(f *fixture) string { return f.userinfoText(f.mustExchange(f.code())) }),
	"id_token_encryption_alg_values_supported": encryptsBy("alg", func(c *Client, v string) { c.IDTokenEncAlg = v },
		func(f *fixture) string { return f.mustExchange(f.code())["id_token"].(string) }),
	"id_token_encryption_enc_values_supported": encryptsBy("enc", func(c *Client, v string) { c.IDTokenEncAlg, c.IDTokenEncEnc = "ECDH-ES", v },
		func(f *fixture) string { return f.mustExchange(f.code())["id_token"].(string) }),
	"userinfo_encryption_alg_values_supported": encryptsBy("alg", func(c *Client, v string) { c.UserInfoEncAlg = v },
		func(f *fixture) string { return f.userinfoText(f.mustExchange(f.code())) }),
	"userinfo_encryption_enc_values_supported": encryptsBy("enc", func(c *Client, v string) { c.UserInfoEncAlg, c.UserInfoEncEnc = "ECDH-ES", v },
		func(f *fixture) string { return f.userinfoText(f.mustExchange(f.code())) }),
	"service_documentation": always(testIssuer + "/docs"), // TestTwoDocuments in provider opens it
	"end_session_endpoint":  endpoint(PathLogout),
	// provider/backchannel and the provider's own tests show the way of each message.
	"backchannel_logout_supported":          always(true),
	"backchannel_logout_session_supported":  always(true),
	"frontchannel_logout_supported":         always(true),
	"frontchannel_logout_session_supported": always(true),
	"dpop_signing_alg_values_supported": func(a *announced) {
		ks := clientKeys()
		for _, alg := range a.list() {
			k := &prover{t: a.t, key: ks[alg].private, alg: alg, base: testIssuer}
			if status, body := a.dpopExchange(a.code(), k.proof(PathToken)); status != http.StatusOK {
				a.t.Errorf("proof by %s: %d %v", alg, status, body)
			}
		}
	},
	// TestCertificateBoundToken shows it.
	"tls_client_certificate_bound_access_tokens": always(true),
	"verified_claims_supported": func(a *announced) {
		if got := verifiedBy(a, verifiedAll); (got != "") != a.value.(bool) {
			a.t.Errorf("verified_claims %s", got)
		}
	},
	"trust_frameworks_supported": func(a *announced) {
		for _, v := range append(a.list(), "eidas") {
			got := verifiedBy(a, `{"verification":{"trust_framework":{"value":"`+v+`"}},"claims":{"name":null}}`)
			if (got != "") != slices.Contains(a.list(), v) {
				a.t.Errorf("trust framework %s: %s", v, got)
			}
		}
	},
	"evidence_supported": func(a *announced) {
		for _, v := range append(a.list(), "document", "electronic_record", "vouch") {
			got := verifiedBy(a, `{"verification":{"trust_framework":null,"evidence":[{"type":{"value":"`+v+`"}}]},"claims":{"name":null}}`)
			if (got != "") != slices.Contains(a.list(), v) {
				a.t.Errorf("evidence %s: %s", v, got)
			}
		}
	},
	"claims_in_verified_claims_supported": func(a *announced) {
		for _, v := range append(releasedClaims(), "address") {
			got := verifiedBy(a, `{"verification":{"trust_framework":null},"claims":{"`+v+`":null}}`)
			if (got != "") != slices.Contains(a.list(), v) {
				a.t.Errorf("verified claim %s: %s", v, got)
			}
		}
	},
	"claim_types_supported": func(a *announced) {
		if len(a.list()) != 1 || a.list()[0] != "normal" {
			a.t.Errorf("%v", a.value)
		}
	},
	// Every claim of a full token is announced, and every announced claim can come.
	"claims_supported": func(a *announced) {
		a.subject = func(*AuthorizeRequest) Subject {
			s := testSubject(time.Now())
			s.Role, s.Identity.BirthDate, s.Identity.Email = "organization", time.Unix(0, 0), "t@example.ua"
			return s
		}
		got := a.idClaims(a.mustExchange(a.code("scope", strings.Join(scopes, " "))))
		for name := range got {
			if name != "jti" && !slices.Contains(a.list(), name) {
				a.t.Errorf("claim %s is not announced", name)
			}
		}
		for _, name := range a.list() {
			if _, ok := got[name]; !ok {
				a.t.Errorf("claim %s is announced and does not come", name)
			}
		}
	},
	"token_endpoint_auth_methods_supported":         authMethodsAre(false),
	"revocation_endpoint_auth_methods_supported":    authMethodsAre(false),
	"introspection_endpoint_auth_methods_supported": authMethodsAre(true),
	// TestPrivateKeyJWT proves the algorithms one by one.
	"token_endpoint_auth_signing_alg_values_supported":         assertionAlgorithms,
	"revocation_endpoint_auth_signing_alg_values_supported":    assertionAlgorithms,
	"introspection_endpoint_auth_signing_alg_values_supported": assertionAlgorithms,
	"mtls_endpoint_aliases": func(a *announced) {
		aliases, _ := a.value.(map[string]any)
		whole := a.discovered()
		for name, address := range aliases {
			plain, _ := whole[name].(string)
			if address != "https://mtls.example.ua"+strings.TrimPrefix(plain, testIssuer) || plain == "" {
				a.t.Errorf("alias %s is %v", name, address)
			}
		}
	},
}

func authMethodsAre(confidential bool) func(*announced) {
	return func(a *announced) {
		all := []string{AuthPrivateKeyJWT, AuthBasic, AuthPost, AuthNone, AuthSelfSignedTLS, AuthTLS}
		for _, m := range append(all, "client_secret_jwt") {
			if want := m != "client_secret_jwt" && !(confidential && m == AuthNone); slices.Contains(a.list(), m) != want {
				a.t.Errorf("%s: %s is announced: %t", a.name, m, !want)
			}
		}
	}
}

func assertionAlgorithms(a *announced) {
	if !slices.Equal(a.list(), AssertionAlgorithms()) {
		a.t.Errorf("%s: %v", a.name, a.value)
	}
}

// The metadata say what is so and nothing else: each field has its proof.
func TestDiscoveryIsTrue(t *testing.T) {
	fixtureWith := func(t *testing.T) *fixture {
		f := newFixture(t, memStore(t), wholePortal(t))
		cfg := f.p.cfg
		cfg.Documentation = testIssuer + "/docs"
		cfg.Fetch = serving(object(t, nil)).fetch
		cfg.MTLSBase, cfg.ClientCAs = "https://mtls.example.ua", x509.NewCertPool()
		var err error
		if f.p, err = New(cfg); err != nil {
			t.Fatal(err)
		}
		return f.withFormPost()
	}
	fields := fixtureWith(t).discovered()
	for name, value := range fields {
		proof := proofs[name]
		if proof == nil {
			t.Errorf("%s is announced and nothing shows that it is true", name)
			continue
		}
		t.Run(name, func(t *testing.T) { proof(&announced{fixtureWith(t), name, value}) })
	}
	for name := range proofs {
		if _, ok := fields[name]; !ok {
			t.Errorf("%s is not announced", name)
		}
	}
	// What is not configured is not announced.
	plain := newFixture(t, memStore(t)).discovered()
	if _, ok := plain["mtls_endpoint_aliases"]; ok || plain["registration_endpoint"] != nil {
		t.Errorf("%v", plain)
	}
	if modes, _ := plain["response_modes_supported"].([]any); slices.Contains(modes, any("form_post")) {
		t.Errorf("%v", modes)
	}
}

func TestDiscoveryIsValid(t *testing.T) {
	w := newFixture(t, memStore(t)).do(httptest.NewRequest("GET", PathDiscovery, nil))
	if w.Code != http.StatusOK || !json.Valid(w.Body.Bytes()) || bytes.Contains(w.Body.Bytes(), []byte("null")) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
