package cmp

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/fetch"
	"brama/internal/qes/tbs"
	"brama/internal/vectors"
)

func newCertificate(t *testing.T) (der []byte, keyID []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Тестенко Олена Петрівна"},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
	}
	der, err = x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tbs.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return der, keyIdentifiers(c.PublicKey)[0]
}

func TestRequestRoundTrip(t *testing.T) {
	long, short := bytes.Repeat([]byte{0xab}, 32), bytes.Repeat([]byte{0xcd}, 20)
	b, err := EncodeRequest([][]byte{long, short})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := unwrap(b)
	if err != nil || len(payload) != 152 || payload[0] != 13 || payload[8] != 2 || payload[140] != 0 || payload[144] != 1 || payload[148] != 0 {
		t.Fatalf("payload %x, %v", payload, err)
	}
	got, err := ParseRequest(b)
	if err != nil || len(got) != 2 || !bytes.Equal(got[0], long) || !bytes.Equal(got[1], append(short, make([]byte, 12)...)) {
		t.Errorf("got %x, %v", got, err)
	}
	for name, ids := range map[string][][]byte{
		"none": {}, "five": {long, long, long, long, long}, "31 bytes": {long[:31]}, "empty": {{}}, "33 bytes": {append(long, 1)},
	} {
		if _, err := EncodeRequest(ids); !errors.Is(err, ErrKeyID) {
			t.Errorf("%s: got %v, want ErrKeyID", name, err)
		}
	}
}

// The other form in use: three slots, the count always two, one identifier standing twice.
func TestRequestOfThreeSlots(t *testing.T) {
	id := bytes.Repeat([]byte{7}, 32)
	p := make([]byte, 120)
	p[0], p[8], p[108], p[112] = 13, 2, 1, 1
	copy(p[12:], id)
	copy(p[44:], id)
	got, err := ParseRequest(wrap(p))
	if err != nil || len(got) != 1 || !bytes.Equal(got[0], id) {
		t.Errorf("got %x, %v", got, err)
	}
	for name, change := range map[string]func([]byte) []byte{
		"other type":  func(p []byte) []byte { p[0] = 14; return p },
		"four of 3":   func(p []byte) []byte { p[8] = 4; return p },
		"none":        func(p []byte) []byte { p[8] = 0; return p },
		"high count":  func(p []byte) []byte { p[11] = 0x80; return p },
		"one longer":  func(p []byte) []byte { return append(p, 0) },
		"one shorter": func(p []byte) []byte { return p[:119] },
		"empty":       func([]byte) []byte { return nil },
	} {
		if _, err := ParseRequest(wrap(change(bytes.Clone(p)))); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v, want ErrMalformed", name, err)
		}
	}
}

func TestParseResponse(t *testing.T) {
	certificate, _ := newCertificate(t)
	for _, status := range []uint32{0, 1, 2, 99} { // the status is not believed
		b := EncodeResponse([][]byte{certificate})
		p, _ := unwrap(b)
		binary.LittleEndian.PutUint32(p[4:], status)
		got, err := ParseResponse(wrap(p))
		if err != nil || len(got) != 1 || !bytes.Equal(got[0], certificate) {
			t.Errorf("status %d: got %d certificates, %v", status, len(got), err)
		}
	}
	if got, err := ParseResponse(EncodeResponse(nil)); err != nil || len(got) != 0 {
		t.Errorf("not found: got %d, %v", len(got), err)
	}
	many := make([][]byte, maxReturned+1)
	for i := range many {
		many[i] = certificate
	}
	for name, b := range map[string][]byte{
		"empty": nil, "text": []byte("<html>404</html>"), "no status": wrap([]byte{1, 2, 3}),
		"garbage after the status": wrap([]byte("12345678garbage")), "too many": EncodeResponse(many),
		"too large": make([]byte, maxResponse+1), "bare bundle": encodeBundle([][]byte{certificate}),
		"trailing": append(EncodeResponse([][]byte{certificate}), 0),
	} {
		if got, err := ParseResponse(b); !errors.Is(err, ErrMalformed) || got != nil {
			t.Errorf("%s: got %d, %v, want ErrMalformed", name, len(got), err)
		}
	}
}

// A server of one issuer: answers with what it has for an identifier.
type server struct {
	*httptest.Server
	asked  atomic.Int32
	answer func() []byte
}

func newServer(t *testing.T, answer func() []byte) *server {
	s := &server{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		b, _ := io.ReadAll(r.Body)
		if _, err := ParseRequest(b); err != nil || r.Method != http.MethodPost {
			t.Errorf("got %s with %v", r.Method, err)
		}
		if out := s.answer(); out != nil {
			w.Write(out)
			return
		}
		http.Error(w, "down", http.StatusServiceUnavailable)
	}))
	t.Cleanup(s.Close)
	return s
}

func newClient(t *testing.T, now func() time.Time, servers ...*server) *Client {
	t.Helper()
	f, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	var services []Service
	for i, s := range servers {
		services = append(services, Service{Issuer: fmt.Sprint(i), URL: s.URL + "/services/cmp/"})
	}
	c, err := New(Config{Do: f.Do, Services: func() []Service { return services }, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// T100: the chosen issuer alone is asked; the others only when the person asks for all.
func TestSearchAsksChosenFirst(t *testing.T) {
	certificate, id := newCertificate(t)
	has := func() []byte { return EncodeResponse([][]byte{certificate}) }
	hasNot := func() []byte { return EncodeResponse(nil) }
	a, b := newServer(t, hasNot), newServer(t, has)
	c := newClient(t, nil, a, b)
	if _, err := c.FindCertificates(t.Context(), "0", [][]byte{id}); !errors.Is(err, ErrNotFound) {
		t.Errorf("chosen issuer without it: got %v, want ErrNotFound", err)
	}
	if b.asked.Load() != 0 {
		t.Error("another issuer learned of the key")
	}
	got, err := c.FindCertificates(t.Context(), "1", [][]byte{id})
	if err != nil || len(got) != 1 || !bytes.Equal(got[0], certificate) || a.asked.Load() != 1 {
		t.Errorf("got %d, %v, first asked %d times", len(got), err, a.asked.Load())
	}
	got, err = c.FindCertificates(t.Context(), "", [][]byte{id})
	if err != nil || len(got) != 1 {
		t.Errorf("all: got %d, %v", len(got), err)
	}
	if _, err := c.FindCertificates(t.Context(), "2", [][]byte{id}); !errors.Is(err, ErrNoService) {
		t.Errorf("unknown issuer: got %v, want ErrNoService", err)
	}
}

// Whatever a server sends, only certificates of the key come out.
func TestForeignCertificatesDropped(t *testing.T) {
	own, id := newCertificate(t)
	foreign, _ := newCertificate(t)
	s := newServer(t, func() []byte { return EncodeResponse([][]byte{foreign, der.EncodeSequence(), own, own}) })
	c := newClient(t, nil, s)
	got, err := c.FindCertificates(t.Context(), "0", [][]byte{id})
	if err != nil || len(got) != 1 || !bytes.Equal(got[0], own) {
		t.Errorf("got %d, %v, want the own one once", len(got), err)
	}
	s.answer = func() []byte { return EncodeResponse([][]byte{foreign}) }
	if _, err := newClient(t, nil, s).FindCertificates(t.Context(), "0", [][]byte{id}); !errors.Is(err, ErrNotFound) {
		t.Errorf("only a foreign one: got %v, want ErrNotFound", err)
	}
}

func TestAbsenceIsRemembered(t *testing.T) {
	_, id := newCertificate(t)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := newServer(t, func() []byte { return EncodeResponse(nil) })
	c := newClient(t, func() time.Time { return now }, s)
	for range 3 {
		if _, err := c.FindCertificates(t.Context(), "0", [][]byte{id}); !errors.Is(err, ErrNotFound) {
			t.Fatalf("got %v", err)
		}
	}
	if n := s.asked.Load(); n != 1 {
		t.Errorf("asked %d times, want 1", n)
	}
	now = now.Add(defaultAbsent)
	c.FindCertificates(t.Context(), "0", [][]byte{id})
	if n := s.asked.Load(); n != 2 {
		t.Errorf("after the time asked %d times, want 2", n)
	}
}

func TestSearchOutage(t *testing.T) {
	certificate, id := newCertificate(t)
	down := func() []byte { return nil }
	garbage := func() []byte { return []byte("garbage") }
	hasNot := func() []byte { return EncodeResponse(nil) }
	for name, answer := range map[string]func() []byte{"down": down, "garbage": garbage} {
		s := newServer(t, answer)
		c := newClient(t, nil, s)
		for range 5 {
			if _, err := c.FindCertificates(t.Context(), "", [][]byte{id}); !errors.Is(err, ErrUnavailable) {
				t.Errorf("%s: got %v, want ErrUnavailable", name, err)
			}
		}
		if n := s.asked.Load(); n != 3 {
			t.Errorf("%s: asked %d times, want 3: then the breaker", name, n)
		}
		// Not found elsewhere is no answer while this one is down; found elsewhere is.
		if _, err := newClient(t, nil, s, newServer(t, hasNot)).FindCertificates(t.Context(), "", [][]byte{id}); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s beside an empty one: got %v, want ErrUnavailable", name, err)
		}
		full := newServer(t, func() []byte { return EncodeResponse([][]byte{certificate}) })
		if got, err := newClient(t, nil, s, full).FindCertificates(t.Context(), "", [][]byte{id}); err != nil || len(got) != 1 {
			t.Errorf("%s beside a full one: got %d, %v", name, len(got), err)
		}
	}
}

func TestFourAtOnce(t *testing.T) {
	var mu sync.Mutex
	running, most := 0, 0
	services := make([]Service, 20)
	for i := range services {
		services[i] = Service{Issuer: fmt.Sprint(i), URL: fmt.Sprintf("http://cmp%d.example/", i)}
	}
	c, err := New(Config{
		Services: func() []Service { return services },
		Do: func(ctx context.Context, r fetch.Request) (*fetch.Response, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(5 * time.Millisecond)
			mu.Lock()
			running--
			mu.Unlock()
			return &fetch.Response{Status: 200, Body: EncodeResponse(nil)}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.FindCertificates(t.Context(), "", [][]byte{make([]byte, 32)}); !errors.Is(err, ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	if most != atOnce {
		t.Errorf("%d at once, want %d", most, atOnce)
	}
}

func FuzzResponse(f *testing.F) {
	f.Add(EncodeResponse(nil))
	f.Add(EncodeResponse([][]byte{vectors.Read(f, "certs/diia-ca.cer"), vectors.Read(f, "certs/cao-root.cer")}))
	f.Add(vectors.Read(f, "cms/bes-attached.p7s"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := ParseResponse(b); err != nil && got != nil {
			t.Fatal("certificates beside an error")
		}
		if ids, err := ParseRequest(b); err == nil {
			if _, err := EncodeRequest(ids); err != nil {
				t.Fatalf("a request that was read cannot be written: %v", err)
			}
		}
	})
}
