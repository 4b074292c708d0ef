package signing

import (
	"context"
	"encoding/base64"
	"errors"

	"brama/connectors"
	"brama/internal/qes"
)

// Form is Advance of a method whose page makes the signature: ev is its form, with base64 of the SignedData in the value
// "signature".
func (c *Checker) Form(ctx context.Context, login connectors.Login, ev connectors.Event) (connectors.Step, error) {
	if ev.Via != connectors.ViaForm {
		return nil, connectors.Retry("TX_UNKNOWN", errors.New("event of another kind"))
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(ev.Values.Get("signature"))
	if err != nil {
		return nil, connectors.Retry(string(qes.CMSMalformed), errors.New("signature is not base64"))
	}
	id, err := c.Identify(ctx, login, signature)
	if err != nil {
		return nil, err
	}
	return connectors.Done{Identity: id}, nil
}
