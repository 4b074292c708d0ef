package oauth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"brama/storage"
)

// PathPAR is the endpoint for pushed authorization requests (RFC 9126).
const PathPAR = "/par"

// pushedPrefix begins every handle (RFC 9126, 2.2).
const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

const (
	// pushedLife is how long the browser has to bring the handle: under the 600 s of FAPI 2.0 Security Profile, 5.3.2.2.
	pushedLife = 90 * time.Second
	// pushedKept is how long a login may take that began with the handle, which is spent at its end.
	pushedKept = 3 * time.Hour
)

// requestParameters are those that a pushed request keeps. Everything else, the client's authentication first of all, is
// forgotten.
var requestParameters = []string{"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "response_mode",
	"code_challenge", "code_challenge_method", "prompt", "max_age", "acr_values", "ui_locales", "idp_hint", "login_hint",
	"id_token_hint", "claims", "purpose", "account_hint", "dpop_jkt", "registration"}

func keepParameters(form url.Values) url.Values {
	kept := url.Values{}
	for _, name := range requestParameters {
		if v := form.Get(name); v != "" {
			kept.Set(name, v)
		}
	}
	return kept
}

// A pushed is what is sealed of a pushed request.
type pushed struct {
	Form   url.Values `json:"form"`
	Signed bool       `json:"signed,omitempty"` // it was a request object
}

// Push is the endpoint for pushed authorization requests. What is wrong with a request is said here and now, by the rules of
// the authorization endpoint.
func (p *Provider) Push(w http.ResponseWriter, r *http.Request) {
	p.serveClient(w, r, "pushed request refused", func(client *Client, form url.Values) error {
		handle, err := p.push(w, r, client, form)
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusCreated, map[string]any{"request_uri": handle, "expires_in": int(pushedLife / time.Second)})
		return nil
	})
}

// push reads a pushed request and returns its handle.
func (p *Provider) push(w http.ResponseWriter, r *http.Request, client *Client, form url.Values) (string, error) {
	if client.Public() && p.cfg.Stranger != nil && !p.cfg.Stranger(r) {
		// What is pushed is stored, and a public client is anybody (threat T93).
		return "", &Error{Code: "temporarily_unavailable", Description: "too many requests", Status: http.StatusTooManyRequests}
	}
	ctx := r.Context()
	if form.Get("request_uri") != "" {
		return "", invalidRequest("request_uri has no place in a pushed request")
	}
	form.Set("client_id", client.ID) // authenticate has compared it with what was there
	a := &submission{form: form}
	if form.Get("request") != "" {
		var err error
		if a, err = p.openRequest(ctx, client, form); err != nil {
			return "", err
		}
	}
	a.pushed = true
	if _, err := p.readSubmission(ctx, client, a); err != nil {
		return "", err
	}
	kept := keepParameters(a.form)
	proof, err := p.pushedProof(w, r, client, kept)
	if err != nil {
		return "", err
	}
	return p.storePushed(ctx, client, &pushed{Form: kept, Signed: a.signed}, proof)
}

// pushedProof binds the code that will be to the key of a DPoP proof, as dpop_jkt would have done (RFC 9449, 10.1).
func (p *Provider) pushedProof(w http.ResponseWriter, r *http.Request, client *Client, form url.Values) (proven, error) {
	if len(r.Header.Values("DPoP")) == 0 {
		return proven{}, nil
	}
	proof, err := p.proof(w, r, PathPAR, "", client.CertificateBound)
	if err != nil {
		return proven{}, err
	}
	jkt := proof.binding.value()
	switch {
	case client.FAPI() && !slices.Contains(fapiAlgorithms(), proof.alg):
		return proven{}, errDPoP("The profile knows no RS256.")
	case form.Get("dpop_jkt") != "" && form.Get("dpop_jkt") != jkt:
		return proven{}, errDPoP("dpop_jkt is the thumbprint of another key.")
	}
	form.Set("dpop_jkt", jkt)
	return proof, nil
}

func (p *Provider) storePushed(ctx context.Context, c *Client, q *pushed, proof proven) (string, error) {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	handle := pushedPrefix + base64.RawURLEncoding.EncodeToString(secret[:])
	id := storage.HashSecret(handle)
	plain, err := json.Marshal(q)
	if err != nil {
		return "", fmt.Errorf("oauth: encoding a pushed request: %w", err)
	}
	until := p.cfg.Now().Add(pushedLife)
	record := storage.PushedRequest{ID: id, Client: c.ID, Until: until, Expires: until.Add(pushedKept), Sealed: p.cfg.Sealer.Seal("pushed:"+id, plain)}
	return handle, p.cfg.Store.Update(ctx, func(tx storage.Tx) error {
		if err := proof.spend(tx); err != nil {
			return err
		}
		return storage.InsertPushed(tx, record)
	})
}

// errPushed is the one answer to a handle that is unknown, of another client, spent or too old.
func errPushed(err error) *Error {
	return pageError("invalid_request_uri", "the pushed request is unknown, spent or too old", err)
}

// loadPushed returns the pushed request that a browser brings. It stays there: a login that is begun anew, a page that is
// loaded again, may bring it again until it is granted (FAPI 2.0 Security Profile, 5.3.2.2). What the browser says beside
// client_id and request_uri counts for nothing (RFC 9126, 4).
func (p *Provider) loadPushed(ctx context.Context, c *Client, handle string) (*submission, error) {
	a, until, err := p.openPushed(ctx, c, handle)
	if err == nil && !p.cfg.Now().Before(until) {
		return nil, errPushed(errors.New("oauth: pushed request is too old"))
	}
	return a, err
}

// ReadPushed reads a pushed request again, for a login that began with it at that time.
func (p *Provider) ReadPushed(ctx context.Context, clientID, handle string, at time.Time) (*AuthorizeRequest, error) {
	client, err := p.Client(ctx, clientID)
	if err != nil {
		return nil, err
	}
	a, _, err := p.openPushed(ctx, client, handle)
	if err != nil {
		return nil, err
	}
	req, err := p.readSubmission(ctx, client, a)
	if err != nil {
		return nil, err
	}
	req.RequestedAt = at
	return req, nil
}

// openPushed returns a pushed request that is not spent, and until when a browser may bring it.
func (p *Provider) openPushed(ctx context.Context, c *Client, handle string) (*submission, time.Time, error) {
	id := storage.HashSecret(handle)
	var record storage.PushedRequest
	err := p.cfg.Store.View(ctx, func(tx storage.Tx) error {
		var err error
		record, err = storage.GetPushed(tx, id)
		return err
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, time.Time{}, errPushed(err)
	case err != nil:
		return nil, time.Time{}, pageFault(err)
	case record.Client != c.ID:
		return nil, time.Time{}, errPushed(errors.New("oauth: pushed by another client"))
	case !record.Spent.IsZero():
		return nil, time.Time{}, errPushed(errors.New("oauth: pushed request is spent"))
	}
	plain, err := p.cfg.Sealer.Open("pushed:"+id, record.Sealed)
	if err != nil {
		return nil, time.Time{}, pageFault(fmt.Errorf("oauth: opening a pushed request: %w", err))
	}
	var q pushed
	if err := json.Unmarshal(plain, &q); err != nil {
		return nil, time.Time{}, pageFault(fmt.Errorf("oauth: decoding a pushed request: %w", err))
	}
	return &submission{form: q.Form, pushed: true, signed: q.Signed, handle: handle}, record.Until, nil
}

func isPushed(requestURI string) bool { return strings.HasPrefix(requestURI, pushedPrefix) }
