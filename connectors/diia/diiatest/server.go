package diiatest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"brama/internal/qes/qestest"
)

// Tokens that the double takes unless told otherwise. They are no secrets.
const (
	AcquirerToken = "double-acquirer-token"
	AuthToken     = "YWNxdWlyZXJfMTpkb3VibGU=" // acquirer_1:double
)

// A Config says where the double stands.
type Config struct {
	// BaseURL is where Handler is served, without a slash at the end: an http address of this computer.
	BaseURL string
	// Callback is where notifications go: an address of this computer. It may be set later.
	Callback string
	// Provider issues the keys; made with Config.Diia. Required.
	Provider *qestest.Provider
	// Persons may be nil: then there are two, and one whose certificate is revoked.
	Persons []Person
	// LinkLife is how long a link can be opened; 0 is 180 seconds. Late is how long after that a late approval is sent; 0
	// is 35 seconds.
	LinkLife, Late time.Duration
	Now            func() time.Time // nil means time.Now
}

// A Person has the application. Request describes the certificates.
type Person struct {
	ID      string // "olena"
	Request qestest.Request
}

// Persons of a double that is not told others.
const (
	Olena   = "olena"
	Ihor    = "ihor"    // another person
	Revoked = "revoked" // whose certificates are revoked
)

func defaultPersons() []Person {
	return []Person{
		{Olena, qestest.Request{FamilyName: "Тестенко", GivenName: "Олена", MiddleName: "Петрівна", RNOKPP: "3184710691", UNZR: "19870312-00691", Device: true}},
		{Ihor, qestest.Request{FamilyName: "Інший", GivenName: "Ігор", MiddleName: "Іванович", RNOKPP: "3000142422", UNZR: "19820220-02422", Device: true}},
		{Revoked, qestest.Request{FamilyName: "Скасований", GivenName: "Тарас", MiddleName: "Андрійович", RNOKPP: "2900013136", UNZR: "19790526-03136", Status: qestest.Revoked, Device: true}},
	}
}

// A Server is the double. It is safe for concurrent use.
type Server struct {
	cfg     Config
	host    string
	persons []person
	client  *http.Client
	stop    chan struct{}
	waiting sync.WaitGroup

	mu       sync.Mutex
	callback string
	tokens   map[string]time.Time // until
	branches map[string]*branch
	requests map[string]*request // by the end of the link
	counts   map[string]int      // by route
	faults   map[string]*Fault   // by route
	last     []byte              // the last signature sent that was of the hash asked for
	serial   int
}

type branch struct {
	body   map[string]any
	scopes []string
	offers map[string]*offer
}

type offer struct {
	body  map[string]any
	scope string
}

// A request is one dynamic request.
type request struct {
	branch, offer string
	name          string // of the offer
	scope         string
	trace         string // requestId
	returnLink    string
	algorithm     string
	file          string
	hash          []byte
	made          time.Time
}

// Routes, by which faults are set and calls counted.
const (
	RouteSession  = "session"
	RouteBranch   = "branch" // branches and offers
	RouteRequest  = "request"
	RouteCallback = "callback" // counted only
)

// A Fault replaces the answers of a route.
type Fault struct {
	Status int           // 0 leaves the answer as it is
	Body   []byte        // with Status
	Delay  time.Duration // before the answer
	Drip   bool          // one octet of Body each 50 ms
	Times  int           // how often; 0 means until it is taken away
}

// New makes the keys of all persons.
func New(cfg Config) (*Server, error) {
	if cfg.Provider == nil {
		return nil, errors.New("diiatest: a provider of keys is needed")
	}
	u, err := local(cfg.BaseURL)
	if err != nil || u.Path != "" {
		return nil, errors.New("diiatest: BaseURL is an http address of this computer without a path")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.LinkLife == 0 {
		cfg.LinkLife = 180 * time.Second
	}
	if cfg.Late == 0 {
		cfg.Late = 35 * time.Second
	}
	if cfg.Persons == nil {
		cfg.Persons = defaultPersons()
	}
	s := &Server{
		cfg: cfg, host: u.Host, client: &http.Client{Timeout: 10 * time.Second}, stop: make(chan struct{}),
		tokens: map[string]time.Time{}, branches: map[string]*branch{}, requests: map[string]*request{},
		counts: map[string]int{}, faults: map[string]*Fault{},
	}
	for _, p := range cfg.Persons {
		one, err := newPerson(cfg.Provider, p)
		if err != nil {
			return nil, fmt.Errorf("diiatest: issuing %s: %w", p.ID, err)
		}
		s.persons = append(s.persons, one)
	}
	if cfg.Callback != "" {
		return s, s.SetCallback(cfg.Callback)
	}
	return s, nil
}

// local reads an http address of this computer. A double with keys that everyone may have must not meet the world.
func local(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, errors.New("diiatest: not a web address")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil, errors.New("diiatest: only this computer is talked to")
	}
	return u, nil
}

// SetCallback says where notifications go.
func (s *Server) SetCallback(address string) error {
	if _, err := local(address); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callback = address
	return nil
}

// Close takes back late approvals and waits for those under way.
func (s *Server) Close() {
	close(s.stop)
	s.waiting.Wait()
}

// Count returns how often a route was asked.
func (s *Server) Count(route string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[route]
}

// SetFault replaces the answers of a route; nil ends it.
func (s *Server) SetFault(route string, f *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f == nil {
		delete(s.faults, route)
		return
	}
	own := *f
	s.faults[route] = &own
}

// ExpireTokens makes every session token given so far worthless: the next call gets 401.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// Handler serves the API and the telephone.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	api := func(pattern, route string, needToken bool, answer func(r *http.Request) (int, any)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, route, needToken, answer) })
	}
	api("GET /api/v1/auth/acquirer/{token}", RouteSession, false, s.openSession)
	api("POST /api/v2/acquirers/branch", RouteBranch, true, s.createBranch)
	api("GET /api/v2/acquirers/branches", RouteBranch, true, s.listBranches)
	api("GET /api/v2/acquirers/branch/{branch}", RouteBranch, true, s.readBranch)
	api("PUT /api/v2/acquirers/branch/{branch}", RouteBranch, true, s.writeBranch)
	api("DELETE /api/v2/acquirers/branch/{branch}", RouteBranch, true, s.deleteBranch)
	api("POST /api/v1/acquirers/branch/{branch}/offer", RouteBranch, true, s.createOffer)
	api("GET /api/v1/acquirers/branch/{branch}/offers", RouteBranch, true, s.listOffers)
	api("DELETE /api/v1/acquirers/branch/{branch}/offer/{offer}", RouteBranch, true, s.deleteOffer)
	api("POST /api/v2/acquirers/branch/{branch}/offer-request/dynamic", RouteRequest, true, s.createRequest)
	s.phone(mux)
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != s.host { // a name that was made to point here
			http.Error(w, "wrong host", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	}))
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, route string, needToken bool, answer func(*http.Request) (int, any)) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	f := s.enter(route)
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			return
		case <-s.stop:
			return
		}
	}
	if f.Status != 0 {
		s.broken(w, r, f)
		return
	}
	status, body := http.StatusUnauthorized, refusal(http.StatusUnauthorized, "UnauthorizedError")
	if !needToken || s.known(r) {
		status, body = answer(r)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if status != http.StatusNoContent {
		_ = json.NewEncoder(w).Encode(body) // whoever went away needs no answer
	}
}

func (s *Server) enter(route string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[route]++
	f := s.faults[route]
	if f == nil {
		return Fault{}
	}
	if f.Times > 0 {
		if f.Times--; f.Times == 0 {
			delete(s.faults, route)
		}
	}
	return *f
}

func (s *Server) broken(w http.ResponseWriter, r *http.Request, f Fault) {
	w.WriteHeader(f.Status)
	if !f.Drip {
		_, _ = w.Write(f.Body)
		return
	}
	flush := http.NewResponseController(w)
	for i := range f.Body {
		_, _ = w.Write(f.Body[i : i+1])
		_ = flush.Flush()
		select {
		case <-time.After(50 * time.Millisecond):
		case <-r.Context().Done():
			return
		case <-s.stop:
			return
		}
	}
}

// refusal is how the API says no.
func refusal(code int, name string) any {
	return map[string]any{"name": name, "message": http.StatusText(code), "code": code, "data": map[string]any{}}
}

// tokenLife is that of the real one.
const tokenLife = 7200000 * time.Millisecond

func (s *Server) openSession(r *http.Request) (int, any) {
	if r.PathValue("token") != AcquirerToken || r.Header.Get("Authorization") != "Basic "+AuthToken {
		return http.StatusUnauthorized, refusal(http.StatusUnauthorized, "UnauthorizedError")
	}
	part := func(n int) string {
		b := make([]byte, n)
		_, _ = rand.Read(b) // never fails
		return base64.RawURLEncoding.EncodeToString(b)
	}
	token := part(12) + "." + part(120) + "." + part(32)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = s.cfg.Now().Add(tokenLife)
	return http.StatusOK, map[string]string{"token": token}
}

func (s *Server) known(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	until, found := s.tokens[token]
	return ok && found && s.cfg.Now().Before(until)
}

// newID makes an id in the manner of the database behind the API: 24 hexadecimal digits. s.mu is held.
func (s *Server) newID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	s.serial++
	return hex.EncodeToString(b) + fmt.Sprintf("%08x", s.serial)
}

func window[T any](r *http.Request, all []T) []T {
	skip, _ := strconv.Atoi(r.URL.Query().Get("skip"))
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit <= 0 {
		limit = 10
	}
	all = all[min(max(skip, 0), len(all)):]
	return all[:min(limit, len(all))]
}

func sorted[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return strings.Compare(a[16:], b[16:]) }) // by the serial part
	return keys
}
