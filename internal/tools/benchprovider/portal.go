package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// A portal is the relying party and the browser of its people.
type portal struct {
	issuer    string
	pages     func(b *browser) error // from the first page to the callback
	transport *http.Transport
	api       *http.Client
	meta      struct {
		Authorize  string `json:"authorization_endpoint"`
		Token      string `json:"token_endpoint"`
		UserInfo   string `json:"userinfo_endpoint"`
		Introspect string `json:"introspection_endpoint"`
		JWKS       string `json:"jwks_uri"`
	}
	access, refreshToken string
}

func newPortal(issuer string, pages func(*browser) error) *portal {
	transport := &http.Transport{MaxIdleConnsPerHost: 4}
	return &portal{issuer: issuer, pages: pages, transport: transport, api: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
}

func (p *portal) discover() error {
	b, err := p.get(p.issuer + "/.well-known/openid-configuration")
	if err != nil {
		return err
	}
	return json.Unmarshal(b, &p.meta)
}

func (p *portal) discovery() error {
	_, err := p.get(p.issuer + "/.well-known/openid-configuration")
	return err
}

func (p *portal) jwks() error {
	_, err := p.get(p.meta.JWKS)
	return err
}

func (p *portal) get(address string) ([]byte, error) {
	resp, err := p.api.Get(address)
	if err != nil {
		return nil, err
	}
	return content(resp)
}

func content(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s: %.300s", resp.Request.Method, resp.Request.URL.Path, resp.Status, b)
	}
	return b, nil
}

// post calls an endpoint with the client's secret.
func (p *portal) post(address string, form url.Values) ([]byte, error) {
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(secret))
	resp, err := p.api.Do(r)
	if err != nil {
		return nil, err
	}
	return content(resp)
}

// tokens asks the token endpoint and keeps what comes.
func (p *portal) tokens(form url.Values) error {
	b, err := p.post(p.meta.Token, form)
	if err != nil {
		return err
	}
	var answer struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return err
	}
	if answer.Refresh != "" {
		p.access, p.refreshToken = answer.Access, answer.Refresh
	}
	return nil
}

// signIn is a whole sign-in of one person: pages, code, tokens.
func (p *portal) signIn() error {
	verifier := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	b := &browser{client: &http.Client{Transport: p.transport, Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), callback) {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
	err = b.get(p.meta.Authorize + "?" + url.Values{"client_id": {clientID}, "redirect_uri": {callback}, "response_type": {"code"},
		"scope": {"openid profile offline_access"}, "state": {rand.Text()}, "nonce": {rand.Text()}, "prompt": {"consent"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}.Encode())
	if err != nil {
		return err
	}
	if err := p.pages(b); err != nil {
		return err
	}
	if b.code == "" {
		return fmt.Errorf("no code; at %s: %.2000s", b.at, b.body)
	}
	return p.tokens(url.Values{"grant_type": {"authorization_code"}, "code": {b.code}, "redirect_uri": {callback}, "code_verifier": {verifier}})
}

func (p *portal) refresh() error {
	if p.refreshToken == "" {
		return errors.New("no refresh token was issued")
	}
	return p.tokens(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {p.refreshToken}})
}

func (p *portal) clientCredentials() error {
	_, err := p.post(p.meta.Token, url.Values{"grant_type": {"client_credentials"}})
	return err
}

func (p *portal) introspect() error {
	b, err := p.post(p.meta.Introspect, url.Values{"token": {p.access}})
	if err == nil && !bytes.Contains(b, []byte(`"active":true`)) {
		err = fmt.Errorf("introspection says %s", b)
	}
	return err
}

func (p *portal) userInfo() error {
	r, err := http.NewRequest(http.MethodGet, p.meta.UserInfo, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+p.access)
	resp, err := p.api.Do(r)
	if err != nil {
		return err
	}
	_, err = content(resp)
	return err
}

// A browser keeps cookies, follows redirects and fills forms.
type browser struct {
	client *http.Client
	at     *url.URL
	body   string
	code   string // once it came to the callback
}

func (b *browser) get(address string) error {
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	return b.do(r)
}

func (b *browser) do(r *http.Request) error {
	resp, err := b.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	b.at, b.body = resp.Request.URL, string(body)
	if to, err := resp.Location(); err == nil && strings.HasPrefix(to.String(), callback) {
		b.code = to.Query().Get("code")
	}
	return nil
}

var (
	formPattern  = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>`)
	inputPattern = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"`)
)

// press posts the form that has mark in it, with its hidden fields and more.
func (b *browser) press(mark string, more ...string) error {
	for _, m := range formPattern.FindAllStringSubmatch(b.body, -1) {
		if !strings.Contains(m[0], mark) {
			continue
		}
		fields := url.Values{}
		for _, in := range inputPattern.FindAllStringSubmatch(m[2], -1) {
			fields.Set(in[1], html.UnescapeString(in[2]))
		}
		for i := 0; i < len(more); i += 2 {
			fields.Set(more[i], more[i+1])
		}
		to, err := b.at.Parse(html.UnescapeString(m[1]))
		if err != nil {
			return err
		}
		r, err := http.NewRequest(http.MethodPost, to.String(), strings.NewReader(fields.Encode()))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.at.Scheme+"://"+b.at.Host)
		return b.do(r)
	}
	return fmt.Errorf("at %s: no form with %s: %.2000s", b.at, mark, b.body)
}

// bramaPages signs in by the demo method: choose the person, check the data, «Увійти».
func bramaPages(b *browser) error {
	if err := b.press(`id="demo-valid"`, "person", "valid"); err != nil {
		return err
	}
	return b.press(`id="confirm"`)
}

// peerPages are the development pages of oidc-provider: a login and a consent.
func peerPages(b *browser) error {
	if err := b.press(`name="login"`, "login", "person", "password", "any"); err != nil {
		return err
	}
	return b.press(`value="consent"`)
}
