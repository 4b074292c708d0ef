package oauth

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	josejson "github.com/go-jose/go-jose/v4/json"

	"brama/provider/keys"
)

// A Registration is a client in the words of RFC 7591, section 2, and of the documents that add to it (OpenID Connect Dynamic
// Client Registration 1.0, RFC 8705, RFC 9101, RFC 9126, RFC 9449, JARM, the logout documents); the last part are words of
// ours. One form serves the files of clients, the registration endpoint and the store. Members that nobody knows are left
// out (RFC 7591, 2).
type Registration struct {
	ClientID     string `json:"client_id,omitempty"`
	ClientSecret string `json:"client_secret,omitempty"`

	ClientName   string   `json:"client_name,omitempty"`
	ClientNameUK string   `json:"client_name#uk,omitempty"`
	ClientNameEN string   `json:"client_name#en,omitempty"`
	ClientURI    string   `json:"client_uri,omitempty"`
	LogoURI      string   `json:"logo_uri,omitempty"`
	PolicyURI    string   `json:"policy_uri,omitempty"`
	TosURI       string   `json:"tos_uri,omitempty"`
	Contacts     []string `json:"contacts,omitempty"`

	RedirectURIs    []string `json:"redirect_uris,omitempty"`
	ApplicationType string   `json:"application_type,omitempty"` // "web" (default), "native"
	GrantTypes      []string `json:"grant_types,omitempty"`
	ResponseTypes   []string `json:"response_types,omitempty"`
	Scope           string   `json:"scope,omitempty"`
	InitiateLogin   string   `json:"initiate_login_uri,omitempty"`

	AuthMethod   string          `json:"token_endpoint_auth_method,omitempty"`
	AuthAlg      string          `json:"token_endpoint_auth_signing_alg,omitempty"`
	JWKS         json.RawMessage `json:"jwks,omitempty"`
	JWKSURI      string          `json:"jwks_uri,omitempty"`
	TLSSubjectDN string          `json:"tls_client_auth_subject_dn,omitempty"`
	TLSSANDNS    string          `json:"tls_client_auth_san_dns,omitempty"`
	TLSSANURI    string          `json:"tls_client_auth_san_uri,omitempty"`
	TLSSANIP     string          `json:"tls_client_auth_san_ip,omitempty"`
	TLSSANEmail  string          `json:"tls_client_auth_san_email,omitempty"`

	SubjectType            string   `json:"subject_type,omitempty"`
	SectorIdentifierURI    string   `json:"sector_identifier_uri,omitempty"`
	IDTokenAlg             string   `json:"id_token_signed_response_alg,omitempty"`
	IDTokenEncAlg          string   `json:"id_token_encrypted_response_alg,omitempty"`
	IDTokenEncEnc          string   `json:"id_token_encrypted_response_enc,omitempty"`
	UserInfoSignedAlg      string   `json:"userinfo_signed_response_alg,omitempty"`
	UserInfoEncAlg         string   `json:"userinfo_encrypted_response_alg,omitempty"`
	UserInfoEncEnc         string   `json:"userinfo_encrypted_response_enc,omitempty"`
	AuthorizationSignedAlg string   `json:"authorization_signed_response_alg,omitempty"`
	RequestObjectAlg       string   `json:"request_object_signing_alg,omitempty"`
	RequestURIs            []string `json:"request_uris,omitempty"`
	RequireSignedRequest   bool     `json:"require_signed_request_object,omitempty"`
	RequirePAR             bool     `json:"require_pushed_authorization_requests,omitempty"`
	DPoPBound              bool     `json:"dpop_bound_access_tokens,omitempty"`
	CertificateBound       bool     `json:"tls_client_certificate_bound_access_tokens,omitempty"`
	DefaultMaxAge          *int     `json:"default_max_age,omitempty"`
	RequireAuthTime        bool     `json:"require_auth_time,omitempty"`
	DefaultACR             []string `json:"default_acr_values,omitempty"`

	PostLogoutRedirectURIs      []string `json:"post_logout_redirect_uris,omitempty"`
	BackchannelLogoutURI        string   `json:"backchannel_logout_uri,omitempty"`
	BackchannelSessionRequired  bool     `json:"backchannel_logout_session_required,omitempty"`
	FrontchannelLogoutURI       string   `json:"frontchannel_logout_uri,omitempty"`
	FrontchannelSessionRequired bool     `json:"frontchannel_logout_session_required,omitempty"`

	// What we do not do. A client that asks for it is told so, not registered without it.
	RequestObjectEncAlg string `json:"request_object_encryption_alg,omitempty"`
	RequestObjectEncEnc string `json:"request_object_encryption_enc,omitempty"`
	AuthorizationEncAlg string `json:"authorization_encrypted_response_alg,omitempty"`
	AuthorizationEncEnc string `json:"authorization_encrypted_response_enc,omitempty"`

	OwnMetadata
}

// OwnMetadata are the words of ours. The first two are a client's own affair; the others only an operator decides.
type OwnMetadata struct {
	Profile           string `json:"profile,omitempty"`            // "fapi2", "fapi2-message-signing"
	AssertionAudience string `json:"assertion_audience,omitempty"` // "issuer" (default), "token_endpoint"

	OperatorMetadata
}

// OperatorMetadata are rights, and what people read before they trust: not for a client to say of itself.
type OperatorMetadata struct {
	SecretSHA256   string                       `json:"client_secret_sha256,omitempty"` // hexadecimal, in place of client_secret
	Institution    string                       `json:"institution,omitempty"`
	Home           string                       `json:"home,omitempty"` // default: client_uri
	Sector         string                       `json:"sector,omitempty"`
	PKCE           string                       `json:"pkce,omitempty"`  // "required" (default), "optional"
	Nonce          string                       `json:"nonce,omitempty"` // "required" (default), "optional"
	Methods        []string                     `json:"methods,omitempty"`
	MinLevel       string                       `json:"minimum_acr,omitempty"` // "low", "substantial", "high"
	Claims         []string                     `json:"claims,omitempty"`
	RequiredClaims []string                     `json:"required_claims,omitempty"`
	Certificate    bool                         `json:"certificate,omitempty"`
	VerifiedClaims bool                         `json:"verified_claims,omitempty"`
	Introspection  bool                         `json:"introspection,omitempty"`
	APIScope       string                       `json:"api_scope,omitempty"`
	SSOGroup       string                       `json:"sso_group,omitempty"`
	Notice         bool                         `json:"notice,omitempty"`
	NoticeVersion  string                       `json:"notice_version,omitempty"`
	NoticeText     map[string]string            `json:"notice_text,omitempty"` // by language
	Consent        string                       `json:"consent,omitempty"`
	Purpose        map[string]string            `json:"purpose,omitempty"`
	Labels         map[string]map[string]string `json:"labels,omitempty"`
}

// maxRegistration bounds the text of one registration, in bytes.
const maxRegistration = 64 << 10

// ParseRegistration reads the JSON of a registration. A member that stands twice, or has another type than it should, is an
// error; whether what it says can be registered is asked of Client and Validate.
func ParseRegistration(raw []byte) (*Registration, error) {
	if len(raw) > maxRegistration {
		return nil, faulty("registration is larger than %d bytes", maxRegistration)
	}
	r := &Registration{}
	if err := josejson.Unmarshal(raw, r); err != nil {
		var typ *josejson.UnmarshalTypeError
		if errors.As(err, &typ) {
			return nil, faulty("a member is %s, which it cannot be", typ.Value)
		}
		return nil, faulty("registration is not a JSON object, or a member stands twice") // the cause may quote a secret
	}
	return r, nil
}

// Client returns the client that r describes. What is left out is as Client says of its zero values. Validate has the last word.
func (r *Registration) Client() (Client, error) {
	if err := r.check(); err != nil {
		return Client{}, err
	}
	c := Client{
		ID: r.ClientID, Name: r.names(), Institution: r.Institution, Home: r.Home, Native: r.ApplicationType == "native",
		AuthMethod: r.AuthMethod, AuthAlg: r.AuthAlg, AssertionAudience: r.AssertionAudience,
		JWKS: r.JWKS, JWKSURI: r.JWKSURI,
		TLSSubjectDN: r.TLSSubjectDN, TLSSANDNS: r.TLSSANDNS, TLSSANURI: r.TLSSANURI, TLSSANIP: r.TLSSANIP, TLSSANEmail: r.TLSSANEmail,
		RedirectURIs: r.RedirectURIs, GrantTypes: r.GrantTypes, InitiateLogin: r.InitiateLogin, Methods: r.Methods,
		Scopes: words(r.Scope), APIScopes: words(r.APIScope), Claims: r.Claims, RequiredClaims: r.RequiredClaims,
		CertificateClaims: r.Certificate, VerifiedClaims: r.VerifiedClaims, IntrospectionRight: r.Introspection, PostLogoutRedirectURIs: r.PostLogoutRedirectURIs,
		Profile: r.Profile, PKCEOptional: r.PKCE == "optional", NonceOptional: r.Nonce == "optional",
		RequirePAR: r.RequirePAR, RequireSignedRequest: r.RequireSignedRequest, RequestObjectAlg: r.RequestObjectAlg, RequestURIs: r.RequestURIs,
		DPoPBound: r.DPoPBound, CertificateBound: r.CertificateBound,
		SubjectType: r.SubjectType, Sector: r.Sector, SectorIdentifierURI: r.SectorIdentifierURI,
		IDTokenAlg: r.IDTokenAlg, IDTokenEncAlg: r.IDTokenEncAlg, IDTokenEncEnc: r.IDTokenEncEnc,
		UserInfoSignedAlg: r.UserInfoSignedAlg, UserInfoEncAlg: r.UserInfoEncAlg, UserInfoEncEnc: r.UserInfoEncEnc,
		AuthorizationSignedAlg: r.AuthorizationSignedAlg,
		DefaultMaxAge:          r.DefaultMaxAge, RequireAuthTime: r.RequireAuthTime, DefaultACR: r.DefaultACR, MinLevel: r.MinLevel, SSOGroup: r.SSOGroup,
		BackchannelLogoutURI: r.BackchannelLogoutURI, BackchannelSessionRequired: r.BackchannelSessionRequired,
		FrontchannelLogoutURI: r.FrontchannelLogoutURI, FrontchannelSessionRequired: r.FrontchannelSessionRequired,
		NoticeRequired: r.Notice, NoticeVersion: r.NoticeVersion, NoticeText: r.NoticeText, Consent: r.Consent, Purpose: r.Purpose, Labels: r.Labels,
		ClientURI: r.ClientURI, LogoURI: r.LogoURI, PolicyURI: r.PolicyURI, TosURI: r.TosURI, Contacts: r.Contacts,
	}
	for _, t := range r.ResponseTypes {
		c.ResponseTypes = append(c.ResponseTypes, canonicalType(t))
	}
	switch {
	case r.SecretSHA256 != "":
		hash, err := hex.DecodeString(r.SecretSHA256)
		if err != nil {
			return Client{}, faulty("client_secret_sha256 is not hexadecimal")
		}
		c.SecretHash = hash
	case r.ClientSecret != "":
		c.SecretHash = HashSecret(r.ClientSecret)
	}
	return c, nil
}

// check finds what a Client has no field for.
func (r *Registration) check() error {
	oneOf := func(name, value string, allowed ...string) error {
		if value != "" && !slices.Contains(allowed, value) {
			return faulty("%s is not %s", name, strings.Join(allowed, " or "))
		}
		return nil
	}
	if r.ClientSecret != "" && r.SecretSHA256 != "" {
		return faulty("client_secret and client_secret_sha256 exclude each other")
	}
	for _, t := range r.ResponseTypes {
		if t != "code" && !isImplicit(t) {
			return faulty("response_types: %q is not supported", t)
		}
	}
	for name, value := range map[string]string{
		"request_object_encryption_alg": r.RequestObjectEncAlg, "request_object_encryption_enc": r.RequestObjectEncEnc,
		"authorization_encrypted_response_alg": r.AuthorizationEncAlg, "authorization_encrypted_response_enc": r.AuthorizationEncEnc,
	} {
		if value != "" {
			return faulty("%s is not supported", name)
		}
	}
	return errors.Join(
		oneOf("application_type", r.ApplicationType, "web", "native"),
		oneOf("pkce", r.PKCE, "required", "optional"),
		oneOf("nonce", r.Nonce, "required", "optional"),
	)
}

// names returns the name in both languages: one that is said without a language serves where the other is absent.
func (r *Registration) names() map[string]string {
	names := map[string]string{"uk": r.ClientNameUK, "en": r.ClientNameEN}
	for language, name := range names {
		if name == "" {
			names[language] = r.ClientName
		}
	}
	maps.DeleteFunc(names, func(_, name string) bool { return name == "" })
	if len(names) == 0 {
		return nil
	}
	return names
}

// ReadClients reads a file of clients: one registration, a list of them, or {"clients": […]}. A client without a name is
// called by its id, home is client_uri if it is not said, and every client must be one that Validate accepts.
func ReadClients(raw []byte) ([]Registration, error) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		var file struct {
			Clients []json.RawMessage `json:"clients"`
		}
		if err := json.Unmarshal(raw, &file); err != nil {
			return nil, errors.New("oauth: not JSON of clients")
		}
		if list = file.Clients; list == nil {
			list = []json.RawMessage{raw}
		}
	}
	registrations := make([]Registration, 0, len(list))
	for i, one := range list {
		r, err := ParseRegistration(one)
		if err == nil && r.AuthMethod == "" && r.ClientSecret == "" && r.SecretSHA256 == "" {
			err = errors.New(`client_secret is required, or token_endpoint_auth_method`)
		}
		if err == nil {
			r.fillFile()
			var c Client
			if c, err = r.Client(); err == nil {
				err = c.Validate()
			}
		}
		if err != nil {
			return nil, fmt.Errorf("client %d: %w", i+1, err)
		}
		registrations = append(registrations, *r)
	}
	return registrations, nil
}

func (r *Registration) fillFile() {
	if r.Home == "" {
		r.Home = r.ClientURI
	}
	if r.names() == nil {
		r.ClientName = r.ClientID
	}
}

// fillDynamic gives a client that registers itself the values that it left out, those of OpenID Connect Dynamic Client
// Registration 1.0, section 2; the answer tells it.
func (r *Registration) fillDynamic() {
	if r.AuthMethod == "" {
		r.AuthMethod = AuthBasic
	}
	if len(r.GrantTypes) == 0 {
		r.GrantTypes = []string{GrantCode}
	}
	if len(r.ResponseTypes) == 0 && slices.Contains(r.GrantTypes, GrantCode) {
		r.ResponseTypes = []string{"code"}
	}
	if r.ApplicationType == "" {
		r.ApplicationType = "web"
	}
	if r.SubjectType == "" {
		r.SubjectType = Pairwise
	}
	if r.IDTokenAlg == "" {
		if r.IDTokenAlg = keys.RS256; r.Profile != "" {
			r.IDTokenAlg = keys.ES256
		}
	}
	if r.names() == nil && len(r.RedirectURIs) > 0 {
		// Its own words are not there: the host is.
		if u, err := url.Parse(r.RedirectURIs[0]); err == nil && checkName(u.Hostname()) == nil {
			r.ClientName = u.Hostname()
		}
	}
	for _, e := range []struct{ alg, enc *string }{{&r.IDTokenEncAlg, &r.IDTokenEncEnc}, {&r.UserInfoEncAlg, &r.UserInfoEncEnc}} {
		if *e.alg != "" && *e.enc == "" {
			*e.enc = "A128CBC-HS256"
		}
	}
	// Scopes that nobody knows give nothing; the answer says which are left (RFC 7591, 3.2.1).
	known := slices.DeleteFunc(words(r.Scope), func(s string) bool {
		return !slices.Contains(scopes, s) && !(s == scopeOffline && slices.Contains(r.GrantTypes, GrantRefreshToken))
	})
	r.Scope = strings.Join(known, " ")
}
