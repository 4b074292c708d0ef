package oauth

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"brama/provider/keys"
)

// metadata says exactly what is true of this provider (OpenID Connect Discovery 1.0, RFC 8414): a field comes here in the
// change that makes it work.
func metadata(issuer string) ([]byte, error) {
	return json.Marshal(map[string]any{
		"issuer":                                         issuer,
		"authorization_endpoint":                         issuer + PathAuthorize,
		"token_endpoint":                                 issuer + PathToken,
		"userinfo_endpoint":                              issuer + PathUserInfo,
		"jwks_uri":                                       issuer + PathJWKS,
		"scopes_supported":                               scopes,
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          []string{grantCode},
		"acr_values_supported":                           acrs,
		"subject_types_supported":                        []string{Pairwise, Public},
		"id_token_signing_alg_values_supported":          keys.Algorithms(),
		"token_endpoint_auth_methods_supported":          []string{AuthBasic, AuthPost, AuthNone},
		"code_challenge_methods_supported":               []string{"S256"},
		"prompt_values_supported":                        prompts,
		"claim_types_supported":                          []string{"normal"},
		"claims_supported":                               slices.Concat([]string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash"}, nameClaims, optionalClaims, []string{certificateClaim, consentClaim}),
		"claims_parameter_supported":                     false,
		"request_parameter_supported":                    false,
		"request_uri_parameter_supported":                false, // absent would mean true
		"authorization_response_iss_parameter_supported": true,
		"ui_locales_supported":                           []string{"uk", "en"},
	})
}

// JWKS serves the public signing keys.
func (p *Provider) JWKS(w http.ResponseWriter, r *http.Request) { serve(w, r, p.cfg.Keys.JWKS()) }

// Discovery serves the provider's metadata (OpenID Connect Discovery 1.0).
func (p *Provider) Discovery(w http.ResponseWriter, r *http.Request) { serve(w, r, p.metadata) }

// serve answers with bytes that were prepared once. They are public, so that scripts of any origin may read them.
func serve(w http.ResponseWriter, r *http.Request, body []byte) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // the other side has gone: nobody is left to tell
}
