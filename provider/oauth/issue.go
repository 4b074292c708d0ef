package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"brama/storage"
)

// A tokenAnswer is the answer of the token endpoint (RFC 6749, 5.1; OpenID Connect Core, 3.1.3.3).
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	Scope        string `json:"scope"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
}

// newAccess returns an access token that was not yet sealed. It begins on a whole second and lives from there.
func (p *Provider) newAccess(client *Client, grant string, scopes []string, bound binding) *opaque {
	now := p.cfg.Now().Truncate(time.Second)
	return &opaque{
		grant: grant, client: client.ID, scopes: scopes,
		issued: now, expires: now.Add(p.cfg.AccessTokenLifetime), bound: bound,
	}
}

// answer seals an access token and describes it.
func (p *Provider) answer(access *opaque) *tokenAnswer {
	kind := "Bearer"
	if access.bound.method == boundByDPoP {
		kind = "DPoP" // RFC 9449, 5; a certificate-bound token stays "Bearer" (RFC 8705, 3)
	}
	return &tokenAnswer{
		AccessToken: p.sealToken(accessToken, access),
		TokenType:   kind,
		ExpiresIn:   int64(p.cfg.AccessTokenLifetime / time.Second),
		Scope:       strings.Join(access.scopes, " "),
	}
}

// newRefresh returns the refresh token of a generation. It carries all scopes of its grant: narrowing concerns one access
// token (RFC 6749, 6).
func (p *Provider) newRefresh(g *storage.Grant, f *storage.RefreshFamily) string {
	return p.sealToken(refreshToken, &opaque{
		grant: g.ID, client: g.Client, issued: p.cfg.Now(), expires: f.Expires, generation: f.Generation,
	})
}

// idToken returns the ID token of a grant (OpenID Connect Core, 2) beside an access token with scopes. At a refresh there is
// no nonce, and auth_time stays that of the login (12.2). It is signed, and then encrypted for a client that asks.
func (p *Provider) idToken(ctx context.Context, client *Client, c *sealedGrant, scopes []string, nonce, access string) (string, error) {
	now := p.cfg.Now()
	alg := client.idTokenAlg()
	claims := c.release(client, inIDToken, scopes)
	claims["iss"] = p.cfg.Issuer
	claims["sub"] = c.Subject
	claims["aud"] = []string{client.ID}
	claims["iat"] = now.Unix()
	claims["exp"] = now.Add(p.cfg.IDTokenLifetime).Unix()
	claims["auth_time"] = c.AuthTime.Unix()
	claims["jti"] = rand.Text()
	claims["at_hash"] = halfHash(alg, access)
	if nonce != "" {
		claims["nonce"] = nonce
	}
	if c.SID != "" {
		claims["sid"] = c.SID // OpenID Connect Back-Channel Logout 2.1: of ID tokens alone, userinfo has no session
	}
	if c.ACR != "" {
		claims["acr"] = c.ACR
	}
	if len(c.AMR) != 0 {
		claims["amr"] = c.AMR
	}
	payload, err := marshalClaims(claims)
	if err != nil {
		return "", fmt.Errorf("oauth: encoding claims: %w", err)
	}
	token, err := p.cfg.Keys.Sign(alg, payload)
	if err != nil || client.IDTokenEncAlg == "" {
		return token, err
	}
	return p.encrypt(ctx, client, client.IDTokenEncAlg, client.IDTokenEncEnc, token, true)
}

// halfHash is at_hash: the left half of the hash that goes with the signature's algorithm (OpenID Connect Core, 3.1.3.6),
// SHA-512 for Ed25519, which has it inside.
func halfHash(alg, token string) string {
	var sum []byte
	if alg == "EdDSA" || alg == "Ed25519" {
		s := sha512.Sum512([]byte(token))
		sum = s[:]
	} else {
		s := sha256.Sum256([]byte(token))
		sum = s[:]
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// narrow returns the scopes that a request asks of those granted, all if it asks none. What the registration does not allow
// any more falls out silently: the answer names what is left (RFC 6749, 5.1). fosite ignores the parameter.
func narrow(client *Client, granted []string, asked string) ([]string, error) {
	var out []string
	want := words(asked)
	for _, s := range want {
		if !slices.Contains(granted, s) {
			return nil, &Error{Code: "invalid_scope", Description: "scope was not granted", Status: 400}
		}
	}
	for _, s := range granted {
		if (len(want) == 0 || slices.Contains(want, s)) && client.mayHave(s) {
			out = append(out, s)
		}
	}
	return out, nil
}
