package wiring_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"brama/cmd/brama/internal/wiring"
	"brama/internal/audit"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
	"brama/provider"
	"brama/storage/memstore"
)

// nowhere is an audit log of which these tests want nothing.
type nowhere struct{}

func (nowhere) Record(context.Context, audit.Event) error { return nil }

// TestClockSkewStopsLogin: a server whose clock moved signs nobody in and says at /readyz that it cannot (threat T25).
func TestClockSkewStopsLogin(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	services, err := qestest.New(qestest.Config{BaseURL: "http://" + server.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = services.Handler()
	server.Start()
	t.Cleanup(server.Close)
	store, err := services.TrustStore()
	if err != nil {
		t.Fatal(err)
	}
	outbound, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	var shift atomic.Int64
	engine, err := wiring.NewEngine(wiring.Trust{Store: store, Fetch: outbound, Now: func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	methods, err := engine.Connectors(wiring.Tokens{})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := provider.New(provider.Config{Issuer: "https://id.example.gov.ua", Store: memstore.New(memstore.Config{}), Secret: make([]byte, 32),
		Connectors: methods, Audit: nowhere{}, Ready: engine.Ready, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("brama-login-v1\nof this test\n")
	verify := func() error {
		// Everybody signs once: an answer that is remembered tells nothing of the time.
		who, err := services.Issue(qestest.Request{FamilyName: "Тестенко", GivenName: "Олена", MiddleName: "Петрівна", RNOKPP: "1234567899"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := cms.Sign(who.Key, cms.Options{Certificate: who.Certificate.Raw, Content: content, Purpose: cms.PurposeLogin})
		if err != nil {
			t.Fatal(err)
		}
		res, err := engine.Validator.Verify(t.Context(), b, content)
		if err != nil && res.Indication != qes.Indeterminate {
			t.Errorf("%v: a wrong clock is nobody's fault", res.Indication)
		}
		return err
	}
	for _, test := range []struct {
		shift time.Duration
		ready int
	}{{0, http.StatusOK}, {6 * time.Minute, http.StatusServiceUnavailable}, {0, http.StatusOK}, {-6 * time.Minute, http.StatusServiceUnavailable}, {4 * time.Minute, http.StatusOK}} {
		shift.Store(int64(test.shift))
		if err := verify(); (err == nil) != (test.ready == http.StatusOK) || err != nil && !errors.Is(err, qes.CertStatusUnreachable) {
			t.Errorf("clock off by %s: %v", test.shift, err)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		if w.Code != test.ready {
			t.Errorf("clock off by %s: /readyz says %d, want %d", test.shift, w.Code, test.ready)
		}
	}
}
