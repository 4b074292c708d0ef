package oauth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json"

	"brama/storage"
)

// assertionType is the only kind of client assertion (RFC 7523, 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const (
	maxAssertion = 8 << 10 // bytes
	maxJTI       = 256     // bytes
	// assertionLife is the longest life of an assertion that is taken (threat T73).
	assertionLife = 5 * time.Minute
	// FAPI 2.0 Security Profile, 5.3.2.1: ten seconds in the future are taken, sixty are not.
	clockSkew = 30 * time.Second
)

// assertionClaims are the claims of a client assertion (RFC 7523, 3). Times are seconds since 1970, with or without a fraction.
type assertionClaims struct {
	Issuer   string              `json:"iss"`
	Subject  string              `json:"sub"`
	Audience josejson.RawMessage `json:"aud"`
	Expires  *float64            `json:"exp"`
	IssuedAt *float64            `json:"iat"`
	Begins   *float64            `json:"nbf"`
	ID       string              `json:"jti"`
}

// unverifiedClaims reads who an assertion says it is from, to find the key that verifies it. Two members of one name are an
// error, here and after the signature was verified: two readers could read two things.
func unverifiedClaims(assertion string) (*assertionClaims, error) {
	if len(assertion) > maxAssertion {
		return nil, fmt.Errorf("oauth: assertion is longer than %d bytes", maxAssertion)
	}
	jws, err := jose.ParseSignedCompact(assertion, joseAlgorithms(AssertionAlgorithms()))
	if err != nil {
		return nil, errors.New("oauth: assertion is not a JWS of an allowed algorithm") // the cause quotes what came
	}
	return readAssertion(jws.UnsafePayloadWithoutVerification())
}

func readAssertion(payload []byte) (*assertionClaims, error) {
	c := &assertionClaims{}
	if err := josejson.Unmarshal(payload, c); err != nil {
		return nil, errors.New("oauth: claims of the assertion cannot be read")
	}
	return c, nil
}

// checkAssertion verifies a client assertion of c and spends its jti. Whatever is wrong is one answer to the client; the
// error is for the operator.
func (p *Provider) checkAssertion(ctx context.Context, c *Client, assertion string) error {
	algs := AssertionAlgorithms()
	switch {
	case c.AuthAlg != "":
		algs = []string{c.AuthAlg}
	case c.FAPI():
		algs = fapiAlgorithms()
	}
	payload, header, err := p.verifyClientJWS(ctx, c, assertion, algs)
	if err != nil {
		return err
	}
	// Another kind of JWT of the same client is not an assertion (RFC 8725, 3.11).
	if typ, ok := header.ExtraHeaders[jose.HeaderType]; ok {
		if t, _ := typ.(string); !strings.EqualFold(t, "JWT") && !strings.EqualFold(strings.TrimPrefix(t, "application/"), "client-authentication+jwt") {
			return errors.New("oauth: assertion has the type of another token")
		}
	}
	claims, err := readAssertion(payload)
	if err != nil {
		return err
	}
	if claims.Issuer != c.ID || claims.Subject != c.ID {
		return errors.New("oauth: iss and sub of the assertion are not the client")
	}
	if err := p.checkAssertionAudience(c, claims.Audience); err != nil {
		return err
	}
	expires, err := p.checkAssertionTimes(claims)
	if err != nil {
		return err
	}
	if n := len(claims.ID); n == 0 || n > maxJTI {
		return fmt.Errorf("oauth: jti of the assertion has %d bytes, want 1 to %d", n, maxJTI)
	}
	err = p.cfg.Store.Update(ctx, func(tx storage.Tx) error {
		return storage.Spend(tx, "assertion\x00"+c.ID, claims.ID, expires)
	})
	if errors.Is(err, storage.ErrConflict) {
		return errReplayed
	}
	if err != nil {
		return &Error{Code: "server_error", Status: 500, Err: err}
	}
	return nil
}

var errReplayed = errors.New("oauth: assertion came before")

// checkAssertionAudience takes our issuer as a string and nothing else: an array, or the address of an endpoint, is what a
// hostile server has a client sign to come here with it (CVE-2025-27370, CVE-2025-27371). A client that can do no better may
// be registered for the address of the token endpoint, FAPI excepted.
func (p *Provider) checkAssertionAudience(c *Client, raw []byte) error {
	var aud string
	if err := josejson.Unmarshal(raw, &aud); err != nil {
		return errors.New("oauth: aud of the assertion is not one string")
	}
	if aud == p.cfg.Issuer || c.AssertionAudience == AudienceTokenEndpoint && !c.FAPI() && aud == p.cfg.Issuer+PathToken {
		return nil
	}
	return errors.New("oauth: aud of the assertion is not the issuer")
}

// checkAssertionTimes returns when the assertion is worth nothing any more, skew included: so long its jti is kept.
func (p *Provider) checkAssertionTimes(c *assertionClaims) (time.Time, error) {
	now := p.cfg.Now()
	if c.Expires == nil {
		return time.Time{}, errors.New("oauth: assertion without exp")
	}
	for _, v := range []*float64{c.Expires, c.IssuedAt, c.Begins} {
		// Beyond this a float is no moment any more; NaN and infinity cannot be written in JSON.
		if v != nil && (*v < 0 || *v > 1<<40) {
			return time.Time{}, errors.New("oauth: a time of the assertion is out of range")
		}
	}
	at := func(seconds float64) time.Time { return time.UnixMilli(int64(seconds * 1000)) }
	expires := at(*c.Expires)
	switch {
	case !now.Before(expires.Add(clockSkew)):
		return time.Time{}, errors.New("oauth: assertion has expired")
	case expires.After(now.Add(assertionLife + 2*clockSkew)):
		return time.Time{}, fmt.Errorf("oauth: assertion lives longer than %v", assertionLife)
	case c.IssuedAt != nil && at(*c.IssuedAt).After(now.Add(clockSkew)):
		return time.Time{}, errors.New("oauth: assertion was issued in the future")
	case c.Begins != nil && at(*c.Begins).After(now.Add(clockSkew)):
		return time.Time{}, errors.New("oauth: assertion is not valid yet")
	}
	return expires.Add(clockSkew), nil
}
