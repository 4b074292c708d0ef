package door

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"

	"brama/cmd/brama-agent/internal/peer"
)

// maxBody bounds a request: a challenge has 1.3 KB; certificates that a page has found, some more.
const (
	maxChallengeBody   = 4 << 10
	maxCertificateBody = 256 << 10
)

// verbs is the closed list (threat T60): none of them takes a PIN, a hash or the name of a file.
var verbs = map[string]struct {
	method string
	body   int64
	serve  func(*Door, http.ResponseWriter, *http.Request, []byte)
}{
	"/v1/version":     {http.MethodGet, 0, (*Door).version},
	"/v1/login":       {http.MethodPost, maxChallengeBody, (*Door).login},
	"/v1/certificate": {http.MethodPost, maxCertificateBody, (*Door).certificate},
}

// ServeHTTP lets in who may ask and hands on to a verb. Who may not gets no word that a page could read.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	origins := r.Header.Values("Origin")
	// The Host is compared with literal addresses, so that a name that was made to lead here is nobody's (T56). An Origin
	// that equals the Host proves nothing; only the list does.
	if !slices.Contains(d.hosts, r.Host) || len(origins) != 1 || !slices.Contains(d.c.Origins, origins[0]) {
		d.c.Log.WarnContext(r.Context(), "refused", "origin", safe(r.Header.Get("Origin")), "host", safe(r.Host))
		w.WriteHeader(http.StatusForbidden)
		return
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origins[0])
	h.Set("Vary", "Origin")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'")
	if err := d.checkPeer(r); err != nil {
		d.c.Log.WarnContext(r.Context(), "refused", "origin", origins[0], "err", err)
		if errors.Is(err, peer.ErrOther) {
			answer(w, http.StatusForbidden, problem{Code: codeOtherUser})
		} else {
			w.WriteHeader(http.StatusForbidden)
		}
		return
	}
	verb, ok := verbs[r.URL.Path]
	switch {
	case !ok || r.URL.RawQuery != "" || r.URL.Path != r.URL.EscapedPath():
		answer(w, http.StatusNotFound, problem{Code: codeBadRequest})
	case r.Method == http.MethodOptions:
		preflight(h, r, verb.method)
		w.WriteHeader(http.StatusNoContent)
	case r.Method != verb.method:
		answer(w, http.StatusMethodNotAllowed, problem{Code: codeBadRequest})
	default:
		body, ok := readBody(r, verb.body)
		if !ok {
			answer(w, http.StatusBadRequest, problem{Code: codeBadRequest})
			return
		}
		verb.serve(d, w, r, body)
	}
}

// preflight answers CORS and, where a browser asks, the access of a public page to this computer.
func preflight(h http.Header, r *http.Request, method string) {
	h.Set("Access-Control-Allow-Methods", method)
	h.Set("Access-Control-Allow-Headers", "Content-Type")
	h.Set("Access-Control-Max-Age", "0")
	for _, network := range []string{"Private", "Local"} {
		if r.Header.Get("Access-Control-Request-"+network+"-Network") == "true" {
			h.Set("Access-Control-Allow-"+network+"-Network", "true")
		}
	}
}

// readBody reads a body of JSON of at most max octets; 0 means none.
func readBody(r *http.Request, max int64) ([]byte, bool) {
	b, err := io.ReadAll(io.LimitReader(r.Body, max+1))
	if err != nil || int64(len(b)) > max {
		return nil, false
	}
	if max == 0 {
		return nil, true
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return b, err == nil && media == "application/json"
}

// decode reads exactly one JSON object with no field but v's.
func decode(b []byte, v any) bool {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if dec.Decode(v) != nil {
		return false
	}
	_, err := dec.Token()
	return errors.Is(err, io.EOF)
}

// A problem is what the page gets instead of an answer.
type problem struct {
	Code   string            `json:"code"`
	Values map[string]string `json:"values,omitempty"`
}

func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"code":"INTERNAL"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // a page that has gone reads nothing
}

// safe is a header's value for the log: short, and of one line.
func safe(s string) string {
	const most = 120
	clean := make([]byte, 0, most)
	for i := 0; i < len(s) && i < most; i++ {
		if s[i] > ' ' && s[i] < 0x7f {
			clean = append(clean, s[i])
		}
	}
	return string(clean)
}
