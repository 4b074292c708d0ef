package oauth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"brama/provider/keys"
)

// maxAge is how long anyone may keep a public document, as Cache-Control has it. A new key is published for longer than
// that before it signs.
var maxAge = "public, max-age=" + strconv.Itoa(int(keys.MaxAge/time.Second))

// JWKS serves the public signing keys.
func (p *Provider) JWKS(w http.ResponseWriter, r *http.Request) {
	set := p.cfg.Keys.JWKS()
	d := p.jwks.Load()
	if d == nil || !bytes.Equal(d.body, set) { // the keys have changed
		d = newDocument(set)
		p.jwks.Store(d)
	}
	d.serve(w, r)
}

// PathMetadata is where RFC 8414 has the metadata: before the path of the issuer, not behind it (section 3.1).
const PathMetadata = "/.well-known/oauth-authorization-server"

// Discovery serves the provider's metadata (OpenID Connect Discovery 1.0, RFC 8414), at PathDiscovery and PathMetadata.
func (p *Provider) Discovery(w http.ResponseWriter, r *http.Request) { p.metadata.serve(w, r) }

// A document is public JSON with its headers, prepared once. Scripts of any origin may read it.
type document struct {
	body        []byte
	tag, length []string // values of ETag and Content-Length
}

func newDocument(body []byte) *document {
	sum := sha256.Sum256(body)
	return &document{body, []string{`"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`}, []string{strconv.Itoa(len(body))}}
}

// Values of headers, as net/http holds them: see web.Secure.
var (
	headerMaxAge  = []string{maxAge}
	headerAnyone  = []string{"*"}
	headerNoSniff = []string{"nosniff"}
	headerJSON    = []string{"application/json"}
	headerNoStore = []string{"no-store"}
	headerNoCache = []string{"no-cache"}
	headerOrigin  = []string{"Origin"}
)

func (d *document) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	h["Cache-Control"] = headerMaxAge
	h["Etag"] = d.tag
	h["Access-Control-Allow-Origin"] = headerAnyone
	h["X-Content-Type-Options"] = headerNoSniff
	if strings.Contains(r.Header.Get("If-None-Match"), d.tag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = headerJSON
	h["Content-Length"] = d.length
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(d.body) // the other side has gone: nobody is left to tell
}
