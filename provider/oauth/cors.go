package oauth

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"brama/storage"
)

// crossOrigin lets scripts of another origin read the answer of an endpoint where the browser's cookies count for nothing:
// applications in the browser are public clients (draft-ietf-oauth-browser-based-apps). The right to anything is in the
// token, code or proof that a script has; still nobody is let in but origins of redirect URIs of public clients, letter for
// letter. It reports whether the request was a preflight and is answered.
func (p *Provider) crossOrigin(w http.ResponseWriter, r *http.Request, methods string) bool {
	h := w.Header()
	h["Vary"] = append(headerOrigin, h["Vary"]...)
	preflight := r.Method == http.MethodOptions
	if origin := r.Header.Get("Origin"); origin != "" && p.publicOrigin(r.Context(), origin) {
		h.Set("Access-Control-Allow-Origin", origin) // never with Allow-Credentials
		h.Set("Access-Control-Expose-Headers", "DPoP-Nonce, WWW-Authenticate")
		if preflight {
			h.Set("Access-Control-Allow-Methods", methods)
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
			h.Set("Access-Control-Max-Age", "600") // seconds
		}
	}
	if preflight {
		w.WriteHeader(http.StatusNoContent)
	}
	return preflight
}

// publicOrigin reports whether a public client has a redirect URI of origin, as browsers write it in the header Origin.
func (p *Provider) publicOrigin(ctx context.Context, origin string) bool {
	if fixed, ok := p.fixed.(*Registry); ok && fixed.origins[origin] {
		return true
	}
	if registered, ok := p.cfg.Clients.(*registeredClients); ok {
		found, err := registered.publicOrigin(ctx, origin, p.cfg.Now())
		if err != nil {
			p.cfg.Log.ErrorContext(ctx, "reading origins of registered clients", "err", err)
		}
		return found
	}
	return false
}

// origins returns the origins of a public client's redirect URIs, whose hosts are in small letters (RFC 6454, 6.2).
func (c *Client) origins() []string {
	if !c.Public() {
		return nil
	}
	var list []string
	for _, raw := range c.RedirectURIs {
		u, err := url.Parse(raw)
		if err != nil {
			continue
		}
		port := map[string]string{"https": ":443", "http": ":80"}[u.Scheme] // browsers do not say it
		list = append(list, u.Scheme+"://"+strings.TrimSuffix(u.Host, port))
	}
	return list
}

// originsLife is how long another process may not know of a client that registered itself, as an application in the browser.
const originsLife = 30 * time.Second

// knownOrigins are the origins of the public clients that registered themselves. Whoever sends a request can make us look, so
// that the store is read seldom.
type knownOrigins struct {
	mu    sync.Mutex
	set   map[string]bool
	until time.Time
}

// forgetOrigins makes the next question read the store: a client has changed.
func (p *Provider) forgetOrigins() {
	if r, ok := p.cfg.Clients.(*registeredClients); ok {
		r.origins.mu.Lock()
		r.origins.until = time.Time{}
		r.origins.mu.Unlock()
	}
}

func (r *registeredClients) publicOrigin(ctx context.Context, origin string, now time.Time) (bool, error) {
	r.origins.mu.Lock()
	defer r.origins.mu.Unlock()
	if now.Before(r.origins.until) {
		return r.origins.set[origin], nil
	}
	var ids []string
	err := r.store.View(ctx, func(tx storage.Tx) (err error) {
		ids, err = storage.ClientIDs(tx)
		return err
	})
	if err != nil {
		return false, err
	}
	set := map[string]bool{}
	for _, id := range ids {
		c, err := r.Client(ctx, id)
		if err != nil { // it ended meanwhile, or what it registered is not taken any more: no reason to shut the others out
			continue
		}
		for _, o := range c.origins() {
			set[o] = true
		}
	}
	r.origins.set, r.origins.until = set, now.Add(originsLife)
	return set[origin], nil
}
