package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	maxRequestObject = 32 << 10 // bytes of the compact JWS
	// objectLife is how far exp may be behind nbf (FAPI 2.0 Message Signing, 5.3.1). That nbf is no more than an hour ago, as
	// it says too, follows, since exp is not over.
	objectLife = time.Hour
	objectType = "oauth-authz-req+jwt" // RFC 9101, 10.8
)

// badObject is the answer to a request object that is not good.
func badObject(description string, err error) *Error {
	return &Error{Code: "invalid_request_object", Description: description, Status: 400, Err: err}
}

// objectAlgorithms are those in which c may sign request objects: never none, never with a shared secret.
func (c *Client) objectAlgorithms() []string {
	switch {
	case c.RequestObjectAlg != "":
		return []string{c.RequestObjectAlg}
	case c.FAPI():
		return fapiAlgorithms()
	}
	return AssertionAlgorithms()
}

// openRequest reads a request that came as a request object by value (RFC 9101). Only what stands in the object counts; of
// the parameters beside it client_id, and response_type if it is there, must say the same.
func (p *Provider) openRequest(ctx context.Context, c *Client, outer url.Values) (*submission, error) {
	form, err := p.openRequestObject(ctx, c, outer.Get("request"))
	if err != nil {
		return nil, err
	}
	if t := outer.Get("response_type"); t != "" && t != form.Get("response_type") {
		return nil, badObject("response_type differs from that in the request object", nil)
	}
	return &submission{form: form, signed: true}, nil
}

// openRequestObject verifies a request object of c and returns its parameters as a form. They are checked as those of any
// request are; what is checked here is that the object is the client's, for us and for now.
func (p *Provider) openRequestObject(ctx context.Context, c *Client, object string) (url.Values, error) {
	if len(object) > maxRequestObject {
		return nil, badObject("request object is longer than 32 KiB", nil)
	}
	// Five parts are a JWE. Ours is the only key it could be for, and we decrypt nothing from strangers (threat T96).
	if strings.Count(object, ".") != 2 {
		return nil, badObject("request object is not a signed JWT in compact form", nil)
	}
	payload, header, err := p.verifyClientJWS(ctx, c, object, c.objectAlgorithms())
	if errors.Is(err, errKeysUnavailable) {
		return nil, &Error{Code: "temporarily_unavailable", Description: "the keys of the client cannot be had", Status: 503, Err: err}
	}
	if err != nil {
		return nil, badObject("request object is not signed by the client", err)
	}
	if err := checkObjectHeader(header); err != nil {
		return nil, badObject(err.Error(), nil)
	}
	claims, err := readJSON(payload)
	if err != nil {
		return nil, badObject("request object: "+err.Error(), nil)
	}
	if err := p.checkObjectClaims(c, claims); err != nil {
		return nil, badObject(err.Error(), nil)
	}
	form, err := objectForm(claims)
	if err != nil {
		return nil, badObject(err.Error(), nil)
	}
	return form, nil
}

// checkObjectHeader refuses tokens of other kinds and extensions that we do not know.
func checkObjectHeader(h jose.Header) error {
	if _, ok := h.ExtraHeaders["crit"]; ok {
		return errors.New("request object has critical headers")
	}
	typ, ok := h.ExtraHeaders[jose.HeaderType]
	if !ok {
		return nil // RFC 9101, 10.8 only recommends it
	}
	t, _ := typ.(string)
	if t = strings.TrimPrefix(strings.ToLower(t), "application/"); t != objectType && t != "jwt" {
		return errors.New("request object has the typ of another token")
	}
	return nil
}

// checkObjectClaims checks who made the object, for whom and for when (RFC 9101, 4 and 6.1; FAPI 2.0 Message Signing, 5.3.1).
func (p *Provider) checkObjectClaims(c *Client, claims map[string]any) error {
	if claims["iss"] != c.ID || claims["client_id"] != c.ID {
		return errors.New("iss and client_id of the request object are not both the client")
	}
	// An assertion of the same client has its id there (RFC 9101, 10.8).
	if claims["sub"] == c.ID {
		return errors.New("sub of the request object is the client")
	}
	for _, name := range []string{"request", "request_uri"} {
		if _, ok := claims[name]; ok {
			return errors.New("request object has a request object inside")
		}
	}
	audience := false
	switch aud := claims["aud"].(type) {
	case string:
		audience = aud == p.cfg.Issuer
	case []any:
		audience = slices.Contains(aud, any(p.cfg.Issuer))
	}
	if !audience {
		return errors.New("aud of the request object is not the issuer")
	}
	return p.checkObjectTimes(c, claims)
}

func (p *Provider) checkObjectTimes(c *Client, claims map[string]any) error {
	now := p.cfg.Now()
	times := map[string]time.Time{}
	for _, name := range []string{"exp", "nbf", "iat"} {
		v, ok := claims[name]
		if !ok {
			continue
		}
		number, _ := v.(json.Number)
		seconds, err := number.Float64()
		if err != nil || seconds < 0 || seconds > 1<<40 || math.IsNaN(seconds) {
			return errors.New(name + " of the request object is not a time")
		}
		times[name] = time.UnixMilli(int64(seconds * 1000))
	}
	exp, hasExp := times["exp"]
	nbf, hasNbf := times["nbf"]
	switch {
	case hasExp && !now.Before(exp):
		return errors.New("request object has expired")
	case nbf.After(now.Add(clockSkew)) || times["iat"].After(now.Add(clockSkew)):
		return errors.New("request object is not valid yet")
	case !c.FAPI():
		return nil
	case !hasExp || !hasNbf:
		return errors.New("request object without exp or nbf")
	case exp.Sub(nbf) > objectLife:
		return errors.New("request object is valid for more than an hour")
	}
	return nil
}

// objectForm turns the claims of a request object into parameters. Numbers become their digits and claims its JSON (OpenID
// Connect Core 6.1); a known parameter of any other type is an error, and what is not known is ignored.
func objectForm(claims map[string]any) (url.Values, error) {
	form := url.Values{}
	for _, name := range requestParameters {
		v, ok := claims[name]
		if !ok {
			continue
		}
		text, err := objectValue(name, v)
		if err != nil {
			return nil, err
		}
		form.Set(name, text)
	}
	return form, nil
}

func objectValue(name string, v any) (string, error) {
	switch x := v.(type) {
	case string:
		return x, nil
	case json.Number:
		if name == "max_age" {
			if n, err := strconv.ParseUint(x.String(), 10, 31); err == nil {
				return strconv.FormatUint(n, 10), nil
			}
		}
	case map[string]any:
		if name == "claims" || name == "registration" {
			text, err := json.Marshal(x)
			if err == nil {
				return string(text), nil
			}
		}
	}
	return "", errors.New(name + " in the request object has a wrong type")
}
