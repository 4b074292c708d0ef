package diia

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"

	"brama/internal/dstu/gost34311"
)

// A Scope is the kind of request that an offer carries: one in practice [V].
type Scope string

// Scopes of Дія.Підпис.
const (
	// HashedFilesSigning shows the name of a file, which carries portal, time and matching code.
	HashedFilesSigning Scope = "hashedFilesSigning"
	// Auth shows what the offer is called, and no matching code.
	Auth Scope = "auth"
)

// An Algorithm selects which of the two certificates of the person signs [V SDK enum; I].
type Algorithm string

// Algorithms.
const (
	DSTU  Algorithm = "DSTU"  // ДСТУ 4145, the digest is ГОСТ 34.311
	ECDSA Algorithm = "ECDSA" // P-256, the digest is SHA-256
)

// Digest returns the digest of b that goes with a: 32 octets, nil for an unknown algorithm. The PHP SDK sends SHA-256 with
// DSTU in a sample; the signature then says ГОСТ 34.311 over a value that is none, and no verifier takes it.
func (a Algorithm) Digest(b []byte) []byte {
	switch a {
	case DSTU:
		h := gost34311.New()
		h.Write(b)
		return h.Sum(nil)
	case ECDSA:
		sum := sha256.Sum256(b)
		return sum[:]
	}
	return nil
}

// A SigningRequest is what the person shall sign.
type SigningRequest struct {
	Branch, Offer string
	Scope         Scope
	Algorithm     Algorithm
	ID            string // requestId; the notification repeats it
	ReturnLink    string // where the application sends the browser of the telephone; "" leaves it to the offer
	FileName      string // hashedFilesSigning only
	Hash          []byte // 32 octets; hashedFilesSigning only, in the scope auth the ID is its base64
}

// CreateRequest asks for a dynamic request and returns its deep link. It is not repeated by itself after a failure: the
// person presses again.
func (c *Client) CreateRequest(ctx context.Context, r SigningRequest) (link string, err error) {
	if !validID(r.Branch) || !validID(r.Offer) || !printable(r.ID, maxToken) {
		return "", errors.New("diia: branch, offer and request need identifiers")
	}
	body := dynamicRequest{OfferID: r.Offer, RequestID: r.ID, ReturnLink: r.ReturnLink, SignAlgo: r.Algorithm}
	if r.Scope == HashedFilesSigning {
		if len(r.Hash) != sha256.Size || r.FileName == "" {
			return "", errors.New("diia: a file to sign needs a name and a digest of 32 octets")
		}
		body.Data = &dynamicData{hashedFiles{[]hashedFile{{FileName: r.FileName, FileHash: r.Hash}}}}
	}
	answer, err := c.call(ctx, http.MethodPost, "/api/v2/acquirers/branch/"+r.Branch+"/offer-request/dynamic", body)
	if err != nil {
		return "", fmt.Errorf("creating a request: %w", err)
	}
	if link, err = parseLink(answer, c.cfg.LinkOrigins); err != nil {
		return "", fmt.Errorf("creating a request: %w", err)
	}
	return link, nil
}
