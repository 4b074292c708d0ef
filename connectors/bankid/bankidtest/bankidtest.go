// Package bankidtest is a double of BankID НБУ: the centre with its list of banks, three banks with their seals, and the calls
// of both versions of the protocol, with every answer and refusal that the real one is known to give and some that only an
// attacker would. A person drives it by its page, a test by posting the same form. It answers on this computer only.
package bankidtest

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"brama/connectors/internal/upstreamtest"
	"brama/internal/qes/qestest"
)

// A Bank is one of the double's.
type Bank struct {
	ID, MemberID, Name, EDRPOU string
	Workable                   bool
	system                     *upstreamtest.System
}

// Config says where the double answers and to whom.
type Config struct {
	// BaseURL is where Handler is served, without a slash at the end.
	BaseURL string
	// ClientID and ClientSecret of the one client, and its addresses of return, letter for letter; the first is the one that
	// counts if none is asked for.
	ClientID, ClientSecret string
	RedirectURIs           []string
	// Provider issues the banks' certificates.
	Provider *qestest.Provider
	// Form is how answers are wrapped unless the page says otherwise; it is always signed.
	Form Form
	// TokenLife is how long a token is good; 0 is 180 seconds.
	TokenLife time.Duration
	// Reusable codes and tokens are for tests that repeat a call.
	Reusable bool
	Now      func() time.Time // nil means time.Now
}

// A Form is how an answer is wrapped; see upstreamtest.Form.
type Form = upstreamtest.Form

// Outcomes of the page beside the usual one, "", and the faults of package upstreamtest. Those that begin with Error answer
// the resource with that error in status 200.
const (
	Cancel       = "cancel"
	Unavailable  = "unavailable"
	LateCode     = "late-code"
	LateToken    = "late-token"
	BadClient    = "bad-client"
	Error        = "error:"
	NotOK        = "not-ok"
	OtherMember  = "other-member" // another bank's memberId, another bank's signature
	OtherSigner  = "other-signer" // the right memberId, another bank's signature
	NewMember    = "new-member"   // a memberId that nobody knows
	Unsigned     = "unsigned"
	BadSignature = "bad-signature"
	Official     = "official"
	Stranger     = "stranger"
	WrongKey     = "wrong-key"
	Tampered     = "tampered"
	NotAttribute = "not-attribute"
	Clear        = "clear" // the client in clear in the place of the envelope
	Legal        = "legal" // a client that is no person
	OddDate      = "odd-date"
)

var outcomes = upstreamtest.Choice{Name: "outcome", Label: "Відповідь банку", Options: []upstreamtest.Option{
	{Value: "", Label: "Звичайна"}, {Value: OddDate, Label: "Дата народження в іншому вигляді"},
	{Value: Unavailable, Label: "Повернення: тимчасово недоступно"}, {Value: LateCode, Label: "Код уже недійсний"}, {Value: LateToken, Label: "Токен уже недійсний"},
	{Value: BadClient, Label: "Невідомий клієнт"}, {Value: Error + "access_denied", Label: "Помилка access_denied"},
	{Value: Error + "temporarily_unavailable", Label: "Помилка temporarily_unavailable"}, {Value: Error + "invalid_request", Label: "Помилка invalid_request"},
	{Value: Error + "invalid_cert", Label: "Помилка invalid_cert"}, {Value: Error + "invalid_data", Label: "Помилка invalid_data"},
	{Value: Error + "unauthorized_client", Label: "Помилка unauthorized_client"}, {Value: Error + "invalid_token", Label: "Помилка invalid_token"},
	{Value: Error + "invalid_grant", Label: "Помилка invalid_grant"}, {Value: Error + "Клієнт 12345", Label: "Невідома помилка"}, {Value: NotOK, Label: "Стан не ok"},
	{Value: OtherMember, Label: "Відповів інший банк"}, {Value: OtherSigner, Label: "Підписав інший банк"}, {Value: NewMember, Label: "Невідомий банк"},
	{Value: Unsigned, Label: "Без підпису"}, {Value: BadSignature, Label: "Підпис не збігається"}, {Value: Official, Label: "Підписав працівник"},
	{Value: Stranger, Label: "Підписав чужий ключ"}, {Value: WrongKey, Label: "Зашифровано для іншого"}, {Value: Tampered, Label: "Конверт змінено"},
	{Value: NotAttribute, Label: "У конверті не дані"}, {Value: Clear, Label: "Дані без шифрування"}, {Value: Legal, Label: "Клієнт не є особою"},
	{Value: upstreamtest.FaultHang, Label: "Не відповідає"}, {Value: upstreamtest.FaultSlow, Label: "Відповідає по байту"},
	{Value: upstreamtest.FaultBig, Label: "10 МБ"}, {Value: upstreamtest.FaultGarbage, Label: "Сміття"}, {Value: upstreamtest.FaultHTML, Label: "Сторінка HTML"},
	{Value: upstreamtest.FaultDown, Label: "Код 503"}, {Value: upstreamtest.FaultTwice, Label: "Поле двічі"},
}}

var stages = upstreamtest.Choice{Name: "stage", Label: "На якому кроці збій", Options: []upstreamtest.Option{
	{Value: "resource", Label: "Дані клієнта"}, {Value: "token", Label: "Токен"},
}}

// forms are named by cipher, recipient and sender: "ctr-ski-static".
var forms = upstreamtest.Choice{Name: "form", Label: "Конверт", Options: []upstreamtest.Option{
	{Value: "", Label: "Як налаштовано"},
	{Value: "cfb-serial-ephemeral", Label: "CFB, видавець і номер, разовий ключ"}, {Value: "cfb-serial-static", Label: "CFB, видавець і номер, постійний ключ"},
	{Value: "cfb-ski-ephemeral", Label: "CFB, ідентифікатор ключа, разовий ключ"}, {Value: "cfb-ski-static", Label: "CFB, ідентифікатор ключа, постійний ключ"},
	{Value: "ctr-serial-ephemeral", Label: "CTR, видавець і номер, разовий ключ"}, {Value: "ctr-serial-static", Label: "CTR, видавець і номер, постійний ключ"},
	{Value: "ctr-ski-ephemeral", Label: "CTR, ідентифікатор ключа, разовий ключ"}, {Value: "ctr-ski-static", Label: "CTR, ідентифікатор ключа, постійний ключ"},
}}

// A Server is a running double. It is safe for concurrent use.
type Server struct {
	cfg     Config
	banks   []*Bank
	persons []upstreamtest.Person
	codes   upstreamtest.Tickets[*session]
	tokens  upstreamtest.Tickets[*session]

	mu          sync.Mutex
	asked       map[string]int
	listFault   string
	lastRequest map[string]any
}

// A session is what the person chose on the page.
type session struct {
	bank                   *Bank
	person                 upstreamtest.Person
	outcome, form, stage   string
	redirectURI, dataSet   string
	redirectURIWasAskedFor bool
}

// New issues the banks' keys.
func New(cfg Config) (*Server, error) {
	if err := upstreamtest.CheckAddress(cfg.BaseURL); err != nil {
		return nil, err
	}
	if cfg.ClientID == "" || cfg.ClientSecret == "" || len(cfg.RedirectURIs) == 0 {
		return nil, errors.New("bankidtest: a client with an address of return is needed")
	}
	if cfg.TokenLife == 0 {
		cfg.TokenLife = 180 * time.Second
	}
	cfg.Form.Signed = true
	s := &Server{cfg: cfg, persons: upstreamtest.Persons(), asked: map[string]int{}, banks: []*Bank{
		{ID: "kalyna", MemberID: "300001", Name: "Банк «Калина» (ТЕСТ)", EDRPOU: "10000201", Workable: true},
		{ID: "verba", MemberID: "300002", Name: "Банк «Верба» (ТЕСТ)", EDRPOU: "10000202", Workable: true},
		{ID: "polyn", MemberID: "300003", Name: "Банк «Полин» (ТЕСТ)", EDRPOU: "10000203", Workable: false},
	}}
	s.codes.Reusable, s.tokens.Reusable = cfg.Reusable, cfg.Reusable
	s.codes.Now, s.tokens.Now = cfg.Now, cfg.Now
	for _, b := range s.banks {
		var err error
		if b.system, err = upstreamtest.NewSystem(cfg.Provider, b.Name, b.EDRPOU); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Banks are the banks of the double, for a client's configuration.
func (s *Server) Banks() []Bank {
	var list []Bank
	for _, b := range s.banks {
		list = append(list, *b)
	}
	return list
}

// SetSignerStatus changes what the provider says of a bank's seal.
func (s *Server) SetSignerStatus(bank string, status qestest.Status) {
	if b := s.bank(bank); b != nil {
		b.system.SetSealStatus(status)
	}
}

// SetListFault makes the list of banks fail, by a fault of package upstreamtest; "" mends it.
func (s *Server) SetListFault(fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listFault = fault
}

// Asked returns how often a path was asked.
func (s *Server) Asked(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

// LastRequest returns the body of the last request of the resource.
func (s *Server) LastRequest() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastRequest
}

func (s *Server) bank(id string) *Bank {
	for _, b := range s.banks {
		if b.ID == id {
			return b
		}
	}
	return nil
}

// Handler serves the double.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/bank/oauth2/authorize", s.authorize)
	mux.HandleFunc("POST /choose", s.choose)
	mux.HandleFunc("POST /v1/bank/oauth2/token", s.count(s.token))
	mux.HandleFunc("POST /v1/bank/resource/client", s.count(s.resource))
	mux.HandleFunc("GET /api/banks", s.count(s.list))
	return mux
}

func (s *Server) count(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked[r.URL.Path]++
		s.mu.Unlock()
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		h(w, r)
	}
}

// authorize is the page of the centre, with the banks unless one is asked for.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back := q.Get("redirect_uri")
	if q.Get("response_type") != "code" || q.Get("client_id") != s.cfg.ClientID || back != "" && !slices.Contains(s.cfg.RedirectURIs, back) {
		upstreamtest.Page{Title: "Помилка", Text: "Невідомий клієнт або адреса повернення.", Status: http.StatusBadRequest}.Write(w)
		return
	}
	page := upstreamtest.Page{
		Title: "BankID НБУ", Text: "Оберіть банк. Особа та відповідь банку обираються тут же.", Action: "/choose",
		Hidden: []upstreamtest.Field{
			{Name: "state", Value: q.Get("state")}, {Name: "redirect_uri", Value: back}, {Name: "dataset", Value: q.Get("dataset")},
		},
		Choices: []upstreamtest.Choice{upstreamtest.PersonChoice(s.persons), outcomes, stages, forms},
	}
	only := s.bank(q.Get("bank_id"))
	if q.Has("bank_id") && only == nil {
		upstreamtest.Page{Title: "Помилка", Text: "Невідомий банк.", Status: http.StatusBadRequest}.Write(w)
		return
	}
	for _, b := range s.banks {
		if only == nil && b.Workable || b == only {
			page.Buttons = append(page.Buttons, upstreamtest.Field{Name: "bank", Value: b.ID, Label: b.Name})
		}
	}
	page.Buttons = append(page.Buttons, upstreamtest.Field{Name: "bank", Value: Cancel, Label: "Скасувати"})
	page.Write(w)
}

// choose sends the browser back.
func (s *Server) choose(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	back, asked := r.PostFormValue("redirect_uri"), true
	if back == "" {
		back, asked = s.cfg.RedirectURIs[0], false
	}
	bank := s.bank(r.PostFormValue("bank"))
	if !slices.Contains(s.cfg.RedirectURIs, back) || bank == nil && r.PostFormValue("bank") != Cancel {
		upstreamtest.Page{Title: "Помилка", Text: "Невідома адреса повернення або банк.", Status: http.StatusBadRequest}.Write(w)
		return
	}
	answer := url.Values{"state": {r.PostFormValue("state")}}
	switch outcome := r.PostFormValue("outcome"); {
	case bank == nil:
		answer.Set("error", "access_denied")
		answer.Set("error_description", "Користувач відмовився")
	case outcome == Unavailable:
		answer.Set("error", "temporarily_unavailable")
	default:
		life := 90 * time.Second
		if outcome == LateCode {
			life = -time.Second
		}
		answer.Set("code", s.codes.Issue(&session{
			bank: bank, person: upstreamtest.Find(s.persons, r.PostFormValue("person")), outcome: outcome, form: r.PostFormValue("form"),
			stage: r.PostFormValue("stage"), redirectURI: back, redirectURIWasAskedFor: asked, dataSet: r.PostFormValue("dataset"),
		}, life))
	}
	http.Redirect(w, r, back+"?"+answer.Encode(), http.StatusSeeOther)
}

// list is the public list of banks, with addresses that nobody should follow from elsewhere.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	fault := s.listFault
	s.mu.Unlock()
	if upstreamtest.Fault(w, r, fault) {
		return
	}
	list := []map[string]any{}
	for n, b := range s.banks {
		list = append(list, map[string]any{
			"id": b.ID, "name": b.Name + "<script>alert(1)</script>", "workable": b.Workable, "memberId": b.MemberID, "order": n,
			"logoUrl": "javascript:alert(1)", "loginUrl": "https://bank.example/phishing",
		})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(list)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
