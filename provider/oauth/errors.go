package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/ory/fosite"

	"brama/storage"
)

func pageError(code, description string, err error) *Error {
	return &Error{Page: true, Code: code, Description: description, Status: http.StatusBadRequest, Err: err}
}

// pageFault is the page for a fault of ours before redirect_uri is proven.
func pageFault(err error) *Error {
	e := pageError("server_error", "", err)
	e.Status = http.StatusInternalServerError
	return e
}

// asPage makes a page of an error that would go back to the client.
func asPage(err error) *Error {
	e := *publicError(err)
	e.Page = true
	return &e
}

func redirectError(e *Error) *Error {
	e.Page = false
	return e
}

// statuses are the codes that a client may see (RFC 6749, 4.1.2.1 and 5.2; RFC 6750, 3.1; OpenID Connect Core 3.1.2.6).
var statuses = map[string]int{
	"invalid_request":                   http.StatusBadRequest,
	"invalid_client":                    http.StatusUnauthorized,
	"invalid_grant":                     http.StatusBadRequest,
	"unauthorized_client":               http.StatusBadRequest,
	"unsupported_grant_type":            http.StatusBadRequest,
	"unsupported_response_type":         http.StatusBadRequest,
	"invalid_scope":                     http.StatusBadRequest,
	"access_denied":                     http.StatusBadRequest,
	"invalid_request_uri":               http.StatusBadRequest,
	"login_required":                    http.StatusBadRequest,
	"interaction_required":              http.StatusBadRequest,
	"consent_required":                  http.StatusBadRequest,
	"account_selection_required":        http.StatusBadRequest,
	"unmet_authentication_requirements": http.StatusBadRequest,
	"temporarily_unavailable":           http.StatusServiceUnavailable,
	"server_error":                      http.StatusInternalServerError,
}

// publicError is the only way from an error to what a client sees. Whatever it does not know is server_error and reveals
// nothing; the whole chain stays in Err for the operator.
func publicError(err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	if errors.Is(err, storage.ErrConflict) {
		// Another request spent the code while this one was worked on.
		return &Error{Code: "invalid_grant", Description: "The code has been used.", Status: http.StatusBadRequest, Err: err}
	}
	var f *fosite.RFC6749Error
	if errors.As(err, &f) {
		if status, ok := statuses[f.ErrorField]; ok && f.ErrorField != "server_error" {
			return &Error{Code: f.ErrorField, Status: status, Err: err} // its hints quote what came from outside
		}
		if errors.Is(err, fosite.ErrTokenExpired) || errors.Is(err, fosite.ErrTokenSignatureMismatch) || errors.Is(err, fosite.ErrInvalidTokenFormat) {
			return &Error{Code: "invalid_grant", Status: http.StatusBadRequest, Err: err}
		}
	}
	return &Error{Code: "server_error", Status: http.StatusInternalServerError, Err: err}
}

// chain returns the messages of err and its causes: fosite's errors print their code only.
func chain(err error) string {
	var parts []string
	for ; err != nil; err = errors.Unwrap(err) {
		text := err.Error()
		//nolint:errorlint // each link of the chain is looked at by itself
		if f, ok := err.(*fosite.RFC6749Error); ok && f.HintField != "" {
			text += " (" + f.HintField + ")"
		}
		if n := len(parts); n == 0 || !strings.HasSuffix(parts[n-1], text) {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, ": ")
}

// writeError answers at the token endpoint (RFC 6749, 5.2).
func writeError(w http.ResponseWriter, e *Error) {
	body := map[string]string{"error": e.Code}
	if e.Description != "" {
		body["error_description"] = e.Description
	}
	writeJSON(w, e.Status, body)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	writeBody(w, status, body)
}

// writeBody answers with JSON.
func writeBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = headerJSON
	keptByNobody(h, len(body))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the other side has gone: nobody is left to tell
}

// keptByNobody sets the headers of an answer of so many bytes that is for its caller alone.
func keptByNobody(h http.Header, length int) {
	if h["X-Content-Type-Options"] == nil { // a ninth header makes the map of them a larger one, even if it is there already
		h["X-Content-Type-Options"] = headerNoSniff
	}
	h["Content-Length"] = []string{strconv.Itoa(length)}
	h["Cache-Control"] = headerNoStore
	h["Pragma"] = headerNoCache
}
