package diia

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"brama/connectors"
)

// Headers of the notification [V SDKs of php and js].
const (
	headerTrace  = "X-Document-Request-Trace-Id" // requestId as we sent it
	headerAction = "X-Diia-Id-Action"            // the scope; absent where documents are shared
)

// Limits of a notification. One part is sent; the rest is room for parts that we do not know.
const (
	maxParts    = 8
	maxBoundary = 70 // RFC 2046 5.1.1
	maxTrace    = 128
)

// errNotification is a notification that does not have the form of one.
var errNotification = errors.New("diia: malformed notification")

func malformed(what string) error { return fmt.Errorf("%w: %s", errNotification, what) }

// header returns the one value of a header, "" if it is absent or stands twice.
func header(h http.Header, name string) string {
	if v := h.Values(name); len(v) == 1 {
		return v[0]
	}
	return ""
}

// boundary returns what separates the parts; "" if the content is not multipart/mixed or, as also seen [V], form-data.
func boundary(contentType string) string {
	if len(contentType) > 256 {
		return ""
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || media != "multipart/mixed" && media != "multipart/form-data" || len(params["boundary"]) > maxBoundary {
		return ""
	}
	return params["boundary"]
}

// encodeData finds the one part called encodeData. Frameworks do not read multipart/mixed as a form: the name stands in
// Content-Disposition, whatever the disposition is [V].
func encodeData(contentType string, body []byte) ([]byte, error) {
	if len(body) > connectors.MaxEventBody {
		return nil, malformed("too large")
	}
	sep := boundary(contentType)
	if sep == "" {
		return nil, malformed("not multipart")
	}
	var found []byte
	r := multipart.NewReader(bytes.NewReader(body), sep)
	for n := 0; ; n++ {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || n == maxParts {
			return nil, malformed("parts")
		}
		_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if err != nil || params["name"] != "encodeData" {
			continue
		}
		switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
		case "", "7bit", "8bit", "binary":
		default:
			return nil, malformed("transfer encoding")
		}
		if found != nil {
			return nil, malformed("encodeData twice")
		}
		if found, err = io.ReadAll(part); err != nil || len(found) == 0 {
			return nil, malformed("encodeData cannot be read")
		}
	}
	if found == nil {
		return nil, malformed("no encodeData")
	}
	return found, nil
}

// signatureIn returns the SignedData that a notification brings for a request called requestID in a scope. encodeData is
// base64 of JSON, not encrypted [V]:
//
//	auth                {"requestId":"<as sent>","signature":"<base64 CMS>"}
//	hashedFilesSigning  {"signedItems":[{"name":"<file name>","signature":"<base64 CMS>"}]}
func signatureIn(scope Scope, requestID, contentType string, body []byte) ([]byte, error) {
	data, err := encodeData(contentType, body)
	if err != nil {
		return nil, err
	}
	text, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(data))) // line ends inside are skipped
	if err != nil {
		return nil, malformed("encodeData is not base64")
	}
	var v struct {
		RequestID   *string `json:"requestId"`
		Signature   string  `json:"signature"`
		SignedItems []struct {
			// The name is not compared: nothing vouches for it, and an application may write it in another form than we did.
			Signature string `json:"signature"`
		} `json:"signedItems"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&v); err != nil {
		return nil, malformed("encodeData is not the JSON expected")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed("encodeData holds more than one value")
	}
	signature := v.Signature
	switch scope {
	case HashedFilesSigning:
		// One file was asked for, so one signature is taken: out of several somebody would have to choose.
		if len(v.SignedItems) != 1 || v.Signature != "" {
			return nil, malformed("not one signed file")
		}
		signature = v.SignedItems[0].Signature
	default:
		if len(v.SignedItems) != 0 || v.RequestID == nil || *v.RequestID != requestID {
			return nil, malformed("of another request")
		}
	}
	cms, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || len(cms) == 0 {
		return nil, malformed("signature is not base64")
	}
	if len(cms) > connectors.MaxSignature {
		return nil, malformed("signature too large")
	}
	return cms, nil
}
