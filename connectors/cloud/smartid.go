package cloud

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"brama/connectors"
	"brama/internal/dstu/gost34311"
	"brama/internal/fetch"
	"brama/internal/qes/cms"
)

// An Envelope is the session encryption of the SmartID family: what is inside is known, how it is framed is not (see the
// page of documentation). Whoever implements it gets a request in JSON and returns the body to post, and a function that
// opens the answer to it: decrypts, verifies the service's signature, and returns the JSON.
type Envelope interface {
	// Seal encrypts one request to the service whose certificates, DER, are agreement and signature.
	Seal(agreement, signature, request []byte) (body []byte, open func(answer []byte) ([]byte, error), err error)
}

// serviceError is the answer of a service that does not take a request; it comes in clear.
type serviceError struct {
	Code    json.RawMessage `json:"errorCode"`
	Message string          `json:"errorMessage"`
}

func (e *serviceError) set() bool {
	return len(e.Code) > 0 && string(e.Code) != "null" && string(e.Code) != `""` && string(e.Code) != "0"
}

var errService = errors.New("cloud: the service answers with an error")

// serviceKeys asks get-certificates: base64 of {"certificates":[agreement, signature]}.
func (f *flow) serviceKeys(ctx context.Context) error {
	var list struct {
		Certificates []string `json:"certificates"`
	}
	err := f.c.cfg.Breaker.Do(f.p.ID, func() error {
		res, err := f.c.cfg.Do(ctx, fetch.Request{Method: http.MethodGet, URL: f.p.URL + "/get-certificates", Timeout: callTime,
			MaxBody: maxAnswer, PlainHTTP: f.c.cfg.AllowHTTP})
		switch {
		case err != nil:
			return err
		case res.Status != http.StatusOK:
			return fmt.Errorf("get-certificates: status %d", res.Status)
		}
		b, err := decode64(string(res.Body), maxAnswer)
		if err != nil {
			return err
		}
		if err := parseAnswer(b, &list); err != nil {
			return err
		}
		if len(list.Certificates) != 2 {
			return ErrAnswer
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.st.Service = nil
	for _, c := range list.Certificates {
		der, err := decode64(c, 16<<10)
		if err != nil {
			return err
		}
		f.st.Service = append(f.st.Service, der)
	}
	return nil
}

// call sends one request of the SmartID family through the envelope.
func (f *flow) call(ctx context.Context, method string, in, out any) error {
	request, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("cloud: encoding a request: %w", err)
	}
	if len(f.st.Service) != 2 {
		return errStage
	}
	body, open, err := f.c.cfg.Envelope.Seal(f.st.Service[0], f.st.Service[1], request)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return f.c.cfg.Breaker.Do(f.p.ID, func() error {
		res, err := f.c.cfg.Do(ctx, fetch.Request{Method: http.MethodPost, URL: f.p.URL + "/" + method, ContentType: "application/json",
			Accept: "application/json", Body: body, Timeout: callTime, MaxBody: maxAnswer, PlainHTTP: f.c.cfg.AllowHTTP})
		if err != nil {
			return err
		}
		var clear serviceError
		if err := parseAnswer(res.Body, &clear); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		if clear.set() || res.Status != http.StatusOK {
			return fmt.Errorf("%s: %w", method, errService)
		}
		answer, err := open(res.Body)
		if err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		if err := parseAnswer(answer, out); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
		return nil
	})
}

// statusOf the operation. Вчасно has 1 for "wait"; the rest of its table is not known and read as SmartID's.
const (
	statusRegistered = 0
	statusSent       = 1
	statusDone       = 2
	statusRefused    = 3
)

type statusAnswer struct {
	serviceError
	Status     *int `json:"status"`
	Signatures []struct {
		serviceError
		Hash      string `json:"hash"`
		Signature string `json:"signature"`
	} `json:"signatures"`
	Signature string `json:"signature"` // Вчасно
}

// hashSmartID is the digest of the challenge: these providers make the whole SignedData, so that no attribute of ours can
// stand in it and no certificate can be fixed; signing-certificate-v2 does that inside (threat T15).
func (f *flow) hashSmartID() string {
	sum := gost34311.Sum(f.login.Challenge)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// beginSmartID registers the operation and shows its link, or has the provider ask the person.
func (f *flow) beginSmartID(ctx context.Context, identifier string) (connectors.Step, error) {
	portal, err := f.portal()
	if err != nil {
		return nil, err
	}
	text, err := f.description()
	if err != nil {
		return nil, err
	}
	if err := f.serviceKeys(ctx); err != nil {
		return nil, f.down(err)
	}
	var op struct {
		Operation string `json:"operationId"`
	}
	if f.p.Kind == Vchasno {
		f.st.Client = identifier
		err = f.call(ctx, "acquire-sign", map[string]any{"clientId": identifier, "originatorDescription": portal,
			"operationDescription": text, "hash": f.hashSmartID()}, &op)
	} else {
		f.st.Client = f.p.Prefix + uuid()
		err = f.call(ctx, "acquire-operation-id", map[string]any{"clientId": f.st.Client}, &op)
	}
	if err != nil {
		return nil, f.down(err)
	}
	if !plain(op.Operation, 256) {
		return nil, f.down(ErrAnswer)
	}
	f.st.Operation = op.Operation
	f.st.Stage = stageSmartID
	if f.p.Kind == Vchasno {
		return f.wait()
	}
	in := map[string]any{
		"clientId": f.st.Client, "operationId": f.st.Operation, "time": f.st.Asked.In(f.c.zone).Format("2006-01-02 15:04:05"),
		"originatorDescription": portal, "operationDescription": text, "hashes": []string{f.hashSmartID()},
		"signatureAlgorithmName": "DSTU4145", "signatureFormat": "PKCS7", "cmsFormat": 0,
	}
	if f.st.Notify != "" {
		in["callbackUrl"] = f.notifyURL()
	}
	var registered statusAnswer
	if err := f.call(ctx, "sign", in, &registered); err != nil {
		return nil, f.down(err)
	}
	code, err := json.Marshal(map[string]any{"clientId": f.st.Client, "operationId": f.st.Operation, "action": "auth", "keyType": 0})
	if err != nil {
		return nil, &connectors.Refusal{Code: "INTERNAL", Err: err}
	}
	f.st.Link = f.p.LinkURL + url.QueryEscape(string(code))
	if _, err := checkURL(f.st.Link, f.c.cfg.AllowHTTP, f.p.Hosts); err != nil {
		return nil, f.down(err)
	}
	return f.wait()
}

// pollSmartID asks sign-status.
func (f *flow) pollSmartID(ctx context.Context) (connectors.Step, error) {
	var a statusAnswer
	if err := f.call(ctx, "sign-status", map[string]any{"clientId": f.st.Client, "operationId": f.st.Operation}, &a); err != nil {
		return nil, f.down(err)
	}
	if a.Status == nil {
		return nil, f.down(ErrAnswer)
	}
	encoded := a.Signature
	switch *a.Status {
	case statusRegistered, statusSent:
		return f.wait()
	case statusRefused:
		return nil, f.p.refuse("REMOTE_REFUSED", nil)
	case statusDone:
	default:
		return nil, f.down(errService)
	}
	if f.p.Kind == SmartID {
		// One hash was sent, and one signature of that hash is taken.
		if len(a.Signatures) != 1 || a.Signatures[0].Hash != f.hashSmartID() || a.Signatures[0].set() {
			return nil, f.down(ErrAnswer)
		}
		encoded = a.Signatures[0].Signature
	}
	signature, err := decode64(encoded, connectors.MaxSignature)
	if err != nil {
		return nil, f.down(err)
	}
	if _, err := cms.Parse(signature, cms.LoginLimits); err != nil {
		return nil, connectors.Retry("CMS_MALFORMED", err)
	}
	return f.done(ctx, signature)
}

// release tells Вчасно that nobody waits any more; the outcome changes nothing.
func (f *flow) release(ctx context.Context) {
	var ignored struct{}
	_ = f.call(ctx, "release-operation-id", map[string]any{"clientId": f.st.Client, "operationId": f.st.Operation}, &ignored)
}

// uuid returns a random one (RFC 9562 5.4).
func uuid() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
