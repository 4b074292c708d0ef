package cloud

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"brama/connectors"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cert"
)

// A flow is one event of one login.
type flow struct {
	c     *Connector
	login connectors.Login
	st    state
	p     *Provider // nil before a press
}

var errStage = errors.New("event does not fit the state of the login")

// form takes what the page posts.
func (f *flow) form(ctx context.Context, v url.Values) (connectors.Step, error) {
	switch {
	case v.Get("cancel") != "":
		return f.cancel(ctx)
	case v.Get("provider") != "":
		p := f.c.provider(v.Get("provider"))
		if p == nil {
			return nil, connectors.Retry("TX_UNKNOWN", errors.New("no such provider"))
		}
		identifier, ok := p.Identifier.identifier(v.Get("identifier"))
		if !ok {
			return nil, p.refuse("REMOTE_NO_ACCOUNT", errors.New("identifier is not of the kind"))
		}
		f.newState(p)
		switch p.Kind {
		case CSC1, CSC2:
			return f.begin(ctx, identifier)
		default:
			return f.beginSmartID(ctx, identifier)
		}
	}
	if err := f.live(); err != nil {
		return nil, err
	}
	switch {
	case v.Get("credential") != "" && f.st.Stage == stageChoose:
		i, err := strconv.Atoi(v.Get("credential"))
		if err != nil || i < 0 || i >= len(f.st.Keys) {
			return nil, connectors.Retry("TX_UNKNOWN", errors.New("no such key"))
		}
		f.st.Keys = f.st.Keys[i : i+1]
		return f.use(ctx)
	case v.Get("otp") != "" && f.st.Stage == stageOTP:
		otp := v.Get("otp")
		if !isToken(otp, 32) {
			return nil, f.p.refuse("REMOTE_OTP_WRONG", errors.New("not a one-time code"))
		}
		return f.authorize(ctx, otp)
	}
	return nil, connectors.Retry("TX_UNKNOWN", errStage)
}

// live says that a request is under way, for this challenge and still in time.
func (f *flow) live() error {
	switch {
	case f.p == nil || f.st.Stage == "":
		return connectors.Retry("TX_UNKNOWN", errStage)
	case subtle.ConstantTimeCompare(f.st.Challenge, digest(f.login.Challenge)) != 1:
		return connectors.Retry("TX_UNKNOWN", errors.New("the request was made for another challenge"))
	case !f.c.cfg.Now().Before(f.st.Until.Add(grace)):
		return connectors.Retry("REMOTE_EXPIRED", nil)
	}
	return nil
}

// cancel forgets the request: what the telephone still shows leads to nothing.
func (f *flow) cancel(ctx context.Context) (connectors.Step, error) {
	if f.p != nil && f.p.Kind == Vchasno && f.st.Operation != "" {
		f.release(ctx)
	}
	d := f.c.pageData()
	d.Provider, d.Notice = f.st.Provider, "REMOTE_CANCELLED"
	f.st = state{Provider: f.st.Provider}
	return connectors.Page{Name: "cloud", Data: d, State: f.st.bytes()}, nil
}

// begin asks the provider what it is and for the service token.
func (f *flow) begin(ctx context.Context, identifier string) (connectors.Step, error) {
	var info infoAnswer
	if _, err := f.c.post(ctx, f.p, "info", "", struct{}{}, &info); err != nil {
		return nil, f.down(err)
	}
	if !info.version(f.p.Kind) {
		return nil, f.down(errors.New("info names another version of the interface"))
	}
	for _, m := range []string{"credentials/info", "signatures/signHash"} {
		if !slices.Contains(info.Methods, m) {
			return nil, f.p.unsuitable("method", fmt.Errorf("the provider has no %s", m))
		}
	}
	f.st.Async = f.p.Kind == CSC2 && info.Async && slices.Contains(info.Methods, "signatures/signPolling")
	base := f.p.OAuthURL
	if base == "" {
		base = info.OAuth2
	}
	if base == "" {
		base = f.p.URL
	}
	for len(base) > 0 && base[len(base)-1] == '/' {
		base = base[:len(base)-1]
	}
	if _, err := checkURL(base, f.c.cfg.AllowHTTP, f.p.Hosts); err != nil {
		return nil, f.down(fmt.Errorf("authorisation server: %w", err))
	}
	f.st.OAuthURL = base
	if f.p.ServiceByCode {
		f.st.Stage = stageService
		return f.redirect(url.Values{"scope": {"service"}})
	}
	token, err := f.c.token(ctx, f.p, base, url.Values{"grant_type": {"client_credentials"}, "scope": {"service"}})
	if err != nil {
		return nil, f.down(err)
	}
	f.st.Token = token
	return f.credentials(ctx, identifier)
}

// redirect sends the person to oauth2/authorize.
func (f *flow) redirect(q url.Values) (connectors.Step, error) {
	// The login's id lets one registered address of return serve all logins; the rest is the secret of this redirect.
	f.st.OAuth = f.login.ID + "." + random()
	q.Set("response_type", "code")
	q.Set("client_id", f.p.ClientID)
	q.Set("redirect_uri", f.login.ReturnURL)
	q.Set("state", f.st.OAuth)
	q.Set("lang", "uk")
	if f.p.Kind == CSC2 {
		f.st.Verifier = random()
		q.Set("code_challenge", base64.RawURLEncoding.EncodeToString(digest([]byte(f.st.Verifier))))
		q.Set("code_challenge_method", "S256")
	}
	target := f.st.OAuthURL + "/oauth2/authorize?" + q.Encode()
	if _, err := checkURL(target, f.c.cfg.AllowHTTP, f.p.Hosts); err != nil {
		return nil, f.down(err)
	}
	return connectors.Redirect{URL: target, State: f.st.bytes()}, nil
}

// back takes what comes back from oauth2/authorize.
func (f *flow) back(ctx context.Context, v url.Values) (connectors.Step, error) {
	if f.st.Stage != stageService && f.st.Stage != stageCredential || f.st.OAuth == "" {
		return nil, connectors.Retry("TX_UNKNOWN", errStage)
	}
	if err := f.live(); err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(v.Get("state")), []byte(f.st.OAuth)) != 1 {
		return nil, connectors.Retry("TX_UNKNOWN", errors.New("return with another state"))
	}
	for name := range v {
		if len(v[name]) != 1 {
			return nil, connectors.Retry("TX_UNKNOWN", errors.New("return with a parameter twice"))
		}
	}
	if v.Has("error") {
		if v.Get("error") == "access_denied" {
			return nil, f.p.refuse("REMOTE_REFUSED", nil)
		}
		return nil, f.down(errors.New("the authorisation server returns an error"))
	}
	if !plain(v.Get("code"), 2048) {
		return nil, connectors.Retry("TX_UNKNOWN", errors.New("return without a code"))
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {v.Get("code")}, "redirect_uri": {f.login.ReturnURL}}
	if f.st.Verifier != "" {
		form.Set("code_verifier", f.st.Verifier)
	}
	token, err := f.c.token(ctx, f.p, f.st.OAuthURL, form)
	if err != nil {
		return nil, f.answered(err)
	}
	f.st.OAuth, f.st.Verifier = "", ""
	if f.st.Stage == stageService {
		f.st.Token = token
		return f.credentials(ctx, "")
	}
	// In this mode the token of the scope credential is the approval itself (SAD).
	return f.sign(ctx, token)
}

// toSign is the one hash, with the names of its algorithms.
type toSign struct {
	key  *credential
	cert *cert.Certificate
	by   *remote
	hash []byte
}

// hash makes it from the certificate that is fixed in the state and the challenge.
func (f *flow) hash() (*toSign, error) {
	k, err := f.st.key()
	if err != nil {
		return nil, err
	}
	c, err := cert.Parse(k.Certificate)
	if err != nil {
		return nil, err
	}
	by, err := newRemote(c, k.Algo)
	if err != nil {
		return nil, err
	}
	h, err := by.hash(c, f.login.Challenge, f.st.Asked)
	if err != nil {
		return nil, err
	}
	return &toSign{key: k, cert: c, by: by, hash: h}, nil
}

// use asks for the approval of the key that stands alone in the state.
func (f *flow) use(ctx context.Context) (connectors.Step, error) {
	s, err := f.hash()
	if err != nil {
		return nil, &connectors.Refusal{Code: "INTERNAL", Err: err}
	}
	text, err := f.description()
	if err != nil {
		return nil, err
	}
	switch {
	case s.key.Auth.Mode == modeOAuth:
		f.st.Stage = stageCredential
		q := url.Values{"scope": {"credential"}, "credentialID": {s.key.ID}, "numSignatures": {"1"}, "description": {text}}
		if hash := base64.RawURLEncoding.EncodeToString(s.hash); f.p.Kind == CSC1 {
			q.Set("hash", hash)
		} else {
			q.Set("hashes", hash)
			q.Set("hashAlgorithmOID", s.by.digest.OID.String())
		}
		return f.redirect(q)
	case s.key.Auth.Object != "":
		method, in := "credentials/getChallenge", map[string]string{"credentialID": s.key.ID, "authObjectID": s.key.Auth.Object}
		if f.p.Kind == CSC1 {
			method, in = "credentials/sendOTP", map[string]string{"credentialID": s.key.ID}
		}
		if _, err := f.c.post(ctx, f.p, method, f.st.Token, in, nil); err != nil {
			return nil, f.answered(err)
		}
		f.st.Stage, f.st.Object = stageOTP, s.key.Auth.Object
		d := f.c.pageData()
		d.Provider, d.OTP = f.p.ID, true
		return connectors.Page{Name: "cloud", Data: d, State: f.st.bytes()}, nil
	}
	return f.authorize(ctx, "")
}

// authorize asks for the approval of exactly our hash.
func (f *flow) authorize(ctx context.Context, otp string) (connectors.Step, error) {
	s, err := f.hash()
	if err != nil {
		return nil, &connectors.Refusal{Code: "INTERNAL", Err: err}
	}
	text, err := f.description()
	if err != nil {
		return nil, err
	}
	hash := []string{base64.StdEncoding.EncodeToString(s.hash)}
	in := map[string]any{"credentialID": s.key.ID, "numSignatures": 1, "description": text}
	if f.p.Kind == CSC1 {
		in["hash"] = hash
		if otp != "" {
			in["OTP"] = otp
		}
	} else {
		in["hashes"], in["hashAlgorithmOID"] = hash, s.by.digest.OID.String()
		if otp != "" {
			in["authData"] = []map[string]string{{"id": f.st.Object, "value": otp}}
		}
	}
	var a struct {
		SAD    string `json:"SAD"`
		Handle string `json:"handle"`
	}
	status, err := f.c.post(ctx, f.p, "credentials/authorize", f.st.Token, in, &a)
	switch {
	case err != nil:
		return nil, f.answered(err)
	case status == 202 && f.p.Kind == CSC2 && plain(a.Handle, 1024):
		f.st.Stage, f.st.Handle = stageAuthorize, a.Handle
		return f.wait()
	case status == 200 && plain(a.SAD, 8192):
		return f.sign(ctx, a.SAD)
	}
	return nil, f.down(ErrAnswer)
}

// sign spends the approval.
func (f *flow) sign(ctx context.Context, sad string) (connectors.Step, error) {
	s, err := f.hash()
	if err != nil {
		return nil, &connectors.Refusal{Code: "INTERNAL", Err: err}
	}
	hash := []string{base64.StdEncoding.EncodeToString(s.hash)}
	in := map[string]any{"credentialID": s.key.ID, "SAD": sad, "signAlgo": s.by.signature.OID.String()}
	if f.p.Kind == CSC1 {
		in["hash"], in["hashAlgo"] = hash, s.by.digest.OID.String()
	} else {
		in["hashes"], in["hashAlgorithmOID"], in["operationMode"] = hash, s.by.digest.OID.String(), "S"
		if f.st.Async {
			in["operationMode"] = "A"
			in["validity_period"] = int(f.c.cfg.Wait / time.Millisecond)
			if f.st.Notify != "" {
				in["response_uri"] = f.notifyURL()
			}
		}
	}
	var a signAnswer
	if _, err := f.c.post(ctx, f.p, "signatures/signHash", f.st.Token, in, &a); err != nil {
		return nil, f.answered(err)
	}
	if f.st.Async && a.Signatures == nil && plain(a.ResponseID, 1024) {
		f.st.Stage, f.st.Handle, f.st.Response = stageSign, "", a.ResponseID
		return f.wait()
	}
	return f.finish(ctx, s, a)
}

// A signAnswer is the answer to signatures/signHash and signatures/signPolling.
type signAnswer struct {
	Signatures []string `json:"signatures"`
	ResponseID string   `json:"responseID"`
}

// poll asks how far it is. It sends nothing to a telephone.
func (f *flow) poll(ctx context.Context) (connectors.Step, error) {
	if f.st.Stage != stageAuthorize && f.st.Stage != stageSign && f.st.Stage != stageSmartID {
		return nil, connectors.Retry("TX_UNKNOWN", errStage)
	}
	if err := f.live(); err != nil {
		return nil, err
	}
	switch f.st.Stage {
	case stageAuthorize:
		var a struct {
			SAD string `json:"SAD"`
		}
		status, err := f.c.post(ctx, f.p, "credentials/authorizeCheck", f.st.Token, map[string]string{"handle": f.st.Handle}, &a)
		switch {
		case err != nil:
			return nil, f.answered(err)
		case status == 202:
			return f.wait()
		case !plain(a.SAD, 8192):
			return nil, f.down(ErrAnswer)
		}
		return f.sign(ctx, a.SAD)
	case stageSign:
		var a signAnswer
		status, err := f.c.post(ctx, f.p, "signatures/signPolling", f.st.Token, map[string]string{"responseID": f.st.Response}, &a)
		switch {
		case err != nil:
			return nil, f.answered(err)
		case status == 202 || a.Signatures == nil && a.ResponseID == f.st.Response:
			return f.wait()
		}
		s, err := f.hash()
		if err != nil {
			return nil, &connectors.Refusal{Code: "INTERNAL", Err: err}
		}
		return f.finish(ctx, s, a)
	}
	return f.pollSmartID(ctx)
}

// finish puts the raw value into a SignedData and has it judged like any other signature.
func (f *flow) finish(ctx context.Context, s *toSign, a signAnswer) (connectors.Step, error) {
	if len(a.Signatures) != 1 {
		return nil, f.down(fmt.Errorf("%w: %w: %d signatures for one hash", connectors.ErrOver, ErrAnswer, len(a.Signatures)))
	}
	raw, err := decode64(a.Signatures[0], 4096)
	if err != nil {
		return nil, f.down(fmt.Errorf("%w: %w", connectors.ErrOver, err))
	}
	signature, err := s.by.assemble(s.cert, f.login.Challenge, f.st.Asked, raw)
	if err != nil {
		return nil, connectors.Retry(string(qes.SigInvalid), err)
	}
	return f.done(ctx, signature)
}

func (f *flow) done(ctx context.Context, signature []byte) (connectors.Step, error) {
	id, err := f.c.checker.Identify(ctx, f.login, signature)
	if err != nil {
		return nil, err
	}
	return connectors.Done{Identity: id}, nil
}

// wait shows the waiting page. While nothing happens the state stays the same, octet for octet.
func (f *flow) wait() (connectors.Step, error) {
	b := f.st.bytes()
	if bytes.Equal(b, f.login.State) {
		b = f.login.State
	}
	d := f.c.pageData()
	d.Provider = f.p.ID
	d.Wait = &WaitData{Provider: f.p.Name, Code: f.st.Code, Link: f.st.Link, Until: f.st.Until}
	return connectors.Wait{Every: pollEvery, Page: connectors.Page{Name: "cloud", State: b, Data: d}}, nil
}

func (f *flow) notifyURL() string {
	return f.c.cfg.NotifyURL + "?" + url.Values{"login": {f.login.ID}, "t": {f.st.Notify}}.Encode()
}

// down says that the provider cannot be asked now, whatever the cause: the person can do nothing about it.
func (f *flow) down(err error) error {
	if errors.Is(err, context.Canceled) {
		return connectors.Retry("INTERNAL", err) // our side went away
	}
	r := f.p.refuse("REMOTE_DOWN", err)
	if errors.Is(err, fetch.ErrPaused) {
		r.Values["n"] = "30"
	}
	return r
}

// answered maps what a provider says from the moment when the person could have been asked.
func (f *flow) answered(err error) error {
	var e *apiError
	if !errors.As(err, &e) || e.serverFault() {
		return f.down(err)
	}
	switch e.Code {
	case "access_denied":
		return f.p.refuse("REMOTE_REFUSED", err)
	case "invalid_otp", "invalid_authentication_data":
		return f.p.refuse("REMOTE_OTP_WRONG", err)
	case "expired_token", "invalid_request", "invalid_grant":
		// The request, its handle, code or approval is not valid any more: in this place we send nothing that could be
		// wrong by itself.
		return f.p.refuse("REMOTE_EXPIRED", err)
	}
	return f.down(fmt.Errorf("%w: %w", connectors.ErrOver, err)) // it has answered: asked again it says the same
}
