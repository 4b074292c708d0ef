// Package mobileidtest is a double of an operator's mobile signature service (ETSI TS 102 204, asynchronous), with the page
// of a telephone on which a person, or a test, decides how each request ends. Its keys are invented people's; it never
// stands in production.
package mobileidtest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
)

// Who may ask.
const (
	APID     = "http://brama.dev"
	Password = "not-a-secret"
)

// A Subscriber is a person with a key on a SIM.
type Subscriber struct {
	Number string // +380…
	Name   string
	Key    *qestest.Issued
}

// Config says for whom.
type Config struct {
	Subscribers []Subscriber
	// Stranger signs in the outcome OtherPerson.
	Stranger *qestest.Issued
	// SOAP11 answers in SOAP 1.1, Wrapped in the manner of RPC, Detached without the text in the signature.
	SOAP11, Wrapped, Detached bool
	// Early500 says 500 while there is no signature, as one service does.
	Early500 bool
	Now      func() time.Time // nil means time.Now
}

// An Outcome is what a person, a card or a fault makes of a request.
type Outcome string

// Outcomes.
const (
	Approve      Outcome = "approve"
	Refuse       Outcome = "refuse"        // 401
	Expire       Outcome = "expire"        // 208
	Unreachable  Outcome = "unreachable"   // 209
	Blocked      Outcome = "pin-blocked"   // 402
	NoKey        Outcome = "no-key"        // 404
	Broken       Outcome = "broken"        // 900
	Revoked      Outcome = "revoked"       // status 501
	Invalid      Outcome = "invalid"       // status 503
	OtherPerson  Outcome = "other-person"  // signed with a stranger's key
	OtherText    Outcome = "other-text"    // signed is something else
	Garbage      Outcome = "garbage"       // no signature at all
	Entities     Outcome = "entities"      // an answer with a DTD
	OtherRequest Outcome = "other-request" // an answer to another question
)

// Outcomes lists them in the order of the buttons.
func Outcomes() []Outcome {
	return []Outcome{Approve, Refuse, Expire, Unreachable, Blocked, NoKey, Broken, Revoked, Invalid, OtherPerson, OtherText, Garbage, Entities, OtherRequest}
}

// A Fault is how the whole service misbehaves. The zero value is none.
type Fault struct {
	Down, HTML, Huge bool
	Delay            time.Duration
}

// A Pending is a request that waits for its person.
type Pending struct{ ID, Number, Person, Text string }

type request struct {
	Pending
	who     Subscriber
	content []byte
	outcome Outcome
}

// Server is the double. It is safe for concurrent use.
type Server struct {
	cfg Config

	mu       sync.Mutex
	fault    Fault
	requests map[string]*request
	order    []string
	seen     map[string]bool // (AP_ID, AP_TransID, Instant)
	asked    map[string]int
}

// New checks cfg and returns the double.
func New(cfg Config) (*Server, error) {
	if len(cfg.Subscribers) == 0 {
		return nil, errors.New("mobileidtest: a subscriber is needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cfg.Subscribers = slices.Clone(cfg.Subscribers)
	return &Server{cfg: cfg, requests: map[string]*request{}, seen: map[string]bool{}, asked: map[string]int{}}, nil
}

// Handler serves /mss and /phone.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /mss", s.mss)
	mux.HandleFunc("GET /phone", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_ = phone.Execute(w, map[string]any{"Pending": s.Pending(), "Outcomes": Outcomes()})
	})
	mux.HandleFunc("POST /phone", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Decide(r.PostFormValue("id"), Outcome(r.PostFormValue("outcome"))); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		http.Redirect(w, r, "phone", http.StatusSeeOther)
	})
	return mux
}

var phone = template.Must(template.New("").Parse(`<!DOCTYPE html><html lang="uk"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Телефон MobileID (тест)</title><h1>Телефон MobileID (тест)</h1>
{{range .Pending}}<form method="post" action="phone"><p><strong>{{.Person}}</strong> {{.Number}}: {{.Text}}</p>
<input type="hidden" name="id" value="{{.ID}}">{{range $.Outcomes}}<button name="outcome" value="{{.}}">{{.}}</button> {{end}}</form>
{{else}}<p>Запитів немає.</p>{{end}}</html>`))

// SetFault makes the whole service misbehave.
func (s *Server) SetFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Asked returns how often MSS_SignatureReq or MSS_StatusReq came.
func (s *Server) Asked(message string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[message]
}

// Pending returns what waits for a person, oldest first.
func (s *Server) Pending() []Pending {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Pending
	for _, id := range s.order {
		if r := s.requests[id]; r.outcome == "" {
			list = append(list, r.Pending)
		}
	}
	return list
}

// Decide ends a request. A request that is decided stays so.
func (s *Server) Decide(id string, o Outcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests[id]
	if r == nil || r.outcome != "" || !slices.Contains(Outcomes(), o) {
		return fmt.Errorf("mobileidtest: nothing to decide in %q", id)
	}
	r.outcome = o
	return nil
}

type apInfo struct {
	ID       string `xml:"AP_ID,attr"`
	Password string `xml:"AP_PWD,attr"`
	Trans    string `xml:"AP_TransID,attr"`
	Instant  string `xml:"Instant,attr"`
}

type message struct {
	Body struct {
		Signature *struct {
			Mode    string `xml:"MessagingMode,attr"`
			AP      apInfo `xml:"AP_Info"`
			Number  string `xml:"MobileUser>MSISDN"`
			Content string `xml:"DataToBeSigned"`
			Text    string `xml:"DataToBeDisplayed"`
			Format  string `xml:"MSS_Format>mssURI"`
		} `xml:"MSS_SignatureReq"`
		Status *struct {
			Trans string `xml:"MSSP_TransID,attr"`
			AP    apInfo `xml:"AP_Info"`
		} `xml:"MSS_StatusReq"`
	} `xml:"Body"`
}

func (s *Server) mss(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256<<10))
	if err != nil {
		return
	}
	s.mu.Lock()
	fault := s.fault
	s.mu.Unlock()
	if fault.Delay > 0 {
		select {
		case <-time.After(fault.Delay):
		case <-r.Context().Done():
			return
		}
	}
	switch {
	case fault.Down:
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	case fault.HTML:
		fmt.Fprint(w, "<!DOCTYPE html><p>Технічні роботи")
		return
	case fault.Huge:
		fmt.Fprint(w, "<x>"+strings.Repeat("x", 10<<20)+"</x>")
		return
	}
	var m message
	if err := xml.Unmarshal(b, &m); err != nil || m.Body.Signature == nil == (m.Body.Status == nil) {
		s.failed(w, 101)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var ap apInfo
	if m.Body.Signature != nil {
		ap = m.Body.Signature.AP
		s.asked["MSS_SignatureReq"]++
	} else {
		ap = m.Body.Status.AP
		s.asked["MSS_StatusReq"]++
	}
	once := ap.ID + "\x00" + ap.Trans + "\x00" + ap.Instant
	if _, err := time.Parse(time.RFC3339, ap.Instant); err != nil || ap.Trans == "" || s.seen[once] {
		s.failed(w, 101)
		return
	}
	s.seen[once] = true
	if ap.ID != APID || ap.Password != Password {
		s.failed(w, 104)
		return
	}
	if q := m.Body.Signature; q != nil {
		i := slices.IndexFunc(s.cfg.Subscribers, func(u Subscriber) bool { return u.Number == q.Number })
		content, err := base64.StdEncoding.DecodeString(q.Content)
		switch {
		case i < 0:
			s.failed(w, 105)
		case err != nil || q.Mode != "asynchClientServer" || q.Text == "" || !strings.HasSuffix(q.Format, "#PKCS7"):
			s.failed(w, 101)
		default:
			who := s.cfg.Subscribers[i]
			id := random()
			s.requests[id] = &request{Pending: Pending{ID: id, Number: who.Number, Person: who.Name, Text: q.Text}, who: who, content: content}
			s.order = append(s.order, id)
			s.answer(w, "MSS_SignatureResp", ap.Trans, id, 100, nil)
		}
		return
	}
	s.status(w, ap, m.Body.Status.Trans)
}

// status answers MSS_StatusReq; the caller holds the lock.
func (s *Server) status(w http.ResponseWriter, ap apInfo, id string) {
	r := s.requests[id]
	if r == nil {
		s.failed(w, 208)
		return
	}
	if code := map[Outcome]int{Refuse: 401, Expire: 208, Unreachable: 209, Blocked: 402, NoKey: 404, Broken: 900}[r.outcome]; code != 0 {
		s.failed(w, code)
		return
	}
	status := 500
	switch r.outcome {
	case "":
		if status = 504; s.cfg.Early500 {
			status = 500
		}
		s.answer(w, "MSS_StatusResp", ap.Trans, id, status, nil)
		return
	case Revoked:
		status = 501
	case Invalid:
		status = 503
	case Entities:
		w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
		fmt.Fprint(w, `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b "&a;&a;">]><x>&b;</x>`)
		return
	case OtherRequest:
		ap.Trans = "Aother"
	}
	b, err := s.sign(r)
	if err != nil {
		s.failed(w, 900)
		return
	}
	s.answer(w, "MSS_StatusResp", ap.Trans, id, status, b)
}

func (s *Server) sign(r *request) ([]byte, error) {
	key, content := r.who.Key, r.content
	switch r.outcome {
	case OtherPerson:
		if key = s.cfg.Stranger; key == nil {
			return nil, errors.New("mobileidtest: no stranger")
		}
	case OtherText:
		content = []byte("договір.pdf")
	case Garbage:
		return []byte("no signature"), nil
	}
	return cms.Sign(key.Key, cms.Options{Certificate: key.Certificate.Raw, Content: content, Detached: s.cfg.Detached, SigningTime: s.cfg.Now()})
}

func (s *Server) envelope(w http.ResponseWriter, status int, body string) {
	ns, contentType := "http://www.w3.org/2003/05/soap-envelope", "application/soap+xml; charset=utf-8"
	if s.cfg.SOAP11 {
		ns, contentType = "http://schemas.xmlsoap.org/soap/envelope/", "text/xml; charset=utf-8"
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="%s"><s:Body>%s</s:Body></s:Envelope>`, ns, body)
}

const ns = ` xmlns:mss="http://uri.etsi.org/TS102204/v1.1.2#"`

func (s *Server) answer(w http.ResponseWriter, name, trans, id string, status int, signature []byte) {
	value := ""
	if signature != nil {
		value = "<mss:MSS_Signature><mss:Base64Signature>\n" + base64.StdEncoding.EncodeToString(signature) + "\n</mss:Base64Signature></mss:MSS_Signature>"
	}
	body := fmt.Sprintf(`<mss:%s%s MajorVersion="1" MinorVersion="1" MSSP_TransID="%s"><mss:AP_Info AP_ID="%s" AP_TransID="%s" Instant="%s"/>%s`+
		`<mss:Status><mss:StatusCode Value="%d"/><mss:StatusMessage>&lt;b&gt;text&lt;/b&gt;</mss:StatusMessage></mss:Status></mss:%s>`,
		name, ns, id, APID, trans, s.cfg.Now().UTC().Format(time.RFC3339), value, status, name)
	if s.cfg.Wrapped {
		body = `<mss:Response` + ns + `>` + body + `</mss:Response>`
	}
	s.envelope(w, http.StatusOK, body)
}

func (s *Server) failed(w http.ResponseWriter, code int) {
	body := fmt.Sprintf(`<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value%s>mss:_%d</s:Value></s:Subcode></s:Code>`+
		`<s:Reason><s:Text xml:lang="en">&lt;script&gt;</s:Text></s:Reason></s:Fault>`, ns, code)
	if s.cfg.SOAP11 {
		body = fmt.Sprintf(`<s:Fault><faultcode%s>mss:_%d</faultcode><faultstring>x</faultstring></s:Fault>`, ns, code)
	}
	s.envelope(w, http.StatusInternalServerError, body)
}

func random() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b) // never fails
	return "M" + hex.EncodeToString(b)
}
