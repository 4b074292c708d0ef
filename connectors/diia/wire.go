package diia

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
)

// Limits of what the API may send. Its answers are a few hundred octets; a list of branches is the longest.
const (
	maxAnswer = 256 << 10
	maxToken  = 8 << 10
	maxLink   = 1000 // octets: more makes a QR code that a camera does not read from a screen
	maxID     = 128
	maxList   = 500 // entries
)

// printable reports whether s is 1 to limit visible ASCII characters: what may stand in a header or in a path.
func printable(s string, limit int) bool {
	return s != "" && len(s) <= limit && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// parse reads exactly one JSON value. Members that we do not know are passed over: the API grows.
func parse(b []byte, into any) error {
	if len(b) > maxAnswer {
		return fmt.Errorf("%w: %d octets", ErrAnswer, len(b))
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: not the JSON expected", ErrAnswer) // the error of the decoder quotes what it read
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than one value", ErrAnswer)
	}
	return nil
}

// parseToken reads {"token":"<JWT>"} [V]. The token is opaque to us.
func parseToken(b []byte) (Secret, error) {
	var v struct {
		Token string `json:"token"`
	}
	if err := parse(b, &v); err != nil {
		return "", err
	}
	if !printable(v.Token, maxToken) {
		return "", fmt.Errorf("%w: no token", ErrAnswer)
	}
	return Secret(v.Token), nil
}

// parseID reads {"_id":"…"}: the name of a new branch or offer [V].
func parseID(b []byte) (string, error) {
	var v struct {
		ID string `json:"_id"`
	}
	if err := parse(b, &v); err != nil {
		return "", err
	}
	if !validID(v.ID) {
		return "", fmt.Errorf("%w: no identifier", ErrAnswer)
	}
	return v.ID, nil
}

// validID: what may stand in a path as it is.
func validID(s string) bool {
	return s != "" && len(s) <= maxID && strings.IndexFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
	}) < 0
}

// parseLink reads {"deeplink":"https://diia.app/…"} [V] and checks it against the origins that are listed: it will be a link
// and a QR code on our page (threat T54). It is returned as it came, if it can be read in one way only.
func parseLink(b []byte, origins []string) (string, error) {
	var v struct {
		DeepLink string `json:"deeplink"`
	}
	if err := parse(b, &v); err != nil {
		return "", err
	}
	if !printable(v.DeepLink, maxLink) || strings.ContainsAny(v.DeepLink, `\"'<>`+"`") {
		return "", fmt.Errorf("%w: no deep link", ErrAnswer)
	}
	u, err := url.Parse(v.DeepLink)
	if err != nil || u.Opaque != "" || u.User != nil || u.Fragment != "" || !slices.Contains(origins, u.Scheme+"://"+u.Host) ||
		!strings.HasPrefix(v.DeepLink, u.Scheme+"://"+u.Host+"/") {
		return "", ErrLink
	}
	return v.DeepLink, nil
}

// parseError reads {"name":"…","message":"…","code":404,"data":{}} [V]; whatever cannot be read is left out.
func parseError(status int, b []byte) error {
	var v struct {
		Name string `json:"name"`
	}
	if parse(b, &v) != nil || len(v.Name) > 64 || strings.IndexFunc(v.Name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) >= 0 {
		v.Name = ""
	}
	return &APIError{Status: status, Name: v.Name}
}

// A dynamicRequest is the body of offer-request/dynamic [V].
type dynamicRequest struct {
	OfferID    string       `json:"offerId"`
	RequestID  string       `json:"requestId"`
	ReturnLink string       `json:"returnLink,omitempty"`
	SignAlgo   Algorithm    `json:"signAlgo"` // older SDKs leave it out for DSTU [I]
	Data       *dynamicData `json:"data,omitempty"`
}

type dynamicData struct {
	HashedFilesSigning hashedFiles `json:"hashedFilesSigning"`
}

type hashedFiles struct {
	HashedFiles []hashedFile `json:"hashedFiles"`
}

type hashedFile struct {
	FileName string `json:"fileName"`
	FileHash []byte `json:"fileHash"` // base64 of the raw digest
}
