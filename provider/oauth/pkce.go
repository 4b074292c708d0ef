package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/ory/fosite"

	"brama/storage"
)

// A pkceGuard stands before fosite's handlers at the token endpoint. fosite drops the challenge before it compares the
// verifier, so that after one wrong verifier the same code can be exchanged with none. Here a challenge once sent binds,
// and a code that was tried wrongly is dead: whoever holds it without its verifier has stolen it.
type pkceGuard struct{ p *Provider }

var _ fosite.TokenEndpointHandler = (*pkceGuard)(nil)

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (g *pkceGuard) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(GrantCode)
}

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (g *pkceGuard) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler.
func (g *pkceGuard) PopulateTokenEndpointResponse(context.Context, fosite.AccessRequester, fosite.AccessResponder) error {
	return fosite.ErrUnknownRequest
}

// HandleTokenEndpointRequest kills the code if it came from another client, for another redirect_uri or with a wrong
// verifier. Codes that are unknown, spent or expired are left to fosite.
func (g *pkceGuard) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	u, err := unitOf(ctx)
	if err != nil {
		return err
	}
	form := r.GetRequestForm()
	code := form.Get("code")
	// A code whose HMAC is not ours needs no look into the store.
	if err := g.p.codes.Enigma.Validate(ctx, code); err != nil {
		return fosite.ErrInvalidGrant.WithWrap(err)
	}
	if err := g.p.loadGrant(ctx, u, grantID(code)); err != nil {
		if errors.Is(err, storage.ErrNotFound) {
			return fosite.ErrInvalidGrant.WithHint("The code is unknown or has expired.")
		}
		return err
	}
	if !u.seen.Spent.IsZero() || !u.seen.Live() {
		return nil // fosite revokes
	}
	if !g.p.cfg.Now().Before(u.seen.CodeExpires) {
		return fosite.ErrInvalidGrant.WithHint("The code is unknown or has expired.")
	}
	reason := ""
	switch {
	case u.seen.Client != u.client.ID:
		reason = "The code was issued to another client."
	case u.seen.RedirectURI != form.Get("redirect_uri"):
		reason = "redirect_uri is not that of the authorization request."
	case u.seen.Challenge == "" && form.Has("code_verifier"):
		reason = "code_verifier without a code_challenge in the authorization request."
	case u.seen.Challenge != "" && !verifies(form.Get("code_verifier"), u.seen.Challenge):
		reason = "code_verifier does not match code_challenge."
	}
	if reason == "" {
		return nil
	}
	if err := g.p.revoke(ctx, u.seen.ID); err != nil {
		return err
	}
	return fosite.ErrInvalidGrant.WithHint(reason)
}

// verifies reports whether verifier is that of an S256 challenge (RFC 7636, 4.6).
func verifies(verifier, challenge string) bool {
	if len(verifier) < 43 || len(verifier) > 128 || !onlyUnreserved(verifier) {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// validChallenge reports whether challenge can be the S256 of something: 32 bytes in base64url (RFC 7636, 4.2).
func validChallenge(challenge string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(challenge)
	return err == nil && len(raw) == sha256.Size && len(challenge) == 43
}

func onlyUnreserved(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("-._~", r)
	})
}
