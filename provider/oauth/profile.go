package oauth

import (
	"fmt"
	"strings"
	"time"

	"brama/provider/keys"
)

// What the profiles FAPI 2.0 Security Profile and FAPI 2.0 Message Signing demand beyond the rules for everybody stands in
// this file: of a registration in checkProfile, of a request in checkDemands. The rest follows from what is registered: how
// the client authenticates, that its tokens are bound.

// fapiAlgorithms are those of FAPI 2.0 Security Profile, 5.4.1, as far as they are ours.
func fapiAlgorithms() []string { return []string{"ES256", "PS256", "EdDSA"} }

// fapiCodeLife is the longest life of a code (FAPI 2.0 Security Profile, 5.3.2.1).
const fapiCodeLife = time.Minute

// codeLife is how long a code of c lives.
func (p *Provider) codeLife(c *Client) time.Duration {
	if c.FAPI() {
		return min(p.cfg.CodeLifetime, fapiCodeLife)
	}
	return p.cfg.CodeLifetime
}

// checkDemands refuses a request that came in another way than the client must take: by its profile, or because it was
// registered so.
func (p *Provider) checkDemands(req *AuthorizeRequest, c *Client, a *submission) error {
	switch {
	case !a.pushed && (c.NeedsPAR() || p.cfg.RequirePAR):
		return invalidRequest("requests of this client have to be pushed (PAR)")
	case !a.signed && c.NeedsSignedRequest():
		return invalidRequest("requests of this client have to be signed request objects")
	case c.MessageSigning() && c.AuthorizationSignedAlg != "" && !req.signedResponse():
		return invalidRequest("response_mode of this client has to be a signed one")
	case c.FAPI() && !strings.HasPrefix(req.RedirectURI, "https://") && !c.Native:
		return invalidRequest("redirect_uri is not https")
	}
	return nil
}

// checkProfile holds what FAPI 2.0 asks of a client (FAPI 2.0 Security Profile, 5.3.2.1 and 5.4.1).
func (c *Client) checkProfile() error {
	if c.DPoPBound && c.CertificateBound {
		return faulty("tokens are bound to a DPoP key or to a certificate, not to both")
	}
	switch c.Profile {
	case "":
		return nil
	case ProfileFAPI2, ProfileFAPI2MessageSigning:
	default:
		return faulty("unknown profile %q", c.Profile)
	}
	switch m := c.Method(); {
	case m != AuthPrivateKeyJWT && m != AuthTLS && m != AuthSelfSignedTLS:
		return faulty("profile %s needs private_key_jwt or a TLS certificate", c.Profile)
	case !c.DPoPBound && !c.CertificateBound:
		return faulty("profile %s needs tokens bound to a DPoP key or to a certificate", c.Profile)
	case c.PKCEOptional:
		return faulty("profile %s needs PKCE", c.Profile)
	case c.AuthAlg == keys.RS256 || c.RequestObjectAlg == keys.RS256 || c.IDTokenAlg == keys.RS256 || c.AuthorizationSignedAlg == keys.RS256 || c.UserInfoSignedAlg == keys.RS256:
		return faulty("profile %s knows no RS256", c.Profile)
	case c.MessageSigning() && !c.hasKeys():
		return faulty("profile %s needs jwks or jwks_uri", c.Profile)
	}
	for _, u := range c.RedirectURIs {
		if !c.Native && !strings.HasPrefix(u, "https://") {
			return &invalid{invalidRedirectURI, fmt.Errorf("redirect_uri %q: profile %s needs https", u, c.Profile)}
		}
	}
	return nil
}
