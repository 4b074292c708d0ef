package signing

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brama/connectors"
	"brama/connectors/levels"
	"brama/internal/der"
	"brama/internal/qes"
	"brama/internal/qes/cert"
)

// A Verifier validates a signature over exactly content, now. *qes.Validator implements it.
type Verifier interface {
	// Verify returns an error, or a result with its code, unless the signature has passed.
	Verify(ctx context.Context, signature, content []byte) (*qes.Result, error)
}

// Codes of this package that the validator does not have.
const (
	codeExpired   = "CHALLENGE_EXPIRED"
	codeRemoteKey = "CERT_REMOTE_KEY"
)

// maxAge bounds how long after its making a result may be used; a validator that caches is a mistake in the wiring.
const maxAge = 5 * time.Minute

// purposeLogin is the value of the signed attribute purpose in a login signature.
const purposeLogin = "login"

// remoteIssuers are the EDRPOU of providers whose keys for persons are used by telephone (threat T3): Diia.
var remoteIssuers = []string{"43395033"}

// A Checker turns signatures into identities for one method.
type Checker struct {
	// Method is the id of the method and names its rule.
	Method string
	// Verifier validates the signature.
	Verifier Verifier
	// Now is the clock.
	Now func() time.Time
	// TrustList names the version of the trusted list for the evidence; nil leaves it out.
	TrustList func() string
	// RemoteIssuers adds to the table of providers with keys used by telephone, by EDRPOU.
	RemoteIssuers []string
	// RemoteProfiles are more of them, told apart more finely.
	RemoteProfiles []RemoteProfile
	// Levels is the policy; nil is the one in the program.
	Levels *levels.Policy
	// WithoutDevice caps the level of a certificate that does not say its key is in a qualified device; "" caps nothing.
	WithoutDevice connectors.LoA
	// Cap lowers what the policy gives; "" leaves it.
	Cap connectors.LoA
}

// New copies c and checks that it is complete.
func New(c Checker) (*Checker, error) {
	if _, ok := rules[c.Method]; !ok {
		return nil, fmt.Errorf("signing: no rule for the method %q", c.Method)
	}
	if c.Verifier == nil {
		return nil, errors.New("signing: a verifier is needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Levels = orDefault(c.Levels)
	c.RemoteIssuers = append(slices.Clone(remoteIssuers), c.RemoteIssuers...)
	c.RemoteProfiles = slices.Clone(c.RemoteProfiles)
	for _, p := range c.RemoteProfiles {
		if err := p.check(); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

// Identify validates signature, a SignedData in DER, over the challenge of login and returns who made it. Every error is
// a *connectors.Refusal; one that another signature can mend wraps connectors.ErrRetry.
func (c *Checker) Identify(ctx context.Context, login connectors.Login, signature []byte) (connectors.Identity, error) {
	return c.IdentifyOver(ctx, login, Signed{Signature: signature, Content: login.Challenge, Evidence: signature})
}

// Signed is a signature that does not cover the challenge itself.
type Signed struct {
	Signature []byte // SignedData, DER
	// Content is what Signature covers. The caller has made sure that it binds the challenge of the login and nothing else.
	Content []byte
	// Evidence shows later what was signed: the signature, or what holds it together with what binds the challenge.
	Evidence []byte
}

// IdentifyOver is Identify for a signature over something that binds the challenge, such as the manifest of a container.
func (c *Checker) IdentifyOver(ctx context.Context, login connectors.Login, s Signed) (connectors.Identity, error) {
	signature := s.Signature
	switch {
	case len(signature) == 0:
		return refuse(string(qes.CMSMalformed), errors.New("no signature"))
	case len(signature) > connectors.MaxSignature:
		return refuse("UPLOAD_TOO_BIG", fmt.Errorf("%d octets", len(signature)))
	case len(login.Challenge) == 0:
		return connectors.Identity{}, &connectors.Refusal{Code: string(qes.Internal), Err: errors.New("signing: login without a challenge")}
	case !c.Now().Before(login.Expires):
		return refuse(codeExpired, nil)
	}
	res, err := c.Verifier.Verify(ctx, signature, s.Content)
	if err != nil {
		id, err := refuseError(err)
		if c.authentic(res) {
			err = fmt.Errorf("%w: %w", connectors.ErrAuthentic, err)
		}
		return id, err
	}
	if res == nil || res.Indication != qes.Passed || res.Signer == nil || res.Issuer == nil {
		// Belt and braces: a result that has not passed is a refusal, whatever the error says.
		if res != nil && res.Code != "" && res.Indication != qes.Passed {
			return refuse(string(res.Code), errors.New("result has not passed"))
		}
		return connectors.Identity{}, &connectors.Refusal{Code: string(qes.Internal), Err: errors.New("signing: validator gave no verdict")}
	}
	if age := c.Now().Sub(res.CheckedAt); age > maxAge || age < -maxAge {
		return connectors.Identity{}, &connectors.Refusal{Code: string(qes.Internal), Err: errors.New("signing: verdict is not of now")}
	}
	return c.identity(res, login, s.Evidence)
}

// authentic reports whether a signature that is refused was made with a certificate of this method's providers: its value
// has verified, and so has the path to the service that issued the certificate (threat T44). Where nobody else's signature
// can come, nothing needs to be told apart.
func (c *Checker) authentic(res *qes.Result) bool {
	return rules[c.Method].remote && res != nil && res.Signer != nil && res.Issuer != nil &&
		slices.Contains(c.RemoteIssuers, issuerEDRPOU(res.Signer))
}

// identity applies the rules that are the method's and not the validator's.
func (c *Checker) identity(res *qes.Result, login connectors.Login, evidence []byte) (connectors.Identity, error) {
	r := rules[c.Method]
	if r.purpose && res.Purpose != purposeLogin || res.Purpose != "" && res.Purpose != purposeLogin {
		return refuse(string(qes.SigInvalid), fmt.Errorf("signed attribute purpose is %q", res.Purpose))
	}
	if r.local && c.isRemote(res.Signer) {
		return refuse(codeRemoteKey, errors.New("certificate of a remote key profile"), "issuer", res.Signer.IssuerName())
	}
	if r.remote && !slices.Contains(c.RemoteIssuers, issuerEDRPOU(res.Signer)) {
		return refuse(string(qes.SigInvalid), errors.New("certificate of a provider that this method does not have"))
	}
	switch res.Signer.Kind() {
	case cert.KindPerson, cert.KindEmployee, cert.KindEntrepreneur:
	case cert.KindSeal:
		return refuse(string(qes.CertSeal), nil)
	default:
		return refuse(string(qes.CertUsage), fmt.Errorf("certificate kind %d", res.Signer.Kind()))
	}
	id, err := person(res.Signer)
	if err != nil {
		var which *cert.IdentifierError
		if errors.As(err, &which) {
			return refuse(string(qes.CertIdentifiersDisagree), err, "number", which.Type)
		}
		return refuse(string(qes.CertIdentifiersDisagree), err)
	}
	id.Certificate = connectors.CertificateInfo{
		Issuer:    res.Signer.IssuerName(),
		Serial:    hexOf(res.Signer.Serial),
		NotBefore: res.Signer.NotBefore,
		NotAfter:  res.Signer.NotAfter,
		CheckedAt: res.CheckedAt,
		ID:        certificateID(res.Signer),
		Raw:       res.Signer.Raw,
		Qualified: true, // the path ends at a service that is granted for qualified certificates
	}
	id.LoA = c.Levels.Signature(policyName(c.Method), res.Signer.Qualified(), res.Signer.QCStatements().SSCD)
	if c.Cap != "" {
		id.LoA = least(id.LoA, c.Cap)
	}
	id.AMR = slices.Clone(r.amr)
	if res.Signer.QCStatements().SSCD {
		if r.device != nil {
			id.AMR = slices.Clone(r.device)
		}
	} else if c.WithoutDevice != "" {
		id.LoA = least(id.LoA, c.WithoutDevice)
	}
	id.AuthTime = c.Now().Truncate(time.Second)
	id.Evidence = connectors.Evidence{Signature: evidence, Content: login.Challenge, Revocation: res.Revocation.Evidence}
	if c.TrustList != nil {
		id.Evidence.TrustList = c.TrustList()
	}
	return id, nil
}

func certificateID(c *cert.Certificate) string {
	sum := c.Fingerprint()
	return hexOf(sum[:])
}

func hexOf(b []byte) string {
	var room [2 * 64]byte // most that there is
	return string(hex.AppendEncode(room[:0], b))
}

// Attributes of the certificate that are read here.
var (
	oidSerialNumber           = der.NewOID("2.5.4.5")
	oidOrganizationIdentifier = der.NewOID("2.5.4.97")
)

// issuerEDRPOU reads the provider's own code from the issuer's name: organizationIdentifier NTRUA-43395033, else the
// serialNumber UA-43395033-1000 of older ones.
func issuerEDRPOU(c *cert.Certificate) string {
	if code, ok := strings.CutPrefix(c.IssuerAttribute(oidOrganizationIdentifier), "NTRUA-"); ok {
		return code
	}
	code, _ := strings.CutPrefix(c.IssuerAttribute(oidSerialNumber), "UA-")
	code, _, _ = strings.Cut(code, "-")
	return code
}

func refuse(code string, err error, values ...string) (connectors.Identity, error) {
	return connectors.Identity{}, connectors.Retry(code, err, values...)
}

// MaxLoA returns the highest level of c.
func (c *Checker) MaxLoA() connectors.LoA {
	most := MaxLoA(c.Levels, c.Method)
	if c.Cap != "" {
		most = least(most, c.Cap)
	}
	return most
}

// refuseError keeps the code and the values of the validator. A fault of ours is no retry; a browser that went away is.
func refuseError(err error) (connectors.Identity, error) {
	code := qes.CodeOf(err)
	r := &connectors.Refusal{Code: string(code), Err: err}
	var qe *qes.Error
	if errors.As(err, &qe) {
		r.Values = qe.Values
	}
	if code != qes.Internal || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		r.Err = fmt.Errorf("%w: %w", connectors.ErrRetry, err)
	}
	return connectors.Identity{}, r
}
