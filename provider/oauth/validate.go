package oauth

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"brama/provider/keys"
)

// AssertionAlgorithms are those in which a client may sign assertions and request objects (RFC 7518; EdDSA is Ed25519).
func AssertionAlgorithms() []string { return []string{"ES256", "PS256", "RS256", "EdDSA"} }

var grantTypes = []string{GrantCode, GrantRefreshToken, GrantClientCredentials}

// Limits of a registration: what is registered is read at every request, and shown to people.
const (
	maxList    = 64  // entries of any list
	maxWord    = 128 // characters of a name that no person reads
	maxPurpose = 400
	maxLabel   = 200
	maxEmail   = 254
	maxNotice  = 16 << 10 // bytes
)

// An invalid names what is wrong with a registration. Kind is the error of RFC 7591, 3.2.2.
type invalid struct {
	kind string
	err  error
}

const (
	invalidRedirectURI = "invalid_redirect_uri"
	invalidMetadata    = "invalid_client_metadata"
)

func (e *invalid) Error() string { return e.err.Error() }
func (e *invalid) Unwrap() error { return e.err }

func faulty(format string, args ...any) error {
	return &invalid{invalidMetadata, fmt.Errorf(format, args...)}
}

// Validate says what is wrong with a registration, nil if nothing.
func (c *Client) Validate() error {
	if !validID(c.ID) {
		return fmt.Errorf("oauth: client id %q is not 1 to 128 of A-Z a-z 0-9 . _ ~ : / -", c.ID)
	}
	for _, check := range []func() error{
		c.checkAuthentication, c.checkAddresses, c.checkWords, c.checkRights, c.checkTokens, c.checkRequestURIs, c.checkImplicit, c.checkProfile,
	} {
		if err := check(); err != nil {
			return fmt.Errorf("oauth: client %q: %w", c.ID, err)
		}
	}
	return nil
}

func (c *Client) checkAuthentication() error {
	if n := len(c.SecretHash); n != 0 && n != sha256.Size {
		return faulty("secret hash of %d bytes, want the 32 of SHA-256", n)
	}
	secret, named := len(c.SecretHash) != 0, 0
	for _, v := range []string{c.TLSSubjectDN, c.TLSSANDNS, c.TLSSANURI, c.TLSSANIP, c.TLSSANEmail} {
		if v != "" {
			named++
		}
		if len(v) > maxURI {
			return faulty("name in the TLS certificate is longer than %d bytes", maxURI)
		}
	}
	if named != 0 && c.AuthMethod != AuthTLS {
		return faulty("a name in the TLS certificate is for %s only", AuthTLS)
	}
	if c.AuthAlg != "" && c.AuthMethod != AuthPrivateKeyJWT {
		return faulty("an algorithm of assertions is for %s only", AuthPrivateKeyJWT)
	}
	switch c.AssertionAudience {
	case "", AudienceIssuer:
	case AudienceTokenEndpoint:
		if c.AuthMethod != AuthPrivateKeyJWT || c.FAPI() {
			return faulty("assertion audience %s is for %s only, and not for FAPI", c.AssertionAudience, AuthPrivateKeyJWT)
		}
	default:
		return faulty("unknown assertion audience %q", c.AssertionAudience)
	}
	switch c.AuthMethod {
	case "":
	case AuthBasic, AuthPost:
		if !secret {
			return faulty("%s without a secret", c.AuthMethod)
		}
	case AuthPrivateKeyJWT:
		if !c.hasKeys() {
			return faulty("%s without jwks or jwks_uri", c.AuthMethod)
		}
		if c.AuthAlg != "" && !slices.Contains(AssertionAlgorithms(), c.AuthAlg) {
			return faulty("unknown algorithm of assertions %q", c.AuthAlg)
		}
	case AuthTLS:
		if named != 1 {
			return faulty("%s needs one name in the TLS certificate, here are %d", c.AuthMethod, named)
		}
		if c.TLSSubjectDN != "" {
			if _, err := parseDN(c.TLSSubjectDN); err != nil {
				return faulty("tls_client_auth_subject_dn: %w", err)
			}
		}
		if ip := c.TLSSANIP; ip != "" {
			if _, err := netip.ParseAddr(ip); err != nil {
				return faulty("tls_client_auth_san_ip %q is not an IP address", ip)
			}
		}
	case AuthSelfSignedTLS:
		if !c.hasKeys() {
			return faulty("%s without jwks or jwks_uri", c.AuthMethod)
		}
	case AuthNone:
	default:
		return faulty("unknown authentication method %q", c.AuthMethod)
	}
	if secret && c.AuthMethod != "" && c.AuthMethod != AuthBasic && c.AuthMethod != AuthPost {
		return faulty("a secret beside method %s", c.AuthMethod)
	}
	return c.checkKeys()
}

func (c *Client) hasKeys() bool { return len(c.JWKS) != 0 || c.JWKSURI != "" }

func (c *Client) checkKeys() error {
	if len(c.JWKS) != 0 && c.JWKSURI != "" {
		return faulty("jwks and jwks_uri exclude each other")
	}
	if len(c.JWKS) != 0 {
		set, err := parseKeySet(c.JWKS)
		if err != nil {
			return faulty("jwks: %w", err)
		}
		certified := slices.ContainsFunc(set.Keys, hasCertificate)
		if c.AuthMethod == AuthSelfSignedTLS && !certified {
			return faulty("%s needs a certificate (x5c) in jwks", c.AuthMethod)
		}
	}
	if c.JWKSURI != "" {
		if err := checkFetched(c.JWKSURI); err != nil {
			return faulty("jwks_uri: %w", err)
		}
	}
	return nil
}

func (c *Client) checkAddresses() error {
	if len(c.RedirectURIs) == 0 && c.SignsIn() {
		return &invalid{invalidRedirectURI, errors.New("no redirect_uri")}
	}
	if len(c.RedirectURIs) > maxList || len(c.PostLogoutRedirectURIs) > maxList {
		return &invalid{invalidRedirectURI, fmt.Errorf("more than %d redirect URIs", maxList)}
	}
	for _, u := range c.RedirectURIs {
		if err := checkRegisteredURI(u, c.Native); err != nil {
			return &invalid{invalidRedirectURI, fmt.Errorf("redirect_uri %q: %w", u, err)}
		}
	}
	for _, u := range c.PostLogoutRedirectURIs {
		if err := checkRegisteredURI(u, c.Native); err != nil {
			return &invalid{invalidRedirectURI, fmt.Errorf("post_logout_redirect_uri %q: %w", u, err)}
		}
	}
	if c.Home != "" {
		if err := checkHome(c.Home, c.Native); err != nil {
			return faulty("home %q: %w", c.Home, err)
		}
	}
	for name, u := range map[string]string{
		"client_uri": c.ClientURI, "logo_uri": c.LogoURI, "policy_uri": c.PolicyURI, "tos_uri": c.TosURI,
		"initiate_login_uri": c.InitiateLogin, "backchannel_logout_uri": c.BackchannelLogoutURI,
		"frontchannel_logout_uri": c.FrontchannelLogoutURI, "sector_identifier_uri": c.SectorIdentifierURI,
	} {
		if u == "" {
			continue
		}
		if err := checkRegisteredURI(u, false); err != nil {
			return faulty("%s %q: %w", name, u, err)
		}
	}
	if c.SectorIdentifierURI != "" {
		if err := checkFetched(c.SectorIdentifierURI); err != nil {
			return faulty("sector_identifier_uri: %w", err)
		}
	}
	// A frame of ours must not be sent to strangers (OpenID Connect Front-Channel Logout 1.0, 2).
	if c.FrontchannelLogoutURI != "" && !slices.ContainsFunc(c.RedirectURIs, func(r string) bool { return sameOrigin(r, c.FrontchannelLogoutURI) }) {
		return faulty("frontchannel_logout_uri has not the scheme, host and port of a redirect_uri")
	}
	switch {
	case c.BackchannelSessionRequired && c.BackchannelLogoutURI == "":
		return faulty("backchannel_logout_session_required without backchannel_logout_uri")
	case c.FrontchannelSessionRequired && c.FrontchannelLogoutURI == "":
		return faulty("frontchannel_logout_session_required without frontchannel_logout_uri")
	}
	return nil
}

func sameOrigin(a, b string) bool {
	x, err := url.Parse(a)
	y, err2 := url.Parse(b)
	return err == nil && err2 == nil && x.Scheme == y.Scheme && x.Host == y.Host
}

// checkFetched keeps addresses that we ask ourselves to https without a fragment, or http on this computer. Where they may
// lead is decided when they are asked: outside dev, not to this computer (threat T86).
func checkFetched(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || len(raw) > maxURI:
		return errors.New("is not an address of at most 2048 bytes")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopbackName(u.Hostname())), u.Host == "" || u.User != nil || u.Opaque != "" || strings.Contains(raw, "#"):
		return errors.New("is not https without user information and fragment")
	}
	return nil
}

// checkWords keeps what people read to plain text.
func (c *Client) checkWords() error {
	for language, name := range c.Name {
		if err := checkName(name); err != nil {
			return faulty("name in %s %w", language, err)
		}
	}
	if err := checkName(c.Institution); err != nil {
		return faulty("institution %w", err)
	}
	languages := slices.Concat(slices.Collect(maps.Keys(c.Name)), slices.Collect(maps.Keys(c.Purpose)), slices.Collect(maps.Keys(c.Labels)))
	for _, l := range languages {
		if l != "uk" && l != "en" {
			return faulty("language %q is neither uk nor en", l)
		}
	}
	for language, text := range c.Purpose {
		if err := checkText(text, maxPurpose); err != nil {
			return faulty("purpose in %s %w", language, err)
		}
	}
	for language, labels := range c.Labels {
		if len(labels) > maxList {
			return faulty("more than %d labels in %s", maxList, language)
		}
		for key, text := range labels {
			if !validID(key) {
				return faulty("label key %q is not 1 to 128 of A-Z a-z 0-9 . _ ~ : / -", key)
			}
			if err := checkText(text, maxLabel); err != nil {
				return faulty("label %s in %s %w", key, language, err)
			}
		}
	}
	if len(c.Contacts) > maxList {
		return faulty("more than %d contacts", maxList)
	}
	for _, m := range c.Contacts {
		if len(m) > maxEmail || checkText(m, maxEmail) != nil {
			return faulty("a contact is not a line of text of at most %d bytes", maxEmail)
		}
	}
	for language, text := range c.NoticeText {
		if language != "uk" && language != "en" {
			return faulty("language %q is neither uk nor en", language)
		}
		if err := checkNotice(text); err != nil {
			return faulty("notice in %s %w", language, err)
		}
	}
	// What somebody agreed to must be known later by its name.
	if len(c.NoticeText) != 0 && c.NoticeVersion == "" {
		return faulty("a text of the notice without its version")
	}
	if c.NoticeVersion != "" && !validID(c.NoticeVersion) {
		return faulty("notice version %q is not 1 to 128 of A-Z a-z 0-9 . _ ~ : / -", c.NoticeVersion)
	}
	return nil
}

// checkText keeps a sentence of the portal to visible characters of one line. It is shown as the portal's words, always
// escaped.
func checkText(text string, most int) error {
	switch {
	case !utf8.ValidString(text) || utf8.RuneCountInString(text) > most:
		return fmt.Errorf("is not text of at most %d characters", most)
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return errors.New("has a character that cannot be seen")
	}
	return nil
}

// checkNotice keeps the text of a notice to lines of visible characters. How it is read is a matter of the page.
func checkNotice(text string) error {
	if strings.TrimSpace(text) == "" || len(text) > maxNotice {
		return fmt.Errorf("is not text of 1 to %d bytes", maxNotice)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if err := checkText(line, maxNotice); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) checkRights() error {
	for _, g := range c.GrantTypes {
		if !slices.Contains(grantTypes, g) && g != GrantImplicit {
			return faulty("unknown grant type %q", g)
		}
	}
	if c.Allows(GrantRefreshToken) && !c.Allows(GrantCode) {
		return faulty("%s without %s", GrantRefreshToken, GrantCode)
	}
	switch {
	case c.Public() && c.Allows(GrantClientCredentials):
		return faulty("%s of a public client", GrantClientCredentials)
	case c.Public() && c.IntrospectionRight:
		return faulty("introspection by a public client")
	case c.PKCEOptional && c.Public():
		return faulty("PKCE cannot be optional for a public client")
	case c.NonceOptional && !c.PKCEOptional:
		return faulty("nonce is optional only where PKCE is")
	case len(c.APIScopes) != 0 && !c.Allows(GrantClientCredentials):
		return faulty("API scopes without %s", GrantClientCredentials)
	case len(c.APIScopes) > maxList || len(c.Methods) > maxList || len(c.DefaultACR) > maxList:
		return faulty("a list of more than %d entries", maxList)
	}
	for _, s := range c.Scopes {
		if !slices.Contains(scopes, s) && !(s == scopeOffline && c.Allows(GrantRefreshToken)) {
			return faulty("unknown scope %q", s)
		}
	}
	for _, s := range c.APIScopes {
		if slices.Contains(scopes, s) || s == scopeOffline || !scopeToken(s) {
			return faulty("API scope %q is ours or not a scope", s)
		}
	}
	for _, n := range c.Claims {
		if !slices.Contains(optionalClaims, n) && !slices.Contains(nameClaims, n) {
			return faulty("unknown claim %q", n)
		}
	}
	for _, n := range c.RequiredClaims {
		if !slices.Contains(c.Claims, n) && !slices.Contains(nameClaims, n) {
			return faulty("claim %q is required but not among those it may receive", n)
		}
	}
	for _, a := range c.DefaultACR {
		if !slices.Contains(acrs, a) {
			return faulty("unknown level %q", a)
		}
	}
	switch {
	case c.MinLevel != "" && !slices.Contains(acrs, c.MinLevel):
		return faulty("unknown minimum level %q", c.MinLevel)
	case c.DefaultMaxAge != nil && *c.DefaultMaxAge < 0:
		return faulty("negative default_max_age")
	case c.SSOGroup != "" && !validID(c.SSOGroup):
		return faulty("SSO group %q is not 1 to 128 of A-Z a-z 0-9 . _ ~ : / -", c.SSOGroup)
	case !slices.Contains([]string{"", ConsentNever, ConsentFirst, ConsentAlways}, c.Consent):
		return faulty("unknown consent %q", c.Consent)
	}
	return nil
}

// scopeToken is the grammar of RFC 6749, 3.3.
func scopeToken(s string) bool {
	return s != "" && len(s) <= maxWord && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

func (c *Client) checkTokens() error {
	switch c.SubjectType {
	case "", Pairwise:
		if _, err := c.sector(); err != nil {
			return faulty("%w", err)
		}
	case Public:
	default:
		return faulty("unknown subject type %q", c.SubjectType)
	}
	for name, alg := range map[string]string{
		"ID token": c.IDTokenAlg, "userinfo": c.UserInfoSignedAlg, "authorization response": c.AuthorizationSignedAlg,
	} {
		if alg != "" && !slices.Contains(keys.Algorithms(), alg) {
			return faulty("unknown %s algorithm %q", name, alg)
		}
	}
	if a := c.RequestObjectAlg; a != "" && !slices.Contains(AssertionAlgorithms(), a) {
		return faulty("unknown request object algorithm %q", a)
	}
	if (c.RequestObjectAlg != "" || c.RequireSignedRequest) && !c.hasKeys() {
		return faulty("signed request objects without jwks or jwks_uri")
	}
	for _, e := range []struct{ name, alg, enc string }{
		{"ID token", c.IDTokenEncAlg, c.IDTokenEncEnc}, {"userinfo", c.UserInfoEncAlg, c.UserInfoEncEnc},
	} {
		switch {
		case e.alg == "" && e.enc != "":
			return faulty("%s encryption without its algorithm", e.name)
		case e.alg == "":
		case !slices.Contains(encryptionAlgs, e.alg):
			return faulty("unknown %s encryption algorithm %q", e.name, e.alg)
		case e.enc != "" && !slices.Contains(encryptionEncs, e.enc):
			return faulty("unknown %s content encryption %q", e.name, e.enc)
		case !c.hasKeys():
			return faulty("%s encryption without jwks or jwks_uri", e.name)
		}
	}
	return nil
}
