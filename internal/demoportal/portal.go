package demoportal

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Limits of the portal's memory: it forgets, so that a long test run stays small.
const (
	pendingLife = 40 * time.Minute
	sessionLife = 8 * time.Hour
	maxEntries  = 4096
)

// A Config says which provider the portal trusts and who it is there. All fields but Client are required.
type Config struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	BaseURL      string // the portal's own address, without a slash at the end
	Scopes       []string
	Client       *http.Client // for the provider's self-signed certificate in dev; nil is the default client
}

// A Portal is the portal's web site.
type Portal struct {
	config Config

	once     sync.Mutex
	provider *oidc.Provider // discovered at the first sign-in, so that start order does not matter

	mu       sync.Mutex
	pending  map[string]pending
	sessions map[string]session
}

type pending struct {
	nonce, verifier, lang string
	expires               time.Time
}

type session struct {
	Claims   []claim
	Name     string
	IDToken  string
	sid      string // of the provider's session
	expires  time.Time
	Language string
}

type claim struct{ Name, Value string }

// New returns the portal. It does not contact the provider.
func New(c Config) (*Portal, error) {
	if c.Issuer == "" || c.ClientID == "" || c.BaseURL == "" {
		return nil, errors.New("demoportal: issuer, client and base address are required")
	}
	return &Portal{config: c, pending: map[string]pending{}, sessions: map[string]session{}}, nil
}

// Handler serves the portal.
func (p *Portal) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("GET /login", p.login)
	mux.HandleFunc("GET /callback", p.callback)
	mux.HandleFunc("GET /profile", p.profile)
	mux.HandleFunc("POST /logout", p.logout)
	mux.HandleFunc("GET /signed-out", p.signedOut)
	mux.HandleFunc("POST /session-ended", p.sessionEnded)
	mux.HandleFunc("GET /portal.css", styles)
	return p.headers(mux)
}

func (p *Portal) headers(next http.Handler) http.Handler {
	policy := "default-src 'none'; style-src 'self'; form-action 'self' " + p.config.Issuer + "; base-uri 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy) // the sign-out goes on to the provider
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// client returns the OAuth client, discovering the provider once. A failed discovery is tried again next time.
func (p *Portal) client(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	p.once.Lock()
	defer p.once.Unlock()
	if p.provider == nil {
		found, err := oidc.NewProvider(p.context(ctx), p.config.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("discovering the provider: %w", err)
		}
		p.provider = found
	}
	return p.provider, &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: p.provider.Endpoint(),
		RedirectURL: p.config.BaseURL + "/callback", Scopes: p.config.Scopes,
	}, nil
}

// context carries the HTTP client. Discovery outlives the request that asked for it, since the provider keeps the
// context for fetching keys later.
func (p *Portal) context(ctx context.Context) context.Context {
	ctx = context.WithoutCancel(ctx)
	if p.config.Client != nil {
		ctx = oidc.ClientContext(ctx, p.config.Client)
	}
	return ctx
}

func (p *Portal) login(w http.ResponseWriter, r *http.Request) {
	_, client, err := p.client(r.Context())
	if err != nil {
		p.problem(w, r, http.StatusBadGateway, err.Error())
		return
	}
	lang := language(r)
	state, wait := rand.Text(), pending{nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), lang: lang, expires: time.Now().Add(pendingLife)}
	p.mu.Lock()
	forget(p.pending, func(v pending) time.Time { return v.expires })
	p.pending[state] = wait
	p.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "portal_state", Value: state, Path: "/callback", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	options := []oauth2.AuthCodeOption{oidc.Nonce(wait.nonce), oauth2.S256ChallengeOption(wait.verifier), oauth2.SetAuthURLParam("ui_locales", lang)}
	// What a tester adds to /login goes on to the provider, from a closed list.
	for _, name := range []string{"idp_hint", "prompt", "acr_values", "max_age"} {
		if v := r.URL.Query().Get(name); v != "" {
			options = append(options, oauth2.SetAuthURLParam(name, v))
		}
	}
	http.Redirect(w, r, client.AuthCodeURL(state, options...), http.StatusSeeOther)
}

func (p *Portal) callback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	cookie, err := r.Cookie("portal_state")
	state := query.Get("state")
	if err != nil || subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(state)) != 1 {
		p.problem(w, r, http.StatusBadRequest, "state")
		return
	}
	p.mu.Lock()
	wait, ok := p.pending[state]
	delete(p.pending, state)
	p.mu.Unlock()
	if !ok || time.Now().After(wait.expires) {
		p.problem(w, r, http.StatusBadRequest, "state")
		return
	}
	if iss := query.Get("iss"); iss != p.config.Issuer { // RFC 9207: the answer names its issuer
		p.problem(w, r, http.StatusBadRequest, "iss")
		return
	}
	if code := query.Get("error"); code != "" {
		p.render(w, http.StatusOK, "refused", page{Lang: wait.lang, Error: code, Detail: query.Get("error_description")})
		return
	}
	s, err := p.redeem(r.Context(), query, wait)
	if err != nil {
		p.problem(w, r, http.StatusBadGateway, err.Error())
		return
	}
	id := rand.Text()
	p.mu.Lock()
	forget(p.sessions, func(v session) time.Time { return v.expires })
	p.sessions[id] = s
	p.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "portal_session", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/profile", http.StatusSeeOther)
}

// redeem exchanges the code, verifies the ID token (signature, issuer, audience, nonce) and reads userinfo.
func (p *Portal) redeem(ctx context.Context, query url.Values, wait pending) (session, error) {
	provider, client, err := p.client(ctx)
	if err != nil {
		return session{}, err
	}
	ctx = p.context(ctx)
	token, err := client.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(wait.verifier))
	if err != nil {
		return session{}, fmt.Errorf("exchanging the code: %w", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return session{}, errors.New("no id_token in the answer")
	}
	idToken, err := provider.Verifier(&oidc.Config{ClientID: p.config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return session{}, fmt.Errorf("verifying the ID token: %w", err)
	}
	if idToken.Nonce != wait.nonce {
		return session{}, errors.New("the ID token answers another request (nonce)")
	}
	claims := map[string]any{}
	if err := idToken.Claims(&claims); err != nil {
		return session{}, err
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return session{}, fmt.Errorf("reading userinfo: %w", err)
	}
	if info.Subject != idToken.Subject {
		return session{}, errors.New("userinfo speaks of another person")
	}
	if err := info.Claims(&claims); err != nil {
		return session{}, err
	}
	sid, _ := claims["sid"].(string)
	s := session{IDToken: raw, sid: sid, expires: time.Now().Add(sessionLife), Language: wait.lang}
	s.Claims, s.Name = flatten(claims)
	return s, nil
}

// flatten lists claims by name; what is not a string is shown as JSON. The person's name falls back to the e-mail, then
// to the subject.
func flatten(claims map[string]any) (list []claim, name string) {
	for key, value := range claims {
		text, ok := value.(string)
		if !ok {
			b, err := json.Marshal(value)
			if err != nil {
				continue
			}
			text = string(b)
		}
		list = append(list, claim{key, text})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	for _, key := range []string{"email", "name", "sub"} {
		if text, ok := claims[key].(string); ok && text != "" {
			return list, text
		}
	}
	return list, ""
}

func (p *Portal) current(r *http.Request) (id string, s session, ok bool) {
	cookie, err := r.Cookie("portal_session")
	if err != nil {
		return "", session{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok = p.sessions[cookie.Value]
	return cookie.Value, s, ok && time.Now().Before(s.expires)
}

func (p *Portal) home(w http.ResponseWriter, r *http.Request) {
	_, s, _ := p.current(r)
	p.render(w, http.StatusOK, "home", page{Lang: language(r), Name: s.Name})
}

func (p *Portal) profile(w http.ResponseWriter, r *http.Request) {
	_, s, ok := p.current(r)
	if !ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	p.render(w, http.StatusOK, "profile", page{Lang: s.Language, Name: s.Name, Claims: s.Claims})
}

func (p *Portal) logout(w http.ResponseWriter, r *http.Request) {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		p.problem(w, r, http.StatusForbidden, "origin")
		return
	}
	id, s, _ := p.current(r)
	p.mu.Lock()
	delete(p.sessions, id)
	p.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "portal_session", Path: "/", MaxAge: -1})
	lang := s.Language
	if lang == "" {
		lang = language(r)
	}
	http.Redirect(w, r, p.providerLogout(r.Context(), s.IDToken, lang), http.StatusSeeOther)
}

// providerLogout is where the person signs out of the provider too (OpenID Connect RP-Initiated Logout 1.0); it comes back to
// /signed-out. Without a session, or with a provider that knows no sign-out, it is that page itself.
func (p *Portal) providerLogout(ctx context.Context, idToken, lang string) string {
	here := "/signed-out?lang=" + lang
	provider, _, err := p.client(ctx)
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err != nil || idToken == "" || provider.Claims(&metadata) != nil || metadata.EndSession == "" {
		return here
	}
	return metadata.EndSession + "?" + url.Values{"id_token_hint": {idToken}, "post_logout_redirect_uri": {p.config.BaseURL + "/signed-out"},
		"state": {lang}, "ui_locales": {lang}}.Encode()
}

// sessionEnded hears of the end of a session at the provider (OpenID Connect Back-Channel Logout 1.0).
func (p *Portal) sessionEnded(w http.ResponseWriter, r *http.Request) {
	provider, _, err := p.client(r.Context())
	if err != nil {
		http.Error(w, "provider is not known", http.StatusServiceUnavailable)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	token, err := provider.Verifier(&oidc.Config{ClientID: p.config.ClientID}).VerifyLogout(p.context(r.Context()), r.PostFormValue("logout_token"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	for id, s := range p.sessions {
		if s.sid != "" && s.sid == token.SessionID {
			delete(p.sessions, id)
		}
	}
	p.mu.Unlock()
	w.WriteHeader(http.StatusOK)
}

func (p *Portal) signedOut(w http.ResponseWriter, r *http.Request) {
	lang := language(r)
	if r.URL.Query().Get("state") == "en" { // back from the provider
		lang = "en"
	}
	p.render(w, http.StatusOK, "signed-out", page{Lang: lang})
}

func (p *Portal) problem(w http.ResponseWriter, r *http.Request, status int, detail string) {
	p.render(w, status, "problem", page{Lang: language(r), Detail: detail})
}

// forget drops what has expired and, if the map is still full, something at random.
func forget[V any](m map[string]V, expires func(V) time.Time) {
	now := time.Now()
	for k, v := range m {
		if now.After(expires(v)) || len(m) >= maxEntries {
			delete(m, k)
		}
	}
}

func language(r *http.Request) string {
	if r.URL.Query().Get("lang") == "en" {
		return "en"
	}
	return "uk"
}
