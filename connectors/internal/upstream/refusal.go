package upstream

import (
	"context"
	"errors"
	"fmt"

	"brama/connectors"
)

// Codes of refusals that are made here and by the clients. provider/web has a text for each.
const (
	CodeCancelled = "UPSTREAM_CANCELLED" // the person came back without a proof
	CodeInvalid   = "UPSTREAM_INVALID"   // the answer does not pass: what exactly is for the operator only (threat T49)
	CodeDown      = "REMOTE_DOWN"
	CodeExpired   = "REMOTE_EXPIRED" // the code or the token is over
	CodeUnknown   = "TX_UNKNOWN"     // a return that is not of this login
	CodeTooLate   = "CHALLENGE_EXPIRED"
	CodeNoNumber  = "CERT_NO_TAXNO"
	CodeNoData    = "CERT_DATA_MISSING"
	CodeSeal      = "CERT_SEAL"
	CodeDisagree  = "CERT_IDENTIFIERS_DISAGREE"
	CodeInternal  = "INTERNAL" // the institution's registration or key is wrong
)

// refusalOf keeps a refusal that err already is, and makes one of the code of any other.
func refusalOf(err error, code string, values ...string) error {
	var r *connectors.Refusal
	if errors.As(err, &r) {
		return err
	}
	return connectors.Retry(code, err, values...)
}

// Invalid is the one refusal of an answer that does not pass, whatever is wrong with it.
func (c *Client) Invalid(err error) error { return refusalOf(err, CodeInvalid, "name", c.cfg.Name) }

// words are the errors that the two systems are known to answer with, by what the person is told. Texts beside them are
// never shown or logged: they hold user identifiers.
var words = map[string]string{
	"access_denied":             CodeCancelled,
	"temporarily_unavailable":   CodeDown,
	"server_error":              CodeDown,
	"invalid_grant":             CodeExpired,
	"invalid_token":             CodeExpired,
	"expired_token":             CodeExpired,
	"invalid_request":           CodeInternal,
	"invalid_client":            CodeInternal,
	"invalid_cert":              CodeInternal,
	"invalid_scope":             CodeInternal,
	"unauthorized_client":       CodeInternal,
	"unsupported_grant_type":    CodeInternal,
	"unsupported_response_type": CodeInternal,
	"invalid_data":              CodeInvalid,
}

// Answered makes the refusal of an error word that the system answered with.
func (c *Client) Answered(word string) error {
	code, ok := words[word]
	if !ok {
		// An unknown word may be anything, data of the person included.
		return connectors.Retry(CodeInvalid, errors.New(c.cfg.Name+" answered with an unknown error"), "name", c.cfg.Name)
	}
	err := fmt.Errorf("%s answered with %s", c.cfg.Name, word)
	if code == CodeDown {
		return c.down(err)
	}
	return connectors.Retry(code, err, "name", c.cfg.Name)
}

func (c *Client) down(err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: %w", connectors.ErrRetry, err)
	}
	return connectors.Retry(CodeDown, err, "name", c.cfg.Name)
}
