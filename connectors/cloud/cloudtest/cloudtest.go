// Package cloudtest is a double of cloud key providers: a server of the Cloud Signature Consortium API, versions 1 and 2,
// and of the SmartID family at the level of its JSON, with the page of a telephone on which a person, or a test, decides
// how each request ends. Its keys are invented people's; it never stands in production.
package cloudtest

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
)

// Credentials of the client at the double.
const (
	ClientID     = "brama-dev"
	ClientSecret = "not-a-secret"
	Prefix       = "BRAMA_"
)

// An Account is a person with a key at the provider.
type Account struct {
	Identifier string // by which the relying party finds it: a telephone, an e-mail, a name
	Name       string // on the double's pages
	Keys       []*qestest.Issued
	// Mode is oauth2code, explicit or implicit (version 1 only); "" is explicit.
	Mode string
	// OTP says that an explicit approval takes a one-time code, which the telephone shows; PIN that it takes a PIN.
	OTP, PIN bool
	// SCAL is "1" or "2"; "" is "2".
	SCAL string
	// Push says that an explicit approval is made on the telephone: 202 with a handle (version 2).
	Push bool
}

// Config says where and for whom.
type Config struct {
	// BaseURL is where Handler is served, without a slash at the end.
	BaseURL  string
	Accounts []Account
	// Stranger signs in the outcome OtherPerson.
	Stranger *qestest.Issued
	// Async makes version 2 sign asynchronously: signHash gives a responseID.
	Async bool
	// PlainECDSA gives ECDSA values as r || s instead of DER.
	PlainECDSA bool
	// Notify calls response_uri and callbackUrl when a person has decided; nil means nobody is called.
	Notify func(address string)
	Now    func() time.Time // nil means time.Now
}

// An Outcome is what a person, or a fault, makes of a request.
type Outcome string

// Outcomes.
const (
	Approve     Outcome = "approve"
	Refuse      Outcome = "refuse"
	OtherPerson Outcome = "other-person" // signed with a stranger's key
	OtherHash   Outcome = "other-hash"   // signed is something else
	Garbage     Outcome = "garbage"      // no signature at all
	Twice       Outcome = "twice"        // two signatures for one hash
	Expire      Outcome = "expire"       // the provider lets the request run out
)

// Outcomes lists them in the order of the buttons.
func Outcomes() []Outcome {
	return []Outcome{Approve, Refuse, OtherPerson, OtherHash, Garbage, Twice, Expire}
}

// A Fault is how the whole provider misbehaves. The zero value is none.
type Fault struct {
	Down  bool          // 503
	HTML  bool          // a page instead of JSON
	Huge  bool          // an answer of 10 MB
	Delay time.Duration // before anything is said
	Slow  time.Duration // between the bytes
}

// A Pending is a request that waits for its person.
type Pending struct {
	ID, Person, Description, OTP string
}

// Server is the double. It is safe for concurrent use.
type Server struct {
	cfg Config

	mu       sync.Mutex
	fault    Fault
	services map[string]string     // service token → identifier, "" for ours
	codes    map[string]*grant     // one-shot authorisation codes
	requests map[string]*request   // by id
	sads     map[string]*request   // unspent approvals
	asked    map[string]int        // by method
	order    []string              // ids of requests, oldest first
	operator map[string]*operation // SmartID
}

// A grant is what an authorisation code stands for.
type grant struct {
	scope, redirect, challenge string
	account                    *Account
	request                    *request
}

// A request is one approval of one hash.
type request struct {
	id, description, otp string
	account              *Account
	key                  *qestest.Issued
	hash                 []byte
	outcome              Outcome // "" while the person has not decided
	notify               string
}

// New checks cfg and returns the double.
func New(cfg Config) (*Server, error) {
	if cfg.BaseURL == "" || strings.HasSuffix(cfg.BaseURL, "/") || len(cfg.Accounts) == 0 {
		return nil, errors.New("cloudtest: an address and an account are needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Accounts = slices.Clone(cfg.Accounts)
	for i := range cfg.Accounts {
		a := &cfg.Accounts[i]
		if len(a.Keys) == 0 {
			return nil, fmt.Errorf("cloudtest: account %q has no key", a.Identifier)
		}
		if a.SCAL == "" {
			a.SCAL = "2"
		}
		if a.Mode == "" {
			a.Mode = "explicit"
		}
	}
	return &Server{cfg: cfg, services: map[string]string{}, codes: map[string]*grant{}, requests: map[string]*request{},
		sads: map[string]*request{}, asked: map[string]int{}, operator: map[string]*operation{}}, nil
}

// Handler serves /csc/v1/, /csc/v2/, /smartid/, /vchasno/ and /phone below BaseURL.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /phone", s.phone)
	mux.HandleFunc("POST /phone", s.decide)
	for _, v := range []string{"v1", "v2"} {
		base := "/csc/" + v
		mux.HandleFunc("GET "+base+"/oauth2/authorize", s.authorizePage)
		mux.HandleFunc("POST "+base+"/oauth2/authorize", s.authorizePress)
		mux.HandleFunc("POST "+base+"/oauth2/token", s.method("oauth2/token", s.token))
		for name, f := range s.methods() {
			mux.HandleFunc("POST "+base+"/"+name, s.method(name, func(w http.ResponseWriter, r *http.Request) { f(w, r, v == "v2") }))
		}
	}
	s.smartID(mux)
	return mux
}

// SetFault makes the whole provider misbehave.
func (s *Server) SetFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Asked returns how often a method was called.
func (s *Server) Asked(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[method]
}

// Pending returns what waits for a person, oldest first.
func (s *Server) Pending() []Pending {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Pending
	for _, id := range s.order {
		if r := s.requests[id]; r != nil && r.outcome == "" {
			list = append(list, Pending{ID: id, Person: r.account.Name, Description: r.description, OTP: r.otp})
		}
	}
	return list
}

// Decide ends a request. A request that is decided stays so.
func (s *Server) Decide(id string, o Outcome) error {
	s.mu.Lock()
	r := s.requests[id]
	if r == nil || r.outcome != "" || !slices.Contains(Outcomes(), o) {
		s.mu.Unlock()
		return fmt.Errorf("cloudtest: nothing to decide in %q", id)
	}
	r.outcome = o
	notify := r.notify
	s.mu.Unlock()
	if notify != "" && s.cfg.Notify != nil {
		s.cfg.Notify(notify)
	}
	return nil
}

// method counts the call and applies the fault.
func (s *Server) method(name string, f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked[name]++
		fault := s.fault
		s.mu.Unlock()
		if fault != (Fault{}) {
			// The body is read, so that the server sees when the client goes away.
			_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 256<<10))
		}
		if fault.Delay > 0 {
			select {
			case <-time.After(fault.Delay):
			case <-r.Context().Done():
				return
			}
		}
		switch {
		case fault.Down:
			http.Error(w, `{"error":"temporarily_unavailable"}`, http.StatusServiceUnavailable)
		case fault.HTML:
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!DOCTYPE html><p>Технічні роботи")
		case fault.Huge:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"x":"`+strings.Repeat("x", 10<<20)+`"}`)
		case fault.Slow > 0:
			for range 1 << 16 {
				if _, err := w.Write([]byte{' '}); err != nil || r.Context().Err() != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				time.Sleep(fault.Slow)
			}
		default:
			r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
			f(w, r)
		}
	}
}

func token() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func digits() string {
	b := make([]byte, 1)
	_, _ = rand.Read(b) // never fails
	return fmt.Sprintf("%06d", 100000+int(b[0])*3517)
}

// add registers a request; the caller holds the lock.
func (s *Server) add(r *request) *request {
	r.id = token()
	s.requests[r.id] = r
	s.order = append(s.order, r.id)
	return r
}

// value makes the signature value over a hash, as the outcome wants it.
func (s *Server) value(r *request) ([]byte, error) {
	key, hash := r.key, r.hash
	switch r.outcome {
	case OtherPerson:
		if key = s.cfg.Stranger; key == nil {
			return nil, errors.New("cloudtest: no stranger")
		}
	case OtherHash:
		sum := sha256.Sum256(hash)
		hash = sum[:]
	case Garbage:
		return []byte("no signature"), nil
	}
	if key.Key.DSTU != nil {
		return key.Key.DSTU.Sign(rand.Reader, hash, nil)
	}
	signer, err := private(key)
	if err != nil {
		return nil, err
	}
	if s.cfg.PlainECDSA {
		return plainECDSA(signer, hash)
	}
	return signer.Sign(rand.Reader, hash, crypto.SHA256)
}

func private(i *qestest.Issued) (crypto.Signer, error) {
	b, err := i.Key.PKCS8()
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(b)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("cloudtest: not a signing key")
	}
	return signer, nil
}

// hashSigner makes a SignedData over a hash instead of a content: all that such a provider is given.
type hashSigner struct {
	cms.Signer
	hash []byte
}

// Digest gives the hash for the hash itself, which stands in for the content, and the real digest for the certificate.
func (h hashSigner) Digest(data []byte) ([]byte, error) {
	if slices.Equal(data, h.hash) {
		return h.hash, nil
	}
	return h.Signer.Digest(data)
}

// signedData makes the CMS over the hash of r, as the outcome wants it.
func (s *Server) signedData(r *request) ([]byte, error) {
	key, hash := r.key, r.hash
	switch r.outcome {
	case OtherPerson:
		key = s.cfg.Stranger
	case OtherHash:
		sum := sha256.Sum256(hash)
		hash = sum[:]
	case Garbage:
		return []byte("no signature"), nil
	}
	if key == nil {
		return nil, errors.New("cloudtest: no stranger")
	}
	return cms.Sign(hashSigner{key.Key, hash}, cms.Options{Certificate: key.Certificate.Raw, Content: hash, Detached: true, SigningTime: s.cfg.Now()})
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
