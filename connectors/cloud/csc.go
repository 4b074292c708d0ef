package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"brama/internal/fetch"
)

// This file is the wire of the Cloud Signature Consortium API: every method is a POST of JSON with a bearer token, but
// those of oauth2/, which are forms. Version 1 is 1.0.3 and 1.0.4.0, version 2 is 2.0.0.2 and later.

// An apiError is an answer that says no. Its description is the provider's text and goes nowhere.
type apiError struct {
	Status int
	Code   string // one of errorCodes, else "other"
}

func (e *apiError) Error() string {
	return fmt.Sprintf("cloud: provider answers %d %s", e.Status, e.Code)
}

// errorCodes are those that the specification or RFC 6749 names: others are not repeated even in a log.
var errorCodes = map[string]bool{
	"invalid_request": true, "invalid_authentication_data": true, "invalid_otp": true, "invalid_pin": true, "access_denied": true,
	"unauthorized_client": true, "invalid_client": true, "invalid_grant": true, "invalid_scope": true, "expired_token": true,
	"invalid_token": true, "server_error": true, "temporarily_unavailable": true, "unsupported_grant_type": true,
}

// serverFault reports whether e is the provider's outage and no answer to what was asked.
func (e *apiError) serverFault() bool {
	return e.Status >= 500 || e.Status == http.StatusTooManyRequests || e.Code == "server_error" || e.Code == "temporarily_unavailable"
}

// ask sends one request under the provider's breaker and reads the answer into out, nil if it does not matter.
func (c *Connector) ask(ctx context.Context, p *Provider, req fetch.Request, out any) (status int, err error) {
	req.Method, req.Accept, req.Timeout, req.MaxBody = http.MethodPost, "application/json", callTime, maxAnswer
	req.PlainHTTP = c.cfg.AllowHTTP
	var refused error
	err = c.cfg.Breaker.Do(p.ID, func() error {
		res, err := c.cfg.Do(ctx, req)
		if err != nil {
			return err
		}
		status = res.Status
		if ok2xx(status) || status == http.StatusNoContent {
			if out == nil || status == http.StatusNoContent || status == http.StatusAccepted && len(res.Body) == 0 {
				return nil
			}
			return parseAnswer(res.Body, out)
		}
		var body struct {
			Error string `json:"error"`
		}
		if err := parseAnswer(res.Body, &body); err != nil || !errorCodes[body.Error] {
			body.Error = "other"
		}
		e := &apiError{Status: status, Code: body.Error}
		if e.serverFault() {
			return e
		}
		refused = e // it answers: that is no failure of the service
		return nil
	})
	if err != nil {
		return status, err
	}
	return status, refused
}

// post calls a method of the API.
func (c *Connector) post(ctx context.Context, p *Provider, method, token string, in, out any) (status int, err error) {
	b, err := json.Marshal(in)
	if err != nil {
		return 0, fmt.Errorf("cloud: encoding a request: %w", err)
	}
	req := fetch.Request{URL: p.URL + "/" + method, ContentType: "application/json", Body: b, Header: http.Header{}}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if status, err = c.ask(ctx, p, req, out); err != nil {
		return status, fmt.Errorf("%s: %w", method, err)
	}
	return status, nil
}

// An infoAnswer is the answer to info.
type infoAnswer struct {
	Specs    string   `json:"specs"`
	OAuth2   string   `json:"oauth2"`
	AuthType []string `json:"authType"`
	Methods  []string `json:"methods"`
	Async    bool     `json:"asynchronousOperationMode"`
}

// version reports whether the answer is of the version that the entry says.
func (a *infoAnswer) version(k Kind) bool {
	return strings.HasPrefix(a.Specs, map[Kind]string{CSC1: "1.", CSC2: "2."}[k])
}

// A tokenAnswer is the answer to oauth2/token.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
}

// token asks oauth2/token.
func (c *Connector) token(ctx context.Context, p *Provider, base string, form url.Values) (string, error) {
	secret, err := p.Secret()
	if err != nil {
		return "", fmt.Errorf("reading the client secret: %w", err)
	}
	form.Set("client_id", p.ClientID)
	form.Set("client_secret", secret)
	var a tokenAnswer
	if _, err := c.ask(ctx, p, fetch.Request{URL: base + "/oauth2/token", ContentType: "application/x-www-form-urlencoded",
		Body: []byte(form.Encode())}, &a); err != nil {
		return "", fmt.Errorf("oauth2/token: %w", err)
	}
	if !plain(a.AccessToken, 4096) || !strings.EqualFold(a.TokenType, "Bearer") && !strings.EqualFold(a.TokenType, "SAD") {
		return "", fmt.Errorf("oauth2/token: %w", ErrAnswer)
	}
	return a.AccessToken, nil
}

// plain takes 1 to limit visible ASCII characters: tokens, handles and ids go back into headers and JSON as they came.
func plain(s string, limit int) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// A credentialAnswer is the answer to credentials/info, of both versions: what one has and the other has not stays zero.
type credentialAnswer struct {
	Key struct {
		Status string   `json:"status"`
		Algo   []string `json:"algo"`
	} `json:"key"`
	Cert struct {
		Status       string   `json:"status"`
		Certificates []string `json:"certificates"`
	} `json:"cert"`
	SCAL string `json:"SCAL"`
	// Version 1.
	AuthMode string `json:"authMode"`
	PIN      struct {
		Presence json.RawMessage `json:"presence"`
	} `json:"PIN"`
	OTP struct {
		Presence json.RawMessage `json:"presence"`
		Type     string          `json:"type"`
	} `json:"OTP"`
	// Version 2.
	Auth struct {
		Mode    string `json:"mode"`
		Objects []struct {
			Type string `json:"type"`
			ID   string `json:"id"`
		} `json:"objects"`
	} `json:"auth"`
}

// required reads presence, which is "true", "false" or "optional", and a boolean in some servers.
func required(presence json.RawMessage) bool {
	s := strings.Trim(string(presence), `"`)
	return s != "" && s != "false" && s != "optional" && s != "null"
}

// Errors of a credential that cannot be used here.
var (
	errSCAL     = errors.New("cloud: the authorisation is not bound to the hash (SCAL 1)")
	errPIN      = errors.New("cloud: the provider wants a PIN or password through us, which never comes here")
	errMode     = errors.New("cloud: mode of authorisation is not known")
	errDisabled = errors.New("cloud: key or certificate is not valid at the provider")
)

// Modes of authorisation.
const (
	modeOAuth    = "oauth2code"
	modeExplicit = "explicit"
	modeImplicit = "implicit" // version 1: the provider asks the person by itself
)

// An authorization is how a credential is approved.
type authorization struct {
	Mode string `json:"mode"`
	// Object is the id of the one-time code that is to be typed; "" if nothing is.
	Object string `json:"object,omitempty"`
}

// authorization reads how the credential is approved, and refuses what must not be.
func (a *credentialAnswer) authorization(k Kind) (authorization, error) {
	// SCAL is "1" where it is absent: then any hash could be signed with the approval (threat T53).
	if a.SCAL != "2" {
		return authorization{}, errSCAL
	}
	if a.Key.Status != "enabled" || a.Cert.Status != "" && a.Cert.Status != "valid" {
		return authorization{}, errDisabled
	}
	if k == CSC1 {
		out := authorization{Mode: a.AuthMode}
		switch {
		case a.AuthMode == modeOAuth, a.AuthMode == modeImplicit:
		case a.AuthMode != modeExplicit:
			return authorization{}, errMode
		case required(a.PIN.Presence):
			return authorization{}, errPIN
		case required(a.OTP.Presence):
			out.Object = "OTP"
		}
		return out, nil
	}
	out := authorization{Mode: a.Auth.Mode}
	switch a.Auth.Mode {
	case modeOAuth:
		return out, nil
	case modeExplicit:
	default:
		return authorization{}, errMode
	}
	for _, o := range a.Auth.Objects {
		switch {
		case o.Type == "PasswordOOB" && out.Object == "" && isToken(o.ID, 64):
			out.Object = o.ID
		case o.Type == "ChallengeResponseOOB" && isToken(o.ID, 64):
			// It is shown and answered on the telephone.
		default:
			return authorization{}, errPIN
		}
	}
	return out, nil
}
