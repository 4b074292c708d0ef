package oauth

import (
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
func (p *Provider) JWKS(w http.ResponseWriter, r *http.Request) { serve(w, r, p.cfg.Keys.JWKS()) }

// PathMetadata is where RFC 8414 has the metadata: before the path of the issuer, not behind it (section 3.1).
const PathMetadata = "/.well-known/oauth-authorization-server"

// Discovery serves the provider's metadata (OpenID Connect Discovery 1.0, RFC 8414), at PathDiscovery and PathMetadata.
func (p *Provider) Discovery(w http.ResponseWriter, r *http.Request) { serve(w, r, p.metadata) }

// serve answers with bytes that were prepared once. They are public, so that scripts of any origin may read them.
func serve(w http.ResponseWriter, r *http.Request, body []byte) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	sum := sha256.Sum256(body)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
	h.Set("Cache-Control", maxAge)
	h.Set("ETag", tag)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("X-Content-Type-Options", "nosniff")
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // the other side has gone: nobody is left to tell
}
