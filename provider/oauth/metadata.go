package oauth

import (
	"encoding/json"
	"slices"
)

// A metadata is what the provider says of itself: OpenID Connect Discovery 1.0 and RFC 8414, and the documents that each
// field names. It must say exactly what is true: a field comes here in the change that makes it work, and a test compares
// it with what the server does. What depends on the configuration is left out by omitempty.
type metadata struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	UserInfoEndpoint      string `json:"userinfo_endpoint"`
	RevocationEndpoint    string `json:"revocation_endpoint"`    // RFC 7009
	IntrospectionEndpoint string `json:"introspection_endpoint"` // RFC 7662
	JWKSURI               string `json:"jwks_uri"`
	RegistrationEndpoint  string `json:"registration_endpoint,omitempty"` // RFC 7591

	Documentation string `json:"service_documentation,omitempty"`

	// Authorization requests and their answers.
	Scopes           []string `json:"scopes_supported"`
	ResponseTypes    []string `json:"response_types_supported"`
	ResponseModes    []string `json:"response_modes_supported"`
	GrantTypes       []string `json:"grant_types_supported"`
	ACRs             []string `json:"acr_values_supported"`
	Challenges       []string `json:"code_challenge_methods_supported"` // RFC 7636
	Prompts          []string `json:"prompt_values_supported"`          // Initiating User Registration via OpenID Connect 1.0
	Displays         []string `json:"display_values_supported"`
	ClaimsParameter  bool     `json:"claims_parameter_supported"`
	RequestParameter bool     `json:"request_parameter_supported"`
	RequestURI       bool     `json:"request_uri_parameter_supported"` // by reference, that is; absent would mean true
	// RequestURIListed says that they must be registered; that is so wherever they are taken.
	RequestURIListed   bool     `json:"require_request_uri_registration,omitempty"`
	RequestAlgorithms  []string `json:"request_object_signing_alg_values_supported"`
	PAREndpoint        string   `json:"pushed_authorization_request_endpoint"` // RFC 9126, 5
	RequirePAR         bool     `json:"require_pushed_authorization_requests"`
	RequireSigned      bool     `json:"require_signed_request_object"` // RFC 9101, 9.2
	UILocales          []string `json:"ui_locales_supported"`
	ResponsesHaveIss   bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	SubjectTypes       []string `json:"subject_types_supported"`
	ResponseAlgorithms []string `json:"authorization_signing_alg_values_supported"` // JARM, 4
	IDTokenAlgorithms  []string `json:"id_token_signing_alg_values_supported"`
	IDTokenEncAlgs     []string `json:"id_token_encryption_alg_values_supported"`
	IDTokenEncEncs     []string `json:"id_token_encryption_enc_values_supported"`
	UserInfoAlgorithms []string `json:"userinfo_signing_alg_values_supported"`
	UserInfoEncAlgs    []string `json:"userinfo_encryption_alg_values_supported"`
	UserInfoEncEncs    []string `json:"userinfo_encryption_enc_values_supported"`
	ClaimTypes         []string `json:"claim_types_supported"`
	Claims             []string `json:"claims_supported"`

	// Logout.
	EndSession             string `json:"end_session_endpoint"`
	BackchannelLogout      bool   `json:"backchannel_logout_supported"`
	BackchannelWithSession bool   `json:"backchannel_logout_session_supported"`
	FrontchannelLogout     bool   `json:"frontchannel_logout_supported"`
	FrontchannelSession    bool   `json:"frontchannel_logout_session_supported"`

	// OpenID Connect for Identity Assurance 1.0, 7.
	VerifiedClaims   bool     `json:"verified_claims_supported"`
	TrustFrameworks  []string `json:"trust_frameworks_supported"`
	Evidence         []string `json:"evidence_supported"`
	ClaimsInVerified []string `json:"claims_in_verified_claims_supported"`

	// Client authentication.
	TokenAuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgs    []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	// The same at the other endpoints of clients; a public client does not introspect.
	RevocationAuthMethods    []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAuthAlgs       []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAuthMethods []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAuthAlgs    []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAlgorithms  []string `json:"introspection_signing_alg_values_supported"` // RFC 9701, 7
	// Bound tokens.
	ProofAlgorithms  []string `json:"dpop_signing_alg_values_supported"`                    // RFC 9449, 5.1
	CertificateBound bool     `json:"tls_client_certificate_bound_access_tokens,omitempty"` // RFC 8705, 3.3
	// MTLSEndpoints are the addresses for clients with a certificate (RFC 8705, 5).
	MTLSEndpoints map[string]string `json:"mtls_endpoint_aliases,omitempty"`
}

// mtlsEndpoints are the endpoints where a client certificate counts, by their names in the metadata.
var mtlsEndpoints = map[string]string{
	"token_endpoint": PathToken, "userinfo_endpoint": PathUserInfo,
	"revocation_endpoint": PathRevoke, "introspection_endpoint": PathIntrospect, "pushed_authorization_request_endpoint": PathPAR,
}

func mtlsAliases(cfg *Config) map[string]string {
	if cfg.MTLSBase == "" {
		return nil
	}
	aliases := map[string]string{}
	for name, path := range mtlsEndpoints {
		aliases[name] = cfg.MTLSBase + path
	}
	return aliases
}

// describeProvider returns the metadata as JSON.
func describeProvider(cfg *Config) ([]byte, error) {
	return json.Marshal(metadata{
		Issuer:                cfg.Issuer,
		Documentation:         cfg.Documentation,
		AuthorizationEndpoint: cfg.Issuer + PathAuthorize,
		TokenEndpoint:         cfg.Issuer + PathToken,
		UserInfoEndpoint:      cfg.Issuer + PathUserInfo,
		RevocationEndpoint:    cfg.Issuer + PathRevoke,
		IntrospectionEndpoint: cfg.Issuer + PathIntrospect,
		JWKSURI:               cfg.Issuer + PathJWKS,
		RegistrationEndpoint:  registrationEndpoint(cfg),
		EndSession:            cfg.Issuer + PathLogout,
		Scopes:                slices.Concat(scopes, []string{scopeOffline}),
		ResponseTypes:         cfg.responseTypes(),
		ResponseModes:         cfg.announcedModes(),
		GrantTypes:            cfg.grantTypes(),
		ACRs:                  acrs,
		Challenges:            []string{"S256"},
		Prompts:               prompts,
		Displays:              []string{"page"}, // one for every screen; other values are ignored
		ClaimsParameter:       true,
		RequestParameter:      true,
		RequestURI:            cfg.byReference(),
		RequestURIListed:      cfg.byReference(),
		RequestAlgorithms:     AssertionAlgorithms(),
		PAREndpoint:           cfg.Issuer + PathPAR,
		RequirePAR:            cfg.RequirePAR,
		UILocales:             []string{"uk", "en"},
		ResponsesHaveIss:      true,
		SubjectTypes:          []string{Pairwise, Public},
		ResponseAlgorithms:    cfg.Keys.Algorithms(),
		IDTokenAlgorithms:     cfg.Keys.Algorithms(),
		ClaimTypes:            []string{"normal"},
		Claims:                slices.Concat([]string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"}, releasedClaims()),
		TokenAuthMethods:      authMethods(cfg),
		TokenAuthAlgs:         AssertionAlgorithms(),
		MTLSEndpoints:         mtlsAliases(cfg),

		RevocationAuthMethods:    authMethods(cfg),
		RevocationAuthAlgs:       AssertionAlgorithms(),
		IntrospectionAuthMethods: slices.DeleteFunc(authMethods(cfg), func(m string) bool { return m == AuthNone }),
		IntrospectionAuthAlgs:    AssertionAlgorithms(),
		IntrospectionAlgorithms:  cfg.Keys.Algorithms(),
		ProofAlgorithms:          ProofAlgorithms(),
		CertificateBound:         cfg.MTLSBase != "",

		BackchannelLogout: true, BackchannelWithSession: true, FrontchannelLogout: true, FrontchannelSession: true,

		IDTokenEncAlgs:     encryptionAlgs,
		IDTokenEncEncs:     encryptionEncs,
		UserInfoAlgorithms: cfg.Keys.Algorithms(),
		UserInfoEncAlgs:    encryptionAlgs,
		UserInfoEncEncs:    encryptionEncs,
		VerifiedClaims:     true,
		TrustFrameworks:    []string{TrustFrameworkUA},
		Evidence:           []string{evidenceSignature},
		ClaimsInVerified:   verifiedNames,
	})
}
