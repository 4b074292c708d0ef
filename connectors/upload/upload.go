// Package upload is the method "upload" (S16): the person downloads the challenge, signs it in any program of their own
// and uploads the signed file. It is the road without agent, camera or JavaScript; the checks are those of every other
// method, but for the signed attribute purpose, which foreign programs cannot set.
package upload

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"brama/connectors"
	"brama/connectors/internal/signing"
	"brama/connectors/levels"
	"brama/internal/qes/asic"
	"brama/internal/qes/keystore"
)

// Method is the id of this method.
const Method = "upload"

// Config is what the connector needs.
type Config struct {
	Verifier signing.Verifier // required
	// RemoteIssuers adds providers whose keys are used by telephone to the built-in ones, by EDRPOU; their certificates
	// are refused here (threat T3).
	RemoteIssuers []string
	// RemoteProfiles adds such certificates of providers that also give keys into people's own hands.
	RemoteProfiles []RemoteProfile
	// Levels is the policy that gives levels; nil is the one in the program.
	Levels *levels.Policy
	// TrustList names the version of the trusted list for the evidence; may be nil.
	TrustList func() string
	Now       func() time.Time // nil means time.Now
}

// A RemoteProfile describes certificates whose key is used by telephone: by issuer, policy, and whether they name a device.
type RemoteProfile = signing.RemoteProfile

// Connector implements connectors.Connector.
type Connector struct{ checker *signing.Checker }

var _ connectors.Connector = (*Connector)(nil)

// New checks c and returns the connector.
func New(c Config) (*Connector, error) {
	checker, err := signing.New(signing.Checker{Method: Method, Verifier: c.Verifier, Now: c.Now, TrustList: c.TrustList, Levels: c.Levels,
		RemoteIssuers: c.RemoteIssuers, RemoteProfiles: c.RemoteProfiles})
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	return &Connector{checker: checker}, nil
}

// Idle is what the page shows before the request is made.
func (c *Connector) Idle() connectors.Page { return connectors.Page{Name: "upload"} }

// MaxLoA is the highest level this method gives.
func (c *Connector) MaxLoA() connectors.LoA { return c.checker.MaxLoA() }

// Begin returns the page with the download and the upload.
func (c *Connector) Begin(context.Context, connectors.Login) (connectors.Step, error) {
	return c.Idle(), nil
}

// Advance takes the uploaded file as the body: SignedData in DER, PEM or base64, or an ASiC container of it.
func (c *Connector) Advance(ctx context.Context, login connectors.Login, ev connectors.Event) (connectors.Step, error) {
	if ev.Via != connectors.ViaForm {
		return nil, retry("TX_UNKNOWN", "event of another kind")
	}
	switch {
	case len(ev.Body) == 0:
		return nil, retry("UPLOAD_MISSING", "no file")
	case len(ev.Body) > connectors.MaxSignature:
		return nil, retry("UPLOAD_TOO_BIG", "file over the limit")
	}
	if isKey(ev.Body) {
		// A key must not be here: nothing of it is kept, and the person is told (threat T36).
		clear(ev.Body)
		return nil, retry("UPLOAD_IS_KEY", "the file is a key container")
	}
	if bytes.Equal(bytes.TrimSpace(ev.Body), bytes.TrimSpace(login.Challenge)) {
		return nil, retry("UPLOAD_NOT_SIGNED", "the file is the request itself")
	}
	signed, err := read(ev.Body, login.Challenge)
	if err != nil {
		return nil, err
	}
	id, err := c.checker.IdentifyOver(ctx, login, *signed)
	if err != nil {
		return nil, err
	}
	return connectors.Done{Identity: id}, nil
}

// isKey tells whether the file is a key container of any known format.
func isKey(b []byte) bool {
	_, err := keystore.Recognise(b)
	return err == nil
}

// read takes what is signed out of the uploaded file. Its content binds the challenge and nothing else.
func read(b, challenge []byte) (*signing.Signed, error) {
	if asic.IsZIP(b) {
		return readContainer(b, challenge)
	}
	for start, name := range map[string]string{"%PDF-": "PAdES", "<?xml": "XAdES", "\ufeff<?xml": "XAdES"} {
		if bytes.HasPrefix(bytes.TrimSpace(b), []byte(start)) {
			return nil, unsupported("format", name)
		}
	}
	der, err := decode(b)
	if err != nil {
		return nil, retry("CMS_MALFORMED", err.Error())
	}
	return &signing.Signed{Signature: der, Content: challenge, Evidence: der}, nil
}

// decode takes DER as it is, and the text forms in which programs save the same bytes.
func decode(b []byte) ([]byte, error) {
	const sequence = 0x30
	if b[0] == sequence {
		return b, nil
	}
	text := bytes.TrimSpace(b)
	if bytes.HasPrefix(text, []byte("-----BEGIN ")) {
		block, rest := pem.Decode(text)
		if block == nil || len(bytes.TrimSpace(rest)) > 0 || block.Type != "CMS" && block.Type != "PKCS7" {
			return nil, errors.New("not one CMS in PEM")
		}
		return block.Bytes, nil
	}
	der, err := base64.StdEncoding.DecodeString(string(text)) // line ends are skipped
	if err != nil || len(der) == 0 {
		return nil, errors.New("neither DER, PEM nor base64")
	}
	return der, nil
}

func unsupported(kind, name string) error {
	r := &connectors.Refusal{Code: "FORMAT_UNSUPPORTED", Values: map[string]string{"kind": kind}, Err: fmt.Errorf("%w: %s %s", connectors.ErrRetry, kind, name)}
	if name != "" {
		r.Values["name"] = name
	}
	return r
}

func retry(code, what string) error {
	return &connectors.Refusal{Code: code, Err: fmt.Errorf("%w: %s", connectors.ErrRetry, what)}
}
