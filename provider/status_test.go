package provider_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"brama/internal/qes"
	"brama/internal/qes/qestest"
	"brama/provider"
	"brama/provider/oauth"
	"brama/storage"
)

// renew asks for tokens with a refresh token of cabinet and returns the next one, or the error and its description.
func (s *stack) renew(token string) (next, code, description string) {
	s.t.Helper()
	values := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	r, err := http.NewRequest(http.MethodPost, s.server.URL+"/token", strings.NewReader(values.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("cabinet", clientSecret)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Refresh     string `json:"refresh_token"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		s.t.Fatal(err)
	}
	return answer.Refresh, answer.Error, answer.Description
}

// lasting is a portal whose refresh tokens outlive sessions, over a provider that asks about certificates.
func lasting(t *testing.T) *stack {
	var s *stack
	s = newStack(t, func(o *options) {
		o.client = func(c *oauth.Client) { c.GrantTypes = []string{"authorization_code", "refresh_token"} }
		o.config = func(c *provider.Config) {
			c.CertificateStatus = func(ctx context.Context, certificate []byte) error {
				res, err := s.verifier.Standing(ctx, certificate)
				if err == nil {
					return nil
				}
				return &oauth.StatusError{Code: string(qes.CodeOf(err)), Ended: res.Indication == qes.Failed, Err: err}
			}
		}
	})
	return s
}

// TestRevokedEndsGrant: the status of the certificate is asked again at a refresh when the last answer is 12 hours old, and not
// before. A certificate that is revoked ends every grant that was given by it; while nobody can tell, no token is given and
// none is lost (threat T80).
func TestRevokedEndsGrant(t *testing.T) {
	s := lasting(t)
	login := func() string {
		b := s.browser()
		b.signIn("valid", "scope", "openid offline_access", "prompt", "consent")
		if b.refresh == "" {
			t.Fatal("no refresh token")
		}
		return b.refresh
	}
	first, second := login(), login()
	asked := s.tsp.Asked("ocsp")
	step := func(name string, forward time.Duration, questions int) {
		t.Helper()
		s.forward(forward)
		next, code, description := s.renew(first)
		if next == "" {
			t.Fatalf("%s: %s %s", name, code, description)
		}
		first = next
		if n := s.tsp.Asked("ocsp"); n-asked != questions {
			t.Errorf("%s: %d questions, want %d", name, n-asked, questions)
		}
		asked = s.tsp.Asked("ocsp")
	}
	step("at once", 0, 0)
	step("after 11 hours", 11*time.Hour, 0)
	step("after 13 hours", 2*time.Hour, 1)
	step("soon afterwards", 11*time.Hour, 0)

	s.forward(2 * time.Hour)
	s.tsp.SetDown("ocsp", true)
	s.tsp.SetDown("crl", true)
	for range 2 {
		if _, code, description := s.renew(first); code != "temporarily_unavailable" || description != "CERT_STATUS_UNREACHABLE" {
			t.Errorf("no answer: %s %s", code, description)
		}
	}
	s.tsp.SetDown("ocsp", false)
	s.tsp.SetDown("crl", false)
	asked = s.tsp.Asked("ocsp")
	step("answered again", 0, 1)

	s.forward(13 * time.Hour)
	s.tsp.SetStatus(s.people["valid"], qestest.Revoked)
	if _, code, description := s.renew(first); code != "invalid_grant" || description != "CERT_REVOKED" {
		t.Errorf("revoked: %s %s", code, description)
	}
	asked = s.tsp.Asked("ocsp")
	if _, code, description := s.renew(second); code != "invalid_grant" || description != "CERT_REVOKED" {
		t.Errorf("another grant by this certificate: %s %s", code, description)
	}
	if n := s.tsp.Asked("ocsp"); n != asked {
		t.Errorf("asked again: %d, before %d", n, asked)
	}
	s.tsp.SetStatus(s.people["valid"], qestest.Good)
	for name, token := range map[string]string{"first": first, "second": second} {
		if _, code, _ := s.renew(token); code != "invalid_grant" {
			t.Errorf("%s after a revocation was taken back: %s", name, code)
		}
	}
	if n := s.audit.count("grant.revoked"); n != 2 {
		t.Errorf("%d lines in the audit", n)
	}
}

// TestExpiredCertificateEndsGrant: a grant does not outlive the certificate that it was given by (threat T80).
func TestExpiredCertificateEndsGrant(t *testing.T) {
	s := lasting(t)
	i, err := s.tsp.Issue(qestest.Request{FamilyName: "Тестенко", GivenName: "Олена", MiddleName: "Петрівна", RNOKPP: "3184710691", NotAfter: s.now().Add(3 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	s.people["valid"] = i
	b := s.browser()
	b.signIn("valid", "scope", "openid offline_access", "prompt", "consent")
	s.forward(2 * time.Hour)
	next, code, description := s.renew(b.refresh)
	if next == "" {
		t.Fatalf("before its end: %s %s", code, description)
	}
	s.forward(2 * time.Hour)
	if _, code, description := s.renew(next); code != "invalid_grant" || description != "CERT_EXPIRED" {
		t.Errorf("after its end: %s %s", code, description)
	}
}

// TestRevokedEndsSession: once a certificate is known to be revoked, by the refresh of one grant, it opens nothing else: neither a
// grant that it gave lately nor the session that it began (threat T80).
func TestRevokedEndsSession(t *testing.T) {
	s := lasting(t)
	b := s.browser()
	b.signIn("valid", "scope", "openid offline_access", "prompt", "consent")
	s.forward(20 * time.Minute)
	b.authorize("prompt", "none")
	if b.refusal() != "" {
		t.Fatalf("the base of this test: %v", b.portal)
	}
	s.end(t, "valid")
	if _, code, description := s.renew(b.refresh); code != "invalid_grant" || description != "CERT_REVOKED" {
		t.Errorf("a grant of some minutes ago: %s %s", code, description)
	}
	b.authorize("prompt", "none")
	if b.refusal() != "login_required" {
		t.Errorf("silently, in the session: %v", b.portal)
	}
	b.authorize()
	if strings.HasSuffix(b.url.Path, "/continue") {
		t.Error("the session is offered")
	}
	// The same person by another certificate is not touched.
	other := s.browser()
	other.signIn("valid-official")
	other.authorize("prompt", "none")
	if other.refusal() != "" {
		t.Errorf("another certificate: %v", other.portal)
	}
}

// end notes what a refresh of an older grant would: the certificate of a person was found to be revoked.
func (s *stack) end(t *testing.T, person string) {
	t.Helper()
	id := sha256.Sum256(s.people[person].Certificate.Raw)
	err := s.store.Update(t.Context(), func(tx storage.Tx) error {
		return storage.CheckedCertificate(tx, hex.EncodeToString(id[:]), "CERT_REVOKED", s.now())
	})
	if err != nil {
		t.Fatal(err)
	}
}
