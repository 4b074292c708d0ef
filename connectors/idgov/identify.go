package idgov

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"brama/connectors"
	"brama/connectors/internal/signing"
	"brama/connectors/internal/upstream"
)

// A Record is the content of the evidence, in JSON: what the attributes do not say. The evidence's signature is the
// SignedData of the system or, without one, the envelope as it came, for which the key is needed.
type Record struct {
	System   string `json:"system"`
	Asked    string `json:"asked"`     // address that was asked
	AuthType string `json:"auth_type"` // the means, "" if the answer names none
	User     string `json:"user_id"`   // the system's number of the session's user
	Issuer   string `json:"issuer,omitempty"`
	Serial   string `json:"serial,omitempty"` // of the person's certificate, as the system tells
	Signed   bool   `json:"signed"`           // by a certificate that is known to be the system's
	Envelope string `json:"envelope_sha256"`
}

// identify opens the envelope and reads the person in it.
func (c *Connector) identify(ctx context.Context, message []byte, t token, asked []string) (connectors.Identity, error) {
	content, signed, err := c.keys.Open(message, c.cfg.Senders)
	if err != nil {
		return connectors.Identity{}, c.client.Invalid(err)
	}
	evidence := connectors.Evidence{Signature: message}
	bySystem := false
	if signed != nil {
		s, err := c.client.Verify(ctx, c.cfg.Documents, signed, nil)
		if err != nil {
			return connectors.Identity{}, err
		}
		if len(c.cfg.Signers) > 0 && !s.By("", c.cfg.Signers) {
			return connectors.Identity{}, c.client.Invalid(errors.New("the answer is signed by somebody else"))
		}
		bySystem = len(c.cfg.Signers) > 0
		content, evidence.Signature, evidence.Revocation = s.Content, s.Message, s.Revocation
	}
	o, err := upstream.ParseObject(content)
	if err != nil {
		return connectors.Identity{}, c.client.Invalid(err)
	}
	id, err := c.person(o, asked)
	if err != nil {
		return connectors.Identity{}, err
	}
	means := o.Text("auth_type")
	id.LoA, id.AMR = signing.Answer{Method: Method, Means: means, Device: o.Text("isqscd") == "1", Signed: bySystem}.Level(c.cfg.Levels)
	id.AuthTime = c.cfg.Now().Truncate(time.Second)
	digest := sha256.Sum256(message)
	if evidence.Content, err = json.Marshal(Record{
		System: Name, Asked: c.client.Origin(), AuthType: means, User: t.user, Issuer: o.Text("issuercn"), Serial: o.Text("serial"),
		Signed: bySystem, Envelope: hex.EncodeToString(digest[:]),
	}); err != nil {
		return connectors.Identity{}, err
	}
	if c.cfg.TrustList != nil {
		evidence.TrustList = c.cfg.TrustList()
	}
	id.Evidence = evidence
	return id, nil
}

// person reads the attributes. edrpoucode is used to tell seals and nothing else: it is what the system says, and acting for
// an organisation needs its certificate here (threat T32).
func (c *Connector) person(o upstream.Object, asked []string) (connectors.Identity, error) {
	if m := o.Text("auth_type"); m != "" && !slices.Contains(asked, m) {
		return connectors.Identity{}, c.client.Invalid(errors.New("the person was identified by a means that was not asked for"))
	}
	number, organization := o.Text("drfocode"), o.Text("edrpoucode")
	if number == "" && organization != "" && len(organization) != 10 {
		// A number of an organisation and none of a person: a seal. With ten digits it is a sole trader's.
		return connectors.Identity{}, connectors.Retry(upstream.CodeSeal, errors.New("the certificate is of an organisation"))
	}
	return upstream.Person{
		Family: o.Text("lastname"), Given: o.Text("givenname"), Middle: o.Text("middlename"), Number: number, UNZR: o.Text("unzr"),
	}.Identity()
}
