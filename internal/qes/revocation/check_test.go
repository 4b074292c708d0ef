package revocation

import (
	"context"
	"errors"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/qestest"
	"brama/internal/qes/spki"
	"brama/internal/qes/trustlist"
)

// A world is a provider that answers over HTTP, a store that trusts it, and a clock.
type world struct {
	*qestest.Provider
	store *trustlist.Store
	asked []string // addresses, in order

	mu  sync.Mutex
	now time.Time
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	server := httptest.NewUnstartedServer(nil)
	p, err := qestest.New(qestest.Config{BaseURL: "http://" + server.Listener.Addr().String(), Now: w.Now})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = p.Handler()
	server.Start()
	t.Cleanup(server.Close)
	w.Provider = p
	if w.store, err = p.TrustStore(); err != nil {
		t.Fatal(err)
	}
	return w
}

// checker returns a checker without memory, so that each question is asked.
func (w *world) checker(t *testing.T, change ...func(*Config)) *Checker {
	t.Helper()
	client, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Do: func(ctx context.Context, r fetch.Request) (*fetch.Response, error) {
			w.mu.Lock()
			w.asked = append(w.asked, r.URL)
			w.mu.Unlock()
			return client.Do(ctx, r)
		},
		Responders: w.store.Responders, AllowsHost: w.store.AllowsHost, CacheFor: -1, Now: w.Now,
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) issue(t *testing.T, r qestest.Request) *cert.Certificate {
	t.Helper()
	return w.issued(t, r).Certificate
}

func (w *world) issued(t *testing.T, r qestest.Request) *qestest.Issued {
	t.Helper()
	r.FamilyName, r.GivenName, r.MiddleName, r.RNOKPP = "Тестенко", "Олена", "Петрівна", "1234567899"
	issued, err := w.Issue(r)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func (w *world) issuer(t *testing.T, leaf *cert.Certificate) qes.Service {
	t.Helper()
	services, err := w.store.Services(qes.ServiceCAQC, leaf, w.Now())
	if err != nil || len(services) != 1 {
		t.Fatalf("got %d services, %v", len(services), err)
	}
	return services[0]
}

func (w *world) check(t *testing.T, c *Checker, leaf *cert.Certificate) (qes.Revocation, error) {
	t.Helper()
	got, err := c.Check(t.Context(), leaf, w.issuer(t, leaf), w.Now())
	if err != nil && !errors.Is(err, qes.ErrRevocationUnavailable) {
		t.Errorf("%v does not wrap ErrRevocationUnavailable", err)
	}
	if err != nil && got.Status != qes.StatusUnknown {
		t.Errorf("status %d beside an error", got.Status)
	}
	return got, err
}

func TestStatuses(t *testing.T) {
	w := newWorld(t)
	c := w.checker(t)
	for _, authority := range []string{qestest.Main, qestest.Second, qestest.Kupyna, qestest.ECDSA} {
		for status, want := range map[qestest.Status]qes.RevocationStatus{
			qestest.Good: qes.StatusGood, qestest.Revoked: qes.StatusRevoked,
			qestest.Suspended: qes.StatusSuspended, qestest.Unknown: qes.StatusUnknown,
		} {
			leaf := w.issue(t, qestest.Request{Authority: authority, Status: status})
			got, err := w.check(t, c, leaf)
			if err != nil || got.Status != want {
				t.Errorf("%s: got %v, %v, want %v", authority, got.Status, err, want)
				continue
			}
			if want == qes.StatusRevoked && !got.RevokedAt.Equal(w.Now()) || got.Source != "ocsp" || len(got.Evidence) == 0 {
				t.Errorf("%s: got %+v", authority, got)
			}
			// The evidence is judged alike without the network.
			judged, err := Judge(got.Evidence, leaf, w.issuer(t, leaf).Certificate, w.store.Responders(w.issuer(t, leaf).Certificate), w.Now())
			if err != nil || judged.Status != want {
				t.Errorf("%s: judged %v, %v, want %v", authority, judged.Status, err, want)
			}
		}
	}
}

// A refusal is an answer that a network attacker or another responder could put in place of the right one: each is signed,
// and none may come out as Good.
type refusal struct {
	name   string
	change func(w *world, a *qestest.Answer)
	want   error
}

func refuse(t *testing.T, cases []refusal) {
	t.Helper()
	w := newWorld(t)
	c := w.checker(t)
	leaf := w.issue(t, qestest.Request{})
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			w.OnOCSP(func(a *qestest.Answer) { test.change(w, a) })
			if _, err := w.check(t, c, leaf); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	if n := w.Asked(qestest.ServiceOCSP); n != len(cases) {
		t.Errorf("the responder was asked %d times, want %d", n, len(cases))
	}
	if n := w.Asked(qestest.ServiceCRL); n != 0 {
		t.Errorf("the CRL was asked %d times: a bad answer is not an outage", n)
	}
}

// T21: neither a name nor a key alone authorises, nor OCSPSigning from somewhere in the bundle.
func TestResponderOfOtherCA(t *testing.T) {
	forged := func(issuer, signer string, ocspSigning bool, life time.Duration) func(*world, *qestest.Answer) {
		var key *qestest.Key
		var certificate []byte
		return func(w *world, a *qestest.Answer) {
			var err error
			if certificate, key, err = w.ForgeResponder(issuer, signer, ocspSigning, w.now.Add(life)); err != nil {
				t.Error(err)
			}
			a.Key, a.Certificate = key, certificate
		}
	}
	refuse(t, []refusal{
		{"found in the bundle", func(_ *world, a *qestest.Answer) { a.Signer = qestest.Second }, ErrResponder},
		{"certificate inside", func(w *world, a *qestest.Answer) {
			a.Signer, a.Certificate = qestest.Second, w.ResponderCertificate(qestest.Second)
		}, ErrResponder},
		{"stranger's", func(w *world, a *qestest.Answer) {
			a.Signer, a.Certificate = qestest.Stranger, w.ResponderCertificate(qestest.Stranger)
		}, ErrResponder},
		{"other CA's own key", func(_ *world, a *qestest.Answer) { a.Signer, a.ByCA = qestest.Second, true }, ErrResponder},
		{"certified by a stranger in the CA's name", forged(qestest.Main, qestest.Stranger, true, time.Hour), ErrResponder},
		{"certified by the CA's key in another name", forged(qestest.Second, qestest.Main, true, time.Hour), ErrResponder},
		{"certified by the CA without OCSPSigning", forged(qestest.Main, qestest.Main, false, time.Hour), ErrResponder},
		{"certified by the CA, expired", forged(qestest.Main, qestest.Main, true, -time.Second), ErrResponder},
		{"broken signature", func(_ *world, a *qestest.Answer) { a.BreakValue = true }, ErrResponder},
	})
}

// T22: the status of another certificate.
func TestCertIDEachField(t *testing.T) {
	refuse(t, []refusal{
		{"hash", func(_ *world, a *qestest.Answer) { a.Hash = oidSHA1 }, ErrCertID},
		{"name", func(_ *world, a *qestest.Answer) { a.NameHash[3] ^= 1 }, ErrCertID},
		{"key", func(_ *world, a *qestest.Answer) { a.KeyHash[3] ^= 1 }, ErrCertID},
		{"serial", func(_ *world, a *qestest.Answer) { a.Serial[19] ^= 1 }, ErrCertID},
		{"serial shorter", func(_ *world, a *qestest.Answer) { a.Serial = a.Serial[1:] }, ErrCertID},
	})
}

func TestTwoSingleResponses(t *testing.T) {
	refuse(t, []refusal{
		{"equal", func(_ *world, a *qestest.Answer) { a.Copies = 2 }, ErrCertID},
		{"sixteen", func(_ *world, a *qestest.Answer) { a.Copies = 16 }, ErrCertID},
		{"more than are read", func(_ *world, a *qestest.Answer) { a.Copies = 17 }, ErrMalformed},
	})
}

// T23: time, nonce, and answers that say nothing. None is gone around by the CRL.
func TestResponderRefusals(t *testing.T) {
	refuse(t, []refusal{
		{"other nonce", func(_ *world, a *qestest.Answer) { a.Nonce = der.EncodeOctetString(make([]byte, 32)) }, ErrNonce},
		{"empty nonce", func(_ *world, a *qestest.Answer) { a.Nonce = []byte{} }, ErrNonce},
		{"thisUpdate 11 minutes ago", func(w *world, a *qestest.Answer) { a.ThisUpdate = w.now.Add(-11 * time.Minute) }, ErrNotFresh},
		{"thisUpdate ahead", func(w *world, a *qestest.Answer) { a.ThisUpdate = w.now.Add(3 * time.Minute) }, ErrNotFresh},
		{"producedAt ahead", func(w *world, a *qestest.Answer) { a.ProducedAt = w.now.Add(3 * time.Minute) }, ErrNotFresh},
		{"nextUpdate past", func(w *world, a *qestest.Answer) { a.NextUpdate = w.now.Add(-3 * time.Minute) }, ErrNotFresh},
		{"two days old with a nextUpdate, no nonce", func(w *world, a *qestest.Answer) {
			a.ThisUpdate, a.NextUpdate, a.Nonce = w.now.Add(-48*time.Hour), w.now.Add(time.Hour), nil
		}, ErrNotFresh},
		{"critical extension", func(_ *world, a *qestest.Answer) { a.Critical = true }, ErrMalformed},
		{"malformedRequest", func(_ *world, a *qestest.Answer) { a.ResponseStatus = 1 }, ResponseStatusError(1)},
		{"tryLater", func(_ *world, a *qestest.Answer) { a.ResponseStatus = 3 }, ResponseStatusError(3)},
		{"unauthorized", func(_ *world, a *qestest.Answer) { a.ResponseStatus = 6 }, ResponseStatusError(6)},
	})
}

func TestResponderForms(t *testing.T) {
	w := newWorld(t)
	c := w.checker(t)
	leaf := w.issue(t, qestest.Request{})
	certificate, key, err := w.ForgeResponder(qestest.Main, qestest.Main, true, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*qestest.Answer){
		"another delegate":     func(a *qestest.Answer) { a.Key, a.Certificate = key, certificate },
		"as it comes":          nil,
		"no nonce":             func(a *qestest.Answer) { a.Nonce = nil },
		"by the CA's key":      func(a *qestest.Answer) { a.ByCA = true },
		"named by key":         func(a *qestest.Answer) { a.ByKey = true },
		"certificate inside":   func(a *qestest.Answer) { a.Certificate = w.ResponderCertificate(qestest.Main) },
		"useless certificate":  func(a *qestest.Answer) { a.Certificate = w.ResponderCertificate(qestest.Second) },
		"with nextUpdate":      func(a *qestest.Answer) { a.NextUpdate = w.Now().Add(time.Hour) },
		"9 minutes old":        func(a *qestest.Answer) { a.ThisUpdate = w.Now().Add(-9 * time.Minute) },
		"clock a minute ahead": func(a *qestest.Answer) { a.ThisUpdate = w.Now().Add(time.Minute); a.ProducedAt = a.ThisUpdate },
		"two days old, our nonce": func(a *qestest.Answer) {
			a.ThisUpdate, a.NextUpdate = w.Now().Add(-48*time.Hour), w.Now().Add(time.Hour)
		},
		"nonce without its string": func(a *qestest.Answer) { a.Nonce = a.Nonce[2:] },
	} {
		w.OnOCSP(change)
		if got, err := w.check(t, c, leaf); err != nil || got.Status != qes.StatusGood {
			t.Errorf("%s: got %v, %v, want good", name, got.Status, err)
		}
	}
	// Without candidates and without a certificate inside there is nobody to verify with.
	w.OnOCSP(nil)
	alone := w.checker(t, func(c *Config) { c.Responders = nil })
	if _, err := w.check(t, alone, leaf); !errors.Is(err, ErrResponder) {
		t.Errorf("no candidates: got %v, want ErrResponder", err)
	}
}

// T23: an old "good" is played again after the certificate was revoked.
func TestReplayedGood(t *testing.T) {
	w := newWorld(t)
	issued := w.issued(t, qestest.Request{})
	leaf := issued.Certificate
	service := w.issuer(t, leaf)
	var recorded []byte
	client, _ := fetch.New(fetch.Config{AllowLoopback: true})
	record := w.checker(t, func(c *Config) {
		c.Do = func(ctx context.Context, r fetch.Request) (*fetch.Response, error) {
			res, err := client.Do(ctx, r)
			recorded = res.Body
			return res, err
		}
	})
	for name, change := range map[string]func(*qestest.Answer){
		"with nonce": nil, "without nonce": func(a *qestest.Answer) { a.Nonce = nil },
	} {
		w.OnOCSP(change)
		w.SetStatus(issued, qestest.Good)
		if got, err := record.Check(t.Context(), leaf, service, w.Now()); err != nil || got.Status != qes.StatusGood {
			t.Fatalf("%s: got %v, %v", name, got.Status, err)
		}
		w.SetStatus(issued, qestest.Revoked)
		w.advance(11 * time.Minute)
		replay := w.checker(t, func(c *Config) {
			c.Do = func(context.Context, fetch.Request) (*fetch.Response, error) {
				return &fetch.Response{Status: 200, Body: recorded}, nil
			}
		})
		if got, err := w.check(t, replay, leaf); err == nil {
			t.Errorf("%s: replay gives %v", name, got.Status)
		}
	}
}

// T95: the certificate's own address is asked only if its host is listed for its issuer.
func TestAIAHostList(t *testing.T) {
	w := newWorld(t)
	leaf := w.issue(t, qestest.Request{Authority: qestest.ECDSA}) // its AIA differs from the directory's address
	aia, _ := w.Address(qestest.ECDSA, qestest.ServiceOCSP)
	directory, _ := w.Address(qestest.Main, qestest.ServiceOCSP)
	if _, err := w.check(t, w.checker(t), leaf); err != nil {
		t.Fatal(err)
	}
	if len(w.asked) != 1 || w.asked[0] != aia {
		t.Errorf("listed host: asked %v, want %s", w.asked, aia)
	}
	w.asked = nil
	nobody := func(c *Config) { c.AllowsHost = func(*cert.Certificate, string) bool { return false } }
	w.check(t, w.checker(t, nobody), leaf)
	if len(w.asked) != 1 || w.asked[0] != directory {
		t.Errorf("host not listed: asked %v, want %s", w.asked, directory)
	}
	w.asked = nil
	w.SetDown(qestest.ServiceOCSP, true)
	w.check(t, w.checker(t, nobody), leaf)
	if len(w.asked) != 1 {
		t.Errorf("host not listed: the CRL's address was followed: %v", w.asked)
	}
}

func TestCacheAndSingleFlight(t *testing.T) {
	w := newWorld(t)
	issued := w.issued(t, qestest.Request{})
	leaf := issued.Certificate
	c := w.checker(t, func(c *Config) { c.CacheFor = time.Minute })
	service := w.issuer(t, leaf)
	w.SetFault(qestest.ServiceOCSP, qestest.Fault{Delay: 50 * time.Millisecond})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := c.Check(context.Background(), leaf, service, w.Now()); err != nil || got.Status != qes.StatusGood {
				t.Errorf("got %v, %v", got.Status, err)
			}
		})
	}
	wg.Wait()
	w.check(t, c, leaf)
	if n := w.Asked(qestest.ServiceOCSP); n != 1 {
		t.Errorf("asked %d times, want 1", n)
	}
	w.SetStatus(issued, qestest.Revoked)
	w.advance(time.Minute)
	if got, err := w.check(t, c, leaf); err != nil || got.Status != qes.StatusRevoked {
		t.Errorf("after the time: got %v, %v, want revoked", got.Status, err)
	}
	// "unknown" is not remembered: a new certificate becomes known within minutes.
	fresh := w.issued(t, qestest.Request{Status: qestest.Unknown})
	w.check(t, c, fresh.Certificate)
	w.SetStatus(fresh, qestest.Good)
	if got, err := w.check(t, c, fresh.Certificate); err != nil || got.Status != qes.StatusGood {
		t.Errorf("got %v, %v, want good", got.Status, err)
	}
}

func TestBreakerOfResponder(t *testing.T) {
	w := newWorld(t)
	w.SetDown(qestest.ServiceOCSP, true)
	w.SetDown(qestest.ServiceCRL, true)
	leaf := w.issue(t, qestest.Request{})
	c := w.checker(t)
	for range 6 {
		w.check(t, c, leaf)
	}
	if n := w.Asked(qestest.ServiceOCSP); n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
	w.SetDown(qestest.ServiceOCSP, false)
	w.advance(time.Minute)
	if got, err := w.check(t, c, leaf); err != nil || got.Status != qes.StatusGood {
		t.Errorf("after the pause: got %v, %v", got.Status, err)
	}
}

// The digest that a directory entry states is the one that is sent.
func TestStatedCertID(t *testing.T) {
	w := newWorld(t)
	leaf := w.issue(t, qestest.Request{Authority: qestest.Kupyna})
	var asked der.OID
	w.OnOCSP(func(a *qestest.Answer) { asked = a.Hash })
	for stated, want := range map[der.OID]der.OID{"": spki.OIDKupyna256, spki.OIDGOST34311: spki.OIDGOST34311, oidSHA256: oidSHA256} {
		c := w.checker(t, func(c *Config) { c.CertID = func(*cert.Certificate) der.OID { return stated } })
		if got, err := w.check(t, c, leaf); err != nil || got.Status != qes.StatusGood || asked != want {
			t.Errorf("stated %s: asked by %s, got %v, %v", stated, asked, got.Status, err)
		}
	}
	c := w.checker(t, func(c *Config) { c.CertID = func(*cert.Certificate) der.OID { return oidBasic } })
	if _, err := w.check(t, c, leaf); err == nil {
		t.Error("a digest that is none is taken")
	}
}

// Whatever octet of a good answer is changed, Good comes out only with the meaning unchanged.
func TestAnyOctetChanged(t *testing.T) {
	w := newWorld(t)
	issued := w.issued(t, qestest.Request{Status: qestest.Revoked}) // so that a change to Good would be seen
	leaf := issued.Certificate
	service := w.issuer(t, leaf)
	var good []byte
	id, err := newCertID(leaf, service.Certificate, defaultCertID(leaf))
	if err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, nonceSize)
	client, _ := fetch.New(fetch.Config{AllowLoopback: true})
	res, err := client.Do(t.Context(), fetch.Request{URL: service.OCSP, Body: encodeRequest(id, nonce), PlainHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	good = res.Body
	c := w.checker(t)
	want, _, err := c.read(good, id, nonce, service.Certificate)
	if err != nil || want.Status != qes.StatusRevoked {
		t.Fatalf("got %v, %v", want.Status, err)
	}
	for i := range good {
		for _, bit := range []byte{1, 0x80} {
			changed := append([]byte{}, good...)
			changed[i] ^= bit
			if got, _, err := c.read(changed, id, nonce, service.Certificate); err == nil {
				t.Errorf("octet %d: got %v", i, got.Status)
			}
		}
		if _, _, err := c.read(good[:i], id, nonce, service.Certificate); err == nil {
			t.Errorf("cut at %d: taken", i)
		}
	}
	list, err := client.Do(t.Context(), fetch.Request{URL: leaf.CRLAddresses()[0], PlainHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range list.Body {
		changed := append([]byte{}, list.Body...)
		changed[i] ^= 1
		if got, err := JudgeCRL(changed, leaf, service.Certificate, w.Now()); err == nil {
			t.Errorf("CRL octet %d: got %v", i, got.Status)
		}
	}
}
