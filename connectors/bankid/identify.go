package bankid

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"brama/connectors"
	"brama/connectors/internal/signing"
	"brama/connectors/internal/upstream"
	"brama/internal/qes/cert"
	"brama/internal/qes/tbs"
)

// A Record is the content of the evidence, in JSON: what the bank's signature does not cover. The evidence's signature is the
// bank's SignedData. Member and session are what the National Bank asks for in a dispute.
type Record struct {
	System   string `json:"system"`
	Asked    string `json:"asked"` // address that was asked
	Bank     string `json:"bank"`  // code of the bank, from the configuration
	Member   string `json:"member_id"`
	Session  string `json:"sid_bi,omitempty"`
	Client   string `json:"cl_id,omitempty"`   // the bank's id of its client
	DataSet  string `json:"dataset,omitempty"` // "" for a list of fields
	Customer string `json:"customer_crypto_sha256"`
}

// identify opens the answer, verifies that it is signed by the bank that the centre names, the one that was chosen if one
// was, and reads the person in it.
func (c *Connector) identify(ctx context.Context, a answer, chosen string) (connectors.Identity, error) {
	bank := c.bank(func(b Bank) bool { return b.MemberID == a.memberID })
	switch {
	case bank == nil:
		return connectors.Identity{}, c.client.Invalid(errors.New("the answer is of a member that is not configured"))
	case chosen != "" && bank.ID != chosen:
		return connectors.Identity{}, c.client.Invalid(errors.New("the answer is of another bank than the one chosen"))
	}
	var senders []*tbs.Certificate
	var candidates []*cert.Certificate
	if a.certificate != nil {
		senders, candidates = append(senders, a.certificate.Certificate), append(candidates, a.certificate)
	}
	_, message, err := c.keys.Open(a.customer, senders)
	switch {
	case err != nil:
		return connectors.Identity{}, c.client.Invalid(err)
	case message == nil:
		return connectors.Identity{}, c.client.Invalid(errors.New("the answer is not signed"))
	}
	signed, err := c.client.Verify(ctx, c.cfg.Documents, message, candidates)
	if err != nil {
		return connectors.Identity{}, err
	}
	if !signed.By(bank.EDRPOU, bank.Signers) {
		return connectors.Identity{}, c.client.Invalid(errors.New("the answer is signed by somebody else than the bank"))
	}
	o, err := upstream.ParseObject(signed.Content)
	if err != nil {
		return connectors.Identity{}, c.client.Invalid(err)
	}
	id, err := c.person(o)
	if err != nil {
		return connectors.Identity{}, err
	}
	id.LoA, id.AMR = signing.Answer{Method: Method, Signed: true}.Level(c.cfg.Levels)
	id.AuthTime = c.cfg.Now().Truncate(time.Second)
	digest := sha256.Sum256(a.customer)
	record, err := json.Marshal(Record{
		System: Name, Asked: c.client.Origin(), Bank: bank.EDRPOU, Member: a.memberID, Session: a.session, Client: o.Text("clId"),
		DataSet: c.cfg.DataSet, Customer: hex.EncodeToString(digest[:]),
	})
	if err != nil {
		return connectors.Identity{}, err
	}
	id.Evidence = connectors.Evidence{Signature: signed.Message, Content: record, Revocation: signed.Revocation}
	if c.cfg.TrustList != nil {
		id.Evidence.TrustList = c.cfg.TrustList()
	}
	return id, nil
}

// person reads the bank's client. Any field may be empty; a birthday of another form is left out, for banks write it by hand.
func (c *Connector) person(o upstream.Object) (connectors.Identity, error) {
	if kind := o.Text("type"); kind != "" && kind != "physical" {
		return connectors.Identity{}, c.client.Invalid(errors.New("the bank's client is not a person"))
	}
	birth, err := upstream.Date(o.Text("birthDay"))
	if err != nil {
		birth = time.Time{}
	}
	return upstream.Person{
		Family: o.Text("lastName"), Given: o.Text("firstName"), Middle: o.Text("middleName"), Number: o.Text("inn"), Birth: birth,
	}.Identity()
}
