package oauth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const loopbackPortal = "http://127.0.0.1:9/cb" // never called: the browser of these tests stops at the redirect

// serveLoopback serves a provider whose issuer is its own address.
func serveLoopback(t *testing.T, clients ...Client) (*fixture, string) {
	t.Helper()
	return serveLoopbackWith(t, func(*fixture) {}, clients...)
}

// serveLoopbackWith changes the provider before the first request.
func serveLoopbackWith(t *testing.T, change func(*fixture), clients ...Client) (*fixture, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	issuer := "http://" + listener.Addr().String()
	f := newFixtureAt(t, issuer, boltStore(t), clients...)
	change(f)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.handler().ServeHTTP(w, r) })}}
	server.Start()
	t.Cleanup(server.Close)
	return f, issuer
}

// browse follows the request to the redirect back, and returns where it led.
func browse(t *testing.T, address string) *url.URL {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	to, err := resp.Location()
	if err != nil || resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d, %v", resp.StatusCode, err)
	}
	return to
}

func TestGoOIDCClient(t *testing.T) {
	for _, alg := range []string{"ES256", "RS256"} {
		for name, style := range map[string]oauth2.AuthStyle{"basic": oauth2.AuthStyleInHeader, "post": oauth2.AuthStyleInParams} {
			t.Run(alg+"/"+name, func(t *testing.T) {
				c := portal()
				c.RedirectURIs, c.IDTokenAlg = []string{loopbackPortal}, alg
				_, issuer := serveLoopback(t, c)
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				defer cancel()
				provider, err := oidc.NewProvider(ctx, issuer)
				if err != nil {
					t.Fatal(err)
				}
				endpoint := provider.Endpoint()
				endpoint.AuthStyle = style
				cfg := oauth2.Config{ClientID: c.ID, ClientSecret: testSecret, Endpoint: endpoint, RedirectURL: loopbackPortal, Scopes: []string{oidc.ScopeOpenID, "profile", "ua.person"}}
				verifier := oauth2.GenerateVerifier()
				back := browse(t, cfg.AuthCodeURL("state", oidc.Nonce("nonce-of-the-test"), oauth2.S256ChallengeOption(verifier)))
				if q := back.Query(); q.Get("state") != "state" || q.Get("iss") != issuer {
					t.Fatalf("came back to %s", back)
				}
				token, err := cfg.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier))
				if err != nil {
					t.Fatal(err)
				}
				raw, _ := token.Extra("id_token").(string)
				id, err := provider.Verifier(&oidc.Config{ClientID: c.ID, SupportedSigningAlgs: []string{alg}}).Verify(ctx, raw)
				if err != nil {
					t.Fatal(err)
				}
				if err := id.VerifyAccessToken(token.AccessToken); err != nil {
					t.Errorf("at_hash: %v", err)
				}
				var claims struct{ Name, RNOKPP, ACR string }
				if err := id.Claims(&claims); err != nil || claims.Name != "Шевченко Тарас Григорович" || claims.RNOKPP != "3333333334" || id.Nonce != "nonce-of-the-test" {
					t.Errorf("claims %+v, nonce %s, %v", claims, id.Nonce, err)
				}
				info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
				if err != nil || info.Subject != id.Subject {
					t.Errorf("userinfo %+v, %v", info, err)
				}
				if _, err := cfg.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier)); err == nil {
					t.Error("the code worked twice")
				} else if e := new(oauth2.RetrieveError); !errors.As(err, &e) || e.ErrorCode != "invalid_grant" {
					t.Errorf("second exchange: %v", err)
				}
			})
		}
	}
}

func TestOpenIDClient(t *testing.T) {
	script := npmScript(t, "openid-client", "flow.mjs")
	confidential, public := portal(), portal()
	confidential.RedirectURIs, confidential.IDTokenAlg = []string{loopbackPortal}, "RS256"
	public.ID, public.SecretHash, public.RedirectURIs = "public", nil, []string{loopbackPortal}
	f, issuer := serveLoopback(t, confidential, public)
	for _, c := range []struct{ id, secret, alg string }{{"portal", testSecret, "RS256"}, {"public", "", "ES256"}} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "node", script, issuer, c.id, c.secret, loopbackPortal, c.alg)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v\n%s\n%s", c.id, err, &stderr, f.log)
			continue
		}
		var got struct{ Claims, UserInfo map[string]any }
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if got.Claims["iss"] != issuer || got.Claims["rnokpp"] != "3333333334" || got.UserInfo["sub"] != got.Claims["sub"] {
			t.Errorf("%s: %s", c.id, out)
		}
	}
}

func TestOpenIDClientRegisters(t *testing.T) {
	script := npmScript(t, "openid-client", "register.mjs")
	f, issuer := serveLoopbackWith(t, func(f *fixture) {
		config, cfg := f.p.cfg, guarded()
		config.Registration = &cfg
		var err error
		if f.p, err = New(config); err != nil {
			t.Fatal(err)
		}
	}, portal())
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script, issuer, testInitialToken, loopbackPortal)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, &stderr, f.log)
	}
	subjects := map[string]string{}
	if err := json.Unmarshal(out, &subjects); err != nil || len(subjects) != 4 || subjects["ES256"] == "" {
		t.Errorf("%s %v", out, err)
	}
}

// npmScript returns the path of a script of testdata/<folder> beside the packages that its lock file pins. They are
// installed once, outside the project, in a folder named by the lock file. Without node, npm or a registry the test is
// skipped, but not where CI is set.
func npmScript(t *testing.T, folder, script string) string {
	t.Helper()
	skip := func(format string, args ...any) {
		t.Helper()
		if os.Getenv("CI") != "" {
			t.Fatalf(format, args...)
		}
		t.Skipf(format, args...)
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			skip("%s is not installed", tool)
		}
	}
	source := filepath.Join("testdata", folder)
	lock, err := os.ReadFile(filepath.Join(source, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	cache := os.Getenv("BRAMA_CACHE")
	if cache == "" {
		if cache, err = os.UserCacheDir(); err != nil {
			cache = os.TempDir()
		}
	}
	sum := sha256.Sum256(lock)
	target := filepath.Join(cache, "brama-test", folder+"-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(filepath.Join(target, "node_modules")); err != nil {
		// Made beside and renamed, so that two test runs do not meet in a half-made folder.
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		fresh, err := os.MkdirTemp(filepath.Dir(target), folder+"-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(fresh)
		copyInto(t, fresh, source, "package.json", "package-lock.json")
		cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		cmd.Dir = fresh
		if out, err := cmd.CombinedOutput(); err != nil {
			skip("npm ci: %v\n%s", err, out)
		}
		if err := os.Rename(fresh, target); err != nil && !errors.Is(err, os.ErrExist) {
			t.Log(err) // another run was faster
		}
	}
	copyInto(t, target, source, script)
	return filepath.Join(target, script)
}

func copyInto(t *testing.T, target, source string, names ...string) {
	t.Helper()
	for _, name := range names {
		raw, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(target, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
