// Package idgovtest is a double of id.gov.ua: the page of the system with a button for each means, and its three calls, with
// every answer and refusal that the real one is known to give and some that only an attacker would. A person drives it by
// its page, a test by posting the same form. It answers on this computer only.
package idgovtest

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"brama/connectors/internal/upstreamtest"
	"brama/internal/qes/qestest"
	"brama/internal/qes/tbs"
)

// EDRPOU is the code of the organisation that runs the real system.
const EDRPOU = "43395033"

// Config says where the double answers and to whom.
type Config struct {
	// BaseURL is where Handler is served, without a slash at the end.
	BaseURL string
	// ClientID and ClientSecret of the one client, and its addresses of return, letter for letter.
	ClientID, ClientSecret string
	RedirectURIs           []string
	// Provider issues the system's certificates.
	Provider *qestest.Provider
	// Form is how answers are wrapped unless the page says otherwise.
	Form upstreamtest.Form
	// CodeLife is how long a code is good; 0 is 90 seconds.
	CodeLife time.Duration
	// Cap is how many logins succeed, as in the real test environment; 0 is no end.
	Cap int
	// Reusable codes and tokens are for tests that repeat a call.
	Reusable bool
	Now      func() time.Time // nil means time.Now
}

// A Form is how an answer is wrapped; see upstreamtest.Form.
type Form = upstreamtest.Form

// Means of the page, in its order.
var buttons = []upstreamtest.Field{
	{Name: "means", Value: "dig_sign", Label: "Електронний підпис"},
	{Name: "means", Value: "diia_id", Label: "Дія.Підпис"},
	{Name: "means", Value: "bank_id", Label: "BankID НБУ"},
	{Name: "means", Value: "mobile_id", Label: "Mobile ID"},
	{Name: "means", Value: "diia_oauth", Label: "Застосунок Дія"},
}

// Outcomes of the page beside the usual one, "", and the faults of package upstreamtest.
const (
	Cancel       = "cancel"        // back with access_denied
	Unavailable  = "unavailable"   // back with temporarily_unavailable
	LateCode     = "late-code"     // the code is over before it is shown
	BadClient    = "bad-client"    // invalid_client with status 400
	Error200     = "error-200"     // an error in a good status, with a text that holds a user id
	Error401     = "error-401"     // error as a number, status 401
	Clear        = "clear"         // attributes in clear
	Development  = "development"   // the JSON in the place of the envelope
	WrongKey     = "wrong-key"     // sealed for somebody else
	Tampered     = "tampered"      // the envelope was changed on the way
	NotAttribute = "not-attribute" // sealed octets that are no JSON
	BadSignature = "bad-signature"
	Official     = "official" // signed by a person who works there
	Stranger     = "stranger" // signed with a certificate that says the same and is worth nothing
	OtherMeans   = "other-means"
	Device       = "device" // the key is in a qualified device
	NumberTypes  = "number-types"
	LogoutFails  = "logout-fails"
)

var outcomes = upstreamtest.Choice{Name: "outcome", Label: "Відповідь системи", Options: []upstreamtest.Option{
	{Value: "", Label: "Звичайна"}, {Value: Device, Label: "Ключ на захищеному носії"}, {Value: NumberTypes, Label: "Числа замість рядків"},
	{Value: Unavailable, Label: "Повернення: тимчасово недоступно"}, {Value: LateCode, Label: "Код уже недійсний"},
	{Value: BadClient, Label: "Невідомий клієнт"}, {Value: Error200, Label: "Помилка з кодом 200"}, {Value: Error401, Label: "Помилка з кодом 401"},
	{Value: Clear, Label: "Дані без шифрування"}, {Value: Development, Label: "JSON замість конверта"},
	{Value: WrongKey, Label: "Зашифровано для іншого"}, {Value: Tampered, Label: "Конверт змінено"}, {Value: NotAttribute, Label: "У конверті не дані"},
	{Value: BadSignature, Label: "Підпис не збігається"}, {Value: Official, Label: "Підписав працівник"}, {Value: Stranger, Label: "Підписав чужий ключ"},
	{Value: OtherMeans, Label: "Інший спосіб, ніж просили"}, {Value: LogoutFails, Label: "Вихід не працює"},
	{Value: upstreamtest.FaultHang, Label: "Не відповідає"}, {Value: upstreamtest.FaultSlow, Label: "Відповідає по байту"},
	{Value: upstreamtest.FaultBig, Label: "10 МБ"}, {Value: upstreamtest.FaultGarbage, Label: "Сміття"}, {Value: upstreamtest.FaultHTML, Label: "Сторінка HTML"},
	{Value: upstreamtest.FaultDown, Label: "Код 503"}, {Value: upstreamtest.FaultTwice, Label: "Поле двічі"},
}}

// stages are where a fault happens.
var stages = upstreamtest.Choice{Name: "stage", Label: "На якому кроці збій", Options: []upstreamtest.Option{
	{Value: "user-info", Label: "Дані особи"}, {Value: "token", Label: "Токен"}, {Value: "logout", Label: "Вихід"},
}}

var forms = upstreamtest.Choice{Name: "form", Label: "Конверт", Options: []upstreamtest.Option{
	{Value: "", Label: "Як налаштовано"}, {Value: "plain", Label: "Без підпису, разовий ключ"}, {Value: "signed", Label: "З підписом, разовий ключ"},
	{Value: "static", Label: "З підписом, постійний ключ відправника"}, {Value: "ctr", Label: "З підписом, режим гамування, отримувач за ідентифікатором ключа"},
	{Value: "bare", Label: "SignedData без ContentInfo"},
}}

func (s *Server) form(name string) Form {
	switch name {
	case "plain":
		return Form{}
	case "signed":
		return Form{Signed: true}
	case "static":
		return Form{Signed: true, Static: true, Attach: true}
	case "ctr":
		return Form{Signed: true, CTR: true, ByKeyID: true}
	case "bare":
		return Form{Signed: true, Bare: true}
	}
	return s.cfg.Form
}

// A Server is a running double. It is safe for concurrent use.
type Server struct {
	cfg     Config
	system  *upstreamtest.System
	persons []upstreamtest.Person
	codes   upstreamtest.Tickets[*session]
	tokens  upstreamtest.Tickets[*session]

	mu      sync.Mutex
	asked   map[string]int // by path
	inQuery []string       // paths that were asked with parameters in the address
	logins  int
	cert    string
}

// A session is what the person chose on the page.
type session struct {
	person               upstreamtest.Person
	means, outcome, form string
	stage                string
	read                 bool // the token has been spent for the attributes; guarded by Server.mu
}

// New issues the system's keys.
func New(cfg Config) (*Server, error) {
	if err := upstreamtest.CheckAddress(cfg.BaseURL); err != nil {
		return nil, err
	}
	if cfg.ClientID == "" || cfg.ClientSecret == "" || len(cfg.RedirectURIs) == 0 {
		return nil, errors.New("idgovtest: a client with an address of return is needed")
	}
	system, err := upstreamtest.NewSystem(cfg.Provider, "ДП «ДІЯ» (ТЕСТ)", EDRPOU)
	if err != nil {
		return nil, err
	}
	if cfg.CodeLife == 0 {
		cfg.CodeLife = 90 * time.Second
	}
	s := &Server{cfg: cfg, system: system, persons: upstreamtest.Persons(), asked: map[string]int{}}
	s.codes.Reusable, s.tokens.Reusable = cfg.Reusable, cfg.Reusable
	s.codes.Now, s.tokens.Now = cfg.Now, cfg.Now
	return s, nil
}

// Signer is the SHA-256 of the certificate that signs answers.
func (s *Server) Signer() [sha256.Size]byte { _, f := s.system.Signer(); return f }

// Senders are the certificates of the system's static keys.
func (s *Server) Senders() []*tbs.Certificate { return s.system.Senders() }

// SetSignerStatus changes what the provider says of the certificate that signs answers.
func (s *Server) SetSignerStatus(status qestest.Status) { s.system.SetSealStatus(status) }

// Asked returns how often a path was asked, and InQuery those that carried parameters in the address though they are calls.
func (s *Server) Asked(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

// InQuery returns the paths of calls that had parameters in the address.
func (s *Server) InQuery() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.inQuery)
}

// LastCert returns the parameter cert of the last reading of attributes, as the form had it.
func (s *Server) LastCert() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cert
}

// Handler serves the double.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.authorize)
	mux.HandleFunc("POST /choose", s.choose)
	for path, h := range map[string]http.HandlerFunc{"/get-access-token": s.accessToken, "/get-user-info": s.userInfo, "/get-user-logout": s.logout} {
		mux.HandleFunc("GET "+path, s.count(h))
		mux.HandleFunc("POST "+path, s.count(h))
	}
	return mux
}

func (s *Server) count(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked[r.URL.Path]++
		if r.URL.RawQuery != "" {
			s.inQuery = append(s.inQuery, r.URL.Path)
		}
		s.mu.Unlock()
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		if r.ParseForm() != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		h(w, r)
	}
}

// authorize is the root of the site.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != s.cfg.ClientID || !slices.Contains(s.cfg.RedirectURIs, q.Get("redirect_uri")) {
		upstreamtest.Page{Title: "Помилка", Text: "Невідомий клієнт або адреса повернення.", Status: http.StatusBadRequest}.Write(w)
		return
	}
	page := upstreamtest.Page{
		Title: "ID.GOV.UA", Text: "Оберіть спосіб ідентифікації. Особа та відповідь системи обираються тут же.", Action: "/choose",
		Hidden:  []upstreamtest.Field{{Name: "state", Value: q.Get("state")}, {Name: "redirect_uri", Value: q.Get("redirect_uri")}},
		Choices: []upstreamtest.Choice{upstreamtest.PersonChoice(s.persons), outcomes, stages, forms},
	}
	only := strings.Split(q.Get("auth_type"), ",")
	for _, b := range buttons {
		if q.Get("auth_type") == "" || slices.Contains(only, b.Value) {
			page.Buttons = append(page.Buttons, b)
		}
	}
	page.Buttons = append(page.Buttons, upstreamtest.Field{Name: "means", Value: Cancel, Label: "Скасувати"})
	page.Write(w)
}

// choose sends the browser back.
func (s *Server) choose(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	back := r.PostFormValue("redirect_uri")
	if !slices.Contains(s.cfg.RedirectURIs, back) {
		upstreamtest.Page{Title: "Помилка", Text: "Невідома адреса повернення.", Status: http.StatusBadRequest}.Write(w)
		return
	}
	answer := url.Values{}
	if state := r.PostFormValue("state"); state != "" {
		answer.Set("state", state)
	}
	outcome, means := r.PostFormValue("outcome"), r.PostFormValue("means")
	switch {
	case means == Cancel:
		answer.Set("error", "access_denied")
		answer.Set("error_description", "Користувач відмовився")
	case outcome == Unavailable:
		answer.Set("error", "temporarily_unavailable")
		answer.Set("error_message", "Спробуйте пізніше")
	default:
		life := s.cfg.CodeLife
		if outcome == LateCode {
			life = -time.Second
		}
		answer.Set("code", s.codes.Issue(&session{
			person: upstreamtest.Find(s.persons, r.PostFormValue("person")), means: means, outcome: outcome,
			form: r.PostFormValue("form"), stage: r.PostFormValue("stage"),
		}, life))
	}
	http.Redirect(w, r, back+"?"+answer.Encode(), http.StatusSeeOther)
}

// certificate reads the parameter cert as the real one has to: encoded once or twice, with blanks where plus signs were.
func certificate(value string) ([]byte, error) {
	if strings.Contains(value, "%") {
		var err error
		if value, err = url.PathUnescape(value); err != nil {
			return nil, err
		}
	}
	return base64.StdEncoding.DecodeString(strings.ReplaceAll(value, " ", "+"))
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
