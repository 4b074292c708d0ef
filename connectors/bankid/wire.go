package bankid

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"brama/connectors/internal/upstream"
	"brama/internal/qes/cert"
)

// Addresses of the centre.
const (
	authorizePath = "/v1/bank/oauth2/authorize"
	tokenPath     = "/v1/bank/oauth2/token"
	resourcePath  = "/v1/bank/resource/client"
	banksPath     = "/api/banks"
)

// calls are those without which nobody signs in.
var calls = []string{tokenPath, resourcePath}

// Limits of calls. Other clients wait 10 seconds.
const (
	listTime     = 3 * time.Second
	tokenTime    = 8 * time.Second
	resourceTime = 15 * time.Second

	maxToken    = 16 << 10
	maxResource = 512 << 10 // scans are not asked for
	maxBanks    = 256 << 10
)

// fields are what v1 asks for: names, number, birthday, and the bank's own id of its client for disputes.
var fields = []string{"firstName", "middleName", "lastName", "inn", "birthDay", "clId"}

// working returns the banks that the centre calls workable, all of them if it does not say. Names, pictures and addresses in
// its list are not used: a name stands in the configuration, and the way to a bank goes through the centre (threat T54).
func (c *Connector) working(ctx context.Context) []Bank {
	list, err := c.client.AskList(ctx, upstream.Call{Path: banksPath, Timeout: c.listTime, MaxBody: maxBanks, Unimportant: true})
	if err != nil {
		return c.cfg.Banks
	}
	banks := slices.Clone(c.cfg.Banks)
	for _, o := range list {
		if workable := o.Text("workable"); workable == "0" {
			banks = slices.DeleteFunc(banks, func(b Bank) bool { return b.MemberID == o.Text("memberId") })
		}
	}
	return banks
}

// token spends the code.
func (c *Connector) token(ctx context.Context, code, redirectURI string) (string, error) {
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {c.cfg.ClientID}, "client_secret": {c.cfg.ClientSecret}, "code": {code},
	}
	if !c.cfg.WithoutRedirectURI {
		form.Set("redirect_uri", redirectURI)
	}
	o, err := c.client.Ask(ctx, upstream.Call{Path: tokenPath, Form: form, Timeout: c.tokenTime, MaxBody: maxToken})
	if err != nil {
		return "", err
	}
	if err := c.answered(o); err != nil {
		return "", err
	}
	token, err := o.Secret("access_token")
	if err == nil {
		if kind := o.Text("token_type"); kind != "" && !strings.EqualFold(kind, "bearer") {
			err = errors.New("a token of another type")
		}
	}
	if err != nil {
		return "", c.client.Invalid(err)
	}
	return token, nil
}

// A request of the resource; v2 has the certificate only, since the data set says the rest.
type request struct {
	Type        string   `json:"type,omitempty"`
	Certificate string   `json:"cert"`
	Fields      []string `json:"fields,omitempty"`
}

// resource spends the token for the bank's answer.
func (c *Connector) resource(ctx context.Context, token string, certificate []byte) (answer, error) {
	q := request{Certificate: base64.StdEncoding.EncodeToString(certificate)}
	if c.cfg.DataSet == "" {
		q.Type, q.Fields = "physical", fields
	}
	body, err := json.Marshal(q)
	if err != nil {
		return answer{}, err
	}
	o, err := c.client.Ask(ctx, upstream.Call{Path: resourcePath, JSON: body, Bearer: token, Timeout: c.resourceTime, MaxBody: maxResource})
	if err != nil {
		return answer{}, err
	}
	if err := c.answered(o); err != nil {
		return answer{}, err
	}
	a, err := readAnswer(o)
	if err != nil {
		return answer{}, c.client.Invalid(err)
	}
	return a, nil
}

// readAnswer takes the parts of an answer of the resource.
func readAnswer(o upstream.Object) (answer, error) {
	if state := o.Text("state"); !strings.EqualFold(state, "ok") {
		return answer{}, errors.New("the state of the answer is not ok")
	}
	a := answer{memberID: o.Text("memberId"), session: o.Text("sidBi")}
	var err error
	if a.customer, err = o.Bytes("customerCrypto"); err != nil || len(a.customer) == 0 {
		return answer{}, errors.New("the answer has no encrypted data")
	}
	// The certificate helps to find the sender's key and the signer's; nothing is believed for standing here (threat T48).
	raw, err := o.Bytes("cert")
	if err != nil || len(raw) == 0 {
		return a, err
	}
	a.certificate, err = cert.Parse(raw)
	return a, err
}

// answered refuses an answer that says it is an error, which it does in the body, with status 200 too.
func (c *Connector) answered(o upstream.Object) error {
	if word := o.Text("error"); word != "" && word != "0" {
		return c.client.Answered(word)
	}
	return nil
}
