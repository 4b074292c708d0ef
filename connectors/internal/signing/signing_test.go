package signing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"brama/connectors"
	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/vectors"
)

// verdict is a validator whose answer is fixed: what the rules of this package make of each answer.
type verdict struct {
	res *qes.Result
	err error
}

func (v verdict) Verify(context.Context, []byte, []byte) (*qes.Result, error) { return v.res, v.err }

var login = connectors.Login{ID: "x", Challenge: []byte("brama-login-v1\n"), Expires: time.Now().Add(time.Hour)}

func codeOf(err error) (string, bool) {
	var r *connectors.Refusal
	if !errors.As(err, &r) {
		return "", false
	}
	return r.Code, errors.Is(err, connectors.ErrRetry)
}

// TestOnlyPassedPasses: three outcomes, and only one of them signs in, whatever else the validator says.
func TestOnlyPassedPasses(t *testing.T) {
	c, err := cert.Parse(vectors.Read(t, "certs/diia-test-sign.cer"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for name, v := range map[string]struct {
		verdict
		code  string
		retry bool
	}{
		"error":                 {verdict{err: &qes.Error{Code: qes.CertRevoked}}, "CERT_REVOKED", true},
		"error wins":            {verdict{res: &qes.Result{Indication: qes.Passed, Signer: c, Issuer: c, CheckedAt: now}, err: &qes.Error{Code: qes.SigInvalid}}, "SIG_INVALID", true},
		"foreign error":         {verdict{err: errors.New("bug")}, "INTERNAL", false},
		"browser gone":          {verdict{err: fmt.Errorf("asking: %w", context.Canceled)}, "INTERNAL", true},
		"nothing":               {verdict{}, "INTERNAL", false},
		"failed, no error":      {verdict{res: &qes.Result{Indication: qes.Failed, Code: qes.CertRevoked, Signer: c, Issuer: c, CheckedAt: now}}, "CERT_REVOKED", true},
		"indeterminate":         {verdict{res: &qes.Result{Code: qes.CertStatusUnreachable, Signer: c, Issuer: c, CheckedAt: now}}, "CERT_STATUS_UNREACHABLE", true},
		"zero result":           {verdict{res: &qes.Result{}}, "INTERNAL", false},
		"passed without signer": {verdict{res: &qes.Result{Indication: qes.Passed, Issuer: c, CheckedAt: now, Purpose: "login"}}, "INTERNAL", false},
		"passed long ago":       {verdict{res: &qes.Result{Indication: qes.Passed, Signer: c, Issuer: c, CheckedAt: now.Add(-time.Hour), Purpose: "login"}}, "INTERNAL", false},
		"document":              {verdict{res: &qes.Result{Indication: qes.Passed, Signer: c, Issuer: c, CheckedAt: now}}, "SIG_INVALID", true},
		"seal that passed":      {verdict{res: &qes.Result{Indication: qes.Passed, Signer: c, Issuer: c, CheckedAt: now, Purpose: "login"}}, "CERT_SEAL", true},
	} {
		checker, err := New(Checker{Method: "file", Verifier: v.verdict})
		if err != nil {
			t.Fatal(err)
		}
		id, err := checker.Identify(t.Context(), login, []byte{1})
		code, retry := codeOf(err)
		if code != v.code || retry != v.retry || id.Name != "" {
			t.Errorf("%s: %q, retry %v (%v), want %q, %v", name, code, retry, err, v.code, v.retry)
		}
	}
}

// TestRealRemoteIssuer: the issuer of a real Diia certificate is recognised by both places where its code stands (T3).
func TestRealRemoteIssuer(t *testing.T) {
	c, err := cert.Parse(vectors.Read(t, "certs/diia-test-sign.cer"))
	if err != nil {
		t.Fatal(err)
	}
	if got := issuerEDRPOU(c); got != remoteIssuers[0] {
		t.Errorf("the issuer's code is %q, want %q", got, remoteIssuers[0])
	}
}

// TestLevelNeverRises: over all triples of cap, certificate and request no level comes out above the least of cap and
// certificate, and the order is total (threat T33).
func TestLevelNeverRises(t *testing.T) {
	levels := []connectors.LoA{"", connectors.Low, connectors.Substantial, connectors.High, "HIGH"}
	for _, a := range levels {
		for _, b := range levels {
			got := least(a, b)
			if rank(got) > rank(a) || rank(got) > rank(b) || rank(got) != min(rank(a), rank(b)) {
				t.Errorf("least(%q, %q) = %q", a, b, got)
			}
			if rank(least(b, a)) != rank(got) {
				t.Errorf("least(%q, %q) depends on the order", a, b)
			}
		}
	}
	for method := range rules {
		most := connectors.Substantial
		if slices.Contains([]string{"token", "diia", "cloud", "mobileid"}, method) {
			most = connectors.High
		}
		if rank(MaxLoA(nil, method)) == 0 || rank(MaxLoA(nil, method)) > rank(most) {
			t.Errorf("%s gives %q: a key in a file is never high", method, MaxLoA(nil, method))
		}
	}
	if MaxLoA(nil, "password") != "" {
		t.Error("an unknown method has a level")
	}
	if _, err := New(Checker{Method: "password", Verifier: verdict{}}); err == nil {
		t.Error("a method without a rule")
	}
}
