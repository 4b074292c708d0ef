package cloud

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"brama/connectors"
	"brama/connectors/internal/signing"
	"brama/internal/challenge"
)

// A stage is what the login waits for. The zero value waits for a press.
type stage string

const (
	stageService    stage = "service"    // the person is at the provider, for the service token
	stageChoose     stage = "choose"     // a key is to be chosen
	stageOTP        stage = "otp"        // a one-time code is to be typed
	stageCredential stage = "credential" // the person is at the provider, to approve the hash
	stageAuthorize  stage = "authorize"  // the person approves on the telephone
	stageSign       stage = "sign"       // the provider signs
	stageSmartID    stage = "smartid"    // the person approves in the provider's program
)

// state is the connector's own part of a login. It holds tokens of the provider: whoever stores it seals it.
type state struct {
	Stage    stage  `json:"stage,omitempty"`
	Provider string `json:"provider,omitempty"`
	Code     string `json:"code,omitempty"`   // two digits
	Notify   string `json:"notify,omitempty"` // token of the address for notifications
	// Challenge is the digest of the challenge that the request was made for: another one needs another request.
	Challenge []byte    `json:"challenge,omitempty"`
	Asked     time.Time `json:"asked,omitzero"` // the press; also the signing time
	Until     time.Time `json:"until,omitzero"`

	// OAuth of CSC.
	OAuthURL string `json:"oauth_url,omitempty"`
	OAuth    string `json:"oauth,omitempty"`    // the parameter state of the redirect that is out
	Verifier string `json:"verifier,omitempty"` // of PKCE
	Token    string `json:"token,omitempty"`    // service token
	Async    bool   `json:"async,omitempty"`    // the provider signs asynchronously

	Keys      []credential `json:"keys,omitempty"` // to choose from; the one in use stands alone
	Object    string       `json:"object,omitempty"`
	Handle    string       `json:"handle,omitempty"`
	Response  string       `json:"response,omitempty"`
	Client    string       `json:"client,omitempty"` // SmartID
	Operation string       `json:"operation,omitempty"`
	Link      string       `json:"link,omitempty"`
	Service   [][]byte     `json:"service,omitempty"` // certificates of a SmartID service
}

func readState(b []byte) (state, error) {
	var st state
	if len(b) == 0 {
		return st, nil
	}
	if err := json.Unmarshal(b, &st); err != nil {
		return state{}, errors.New("cloud: state of a login does not parse")
	}
	return st, nil
}

func (st *state) bytes() []byte {
	b, err := json.Marshal(st)
	if err != nil {
		panic("cloud: internal error: " + err.Error())
	}
	return b
}

// key is the credential in use: fixed before anything is signed.
func (st *state) key() (*credential, error) {
	if len(st.Keys) != 1 {
		return nil, errors.New("cloud: no key is chosen")
	}
	return &st.Keys[0], nil
}

// newState begins a request: what came before is dropped, and with it every answer that is still under way.
func (f *flow) newState(p *Provider) {
	now := f.c.cfg.Now()
	f.p = p
	f.st = state{Provider: p.ID, Code: signing.MatchingCode(), Challenge: digest(f.login.Challenge),
		Asked: now.UTC().Truncate(time.Second), Until: now.Add(f.c.cfg.Wait).UTC().Truncate(time.Second)}
	if f.login.Expires.Before(f.st.Until) {
		f.st.Until = f.login.Expires
	}
	if f.c.cfg.NotifyURL != "" {
		f.st.Notify = random()
	}
}

func digest(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

// random returns 256 bits in 43 characters.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// portal is what the telephone shows of the portal: its name, else its host out of the challenge.
func (f *flow) portal() (string, error) {
	ch, err := challenge.Parse(f.login.Challenge)
	if err != nil {
		return "", &connectors.Refusal{Code: "INTERNAL", Err: err}
	}
	if f.login.Portal != "" {
		return f.login.Portal, nil
	}
	return ch.Host, nil
}

// description is what the telephone shows: the portal, the time of the press and the matching code.
func (f *flow) description() (string, error) {
	portal, err := f.portal()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Вхід, %s, %s, код %s", portal, f.st.Asked.In(f.c.zone).Format("15-04"), f.st.Code), nil
}
