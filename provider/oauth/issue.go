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

// A tokenAnswer is the answer of the token endpoint (RFC 6749, 5.1; OpenID Connect Core, 3.1.3.3), written as its tokens are made:
// they stand nowhere else.
type tokenAnswer struct {
	jsonObject
	from, to int // of the access token; equal if there is none
}

// access returns the access token.
func (a *tokenAnswer) access() []byte { return a.b[a.from:a.to] }

// token adds a token of ours and returns where it begins and ends.
func (p *Provider) token(a *tokenAnswer, name, kind string, t *opaque) (from, to int) {
	a.member(name)
	a.b = append(a.b, '"')
	from = len(a.b)
	a.b = p.appendToken(a.b, kind, t)
	to = len(a.b)
	a.b = append(a.b, '"')
	return from, to
}

// newAccess returns an access token that was not yet sealed. It begins on a whole second and lives from there.
func (p *Provider) newAccess(client *Client, grant string, scopes []string, bound binding) opaque {
	now := p.cfg.Now().Truncate(time.Second)
	return opaque{
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
	a := &tokenAnswer{jsonObject: newObject(make([]byte, 0, 1536))}
	a.from, a.to = p.token(a, "access_token", accessToken, access)
	a.text("token_type", kind)
	a.number("expires_in", int64(p.cfg.AccessTokenLifetime/time.Second)) // seconds
	a.member("scope")
	a.b = appendJSONString(a.b, strings.Join(access.scopes, " "))
	return a
}

// addRefresh adds the refresh token of a generation. It carries all scopes of its grant: narrowing concerns one access token
// (RFC 6749, 6).
func (p *Provider) addRefresh(a *tokenAnswer, g *storage.Grant, f *storage.RefreshFamily) {
	p.token(a, "refresh_token", refreshToken, &opaque{
		grant: g.ID, client: g.Client, issued: p.cfg.Now(), expires: f.Expires, generation: f.Generation,
	})
}

// addIDToken adds the ID token of a grant (OpenID Connect Core, 2) for an access token with scopes. At a refresh there is no
// nonce, and auth_time stays that of the login (12.2). It is signed, and then encrypted for a client that asks.
func (p *Provider) addIDToken(ctx context.Context, a *tokenAnswer, client *Client, c *sealedGrant, scopes []string, nonce string) error {
	now := p.cfg.Now()
	alg := client.idTokenAlg()
	var scratch [1024]byte
	claims := newObject(scratch[:])
	claims.text("iss", p.cfg.Issuer)
	claims.text("sub", c.Subject)
	claims.texts("aud", []string{client.ID})
	claims.number("iat", now.Unix())
	claims.number("exp", now.Add(p.cfg.IDTokenLifetime).Unix())
	claims.number("auth_time", c.AuthTime.Unix())
	claims.text("jti", rand.Text())
	if token := a.access(); len(token) != 0 { // there is none beside an ID token that is the whole answer
		claims.member("at_hash")
		claims.b = append(appendHalfHash(append(claims.b, '"'), alg, token), '"')
	}
	if nonce != "" {
		claims.text("nonce", nonce)
	}
	if c.SID != "" {
		claims.text("sid", c.SID) // OpenID Connect Back-Channel Logout 2.1: of ID tokens alone, userinfo has no session
	}
	if c.ACR != "" {
		claims.text("acr", c.ACR)
	}
	if len(c.AMR) != 0 {
		claims.texts("amr", c.AMR)
	}
	if err := c.release(&claims, client, inIDToken, scopes); err != nil {
		return fmt.Errorf("oauth: encoding claims: %w", err)
	}
	payload := claims.end()
	a.member("id_token")
	a.b = append(a.b, '"')
	at := len(a.b)
	var err error
	if a.b, err = p.cfg.Keys.AppendToken(a.b, alg, payload); err != nil {
		return err
	}
	if client.IDTokenEncAlg != "" {
		sealed, err := p.encrypt(ctx, client, client.IDTokenEncAlg, client.IDTokenEncEnc, string(a.b[at:]), true)
		if err != nil {
			return err
		}
		a.b = append(a.b[:at], sealed...)
	}
	a.b = append(a.b, '"')
	return nil
}

// appendHalfHash appends at_hash: the left half of the hash that goes with the signature's algorithm (OpenID Connect Core,
// 3.1.3.6), SHA-512 for Ed25519, which has it inside.
func appendHalfHash(b []byte, alg string, token []byte) []byte {
	if alg == "EdDSA" || alg == "Ed25519" {
		sum := sha512.Sum512(token)
		return base64.RawURLEncoding.AppendEncode(b, sum[:len(sum)/2])
	}
	sum := sha256.Sum256(token)
	return base64.RawURLEncoding.AppendEncode(b, sum[:len(sum)/2])
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
