package idgov

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"time"

	"brama/connectors/internal/upstream"
)

// Limits of calls. Clients of the system wait 15 to 20 seconds; three calls have to fit into one press.
const (
	tokenTime    = 8 * time.Second
	userInfoTime = 12 * time.Second
	logoutTime   = 5 * time.Second

	maxToken    = 16 << 10
	maxUserInfo = 512 << 10 // the attributes of a certificate and of a bank are a few kilobytes
)

// The calls.
const (
	tokenPath    = "/get-access-token"
	userInfoPath = "/get-user-info"
	logoutPath   = "/get-user-logout"
)

// calls are those without which nobody signs in.
var calls = []string{tokenPath, userInfoPath}

// fields are what is asked for: names, numbers, and what tells a person's key from a seal and a file from a device.
const fields = "issuercn,serial,subjectcn,lastname,givenname,middlename,drfocode,edrpoucode,unzr,isqscd,auth_type"

// A token is good for one reading of the attributes. Neither part is ever in an error.
type token struct{ access, user string }

// token spends the code.
func (c *Connector) token(ctx context.Context, code, redirectURI string) (token, error) {
	o, err := c.client.Ask(ctx, upstream.Call{
		Path: tokenPath, Timeout: c.tokenTime, MaxBody: maxToken,
		Form: url.Values{
			"grant_type": {"authorization_code"}, "client_id": {c.cfg.ClientID}, "client_secret": {c.cfg.ClientSecret},
			"code": {code}, "redirect_uri": {redirectURI},
		},
	})
	if err != nil {
		return token{}, err
	}
	if err := c.answered(o); err != nil {
		return token{}, err
	}
	var t token
	var err2 error
	t.access, err = o.Secret("access_token")
	t.user, err2 = o.Secret("user_id") // a text or a number
	if err := errors.Join(err, err2); err != nil {
		return token{}, c.client.Invalid(err)
	}
	if kind := o.Text("token_type"); kind != "" && !strings.EqualFold(kind, "bearer") {
		return token{}, c.client.Invalid(errors.New("a token of another type"))
	}
	return t, nil
}

// userInfo spends the token for the attributes, encrypted to certificate, and has the system forget both. It is not asked
// again after a time-out: the first answer may have spent the token.
func (c *Connector) userInfo(ctx context.Context, t token, certificate []byte) ([]byte, error) {
	encoded := base64.StdEncoding.EncodeToString(certificate)
	if !c.cfg.CertOnce {
		encoded = url.QueryEscape(encoded)
	}
	o, err := c.client.Ask(ctx, upstream.Call{
		Path: userInfoPath, Timeout: c.userInfoTime, MaxBody: maxUserInfo, Bearer: t.access,
		Form: url.Values{"access_token": {t.access}, "user_id": {t.user}, "fields": {fields}, "cert": {encoded}},
	})
	if err != nil {
		return nil, err
	}
	if err := c.answered(o); err != nil {
		return nil, err
	}
	c.logout(ctx, t)
	message, err := o.Bytes("encryptedUserInfo")
	switch {
	case err != nil:
		return nil, c.client.Invalid(err)
	case len(message) == 0:
		// Attributes in clear: to a certificate that we always send this is no answer of the system (threat T47).
		return nil, c.client.Invalid(errors.New("the answer is not encrypted"))
	}
	return message, nil
}

// logout deletes what the system holds of the person. Its failure changes nothing here.
func (c *Connector) logout(ctx context.Context, t token) {
	_, _ = c.client.Ask(ctx, upstream.Call{
		Path: logoutPath, Timeout: c.logoutTime, MaxBody: maxToken, Unimportant: true,
		Form: url.Values{"access_token": {t.access}, "user_id": {t.user}},
	})
}

// answered refuses an answer that says it is an error, which it does in the body and not always by its status: error is a
// word of OAuth, or a number that is 0 for none.
func (c *Connector) answered(o upstream.Object) error {
	switch word := o.Text("error"); word {
	case "", "0":
		return nil
	case "1": // of the two last calls: the token is not good, or not good any more
		return c.client.Answered("invalid_token")
	default:
		return c.client.Answered(word)
	}
}
