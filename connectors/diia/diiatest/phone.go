package diiatest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"time"
)

// linkPath is where deep links lead; what follows it names a request.
const linkPath = "/acquirers/offer-request/"

// An Action is what the person does with a request.
type Action string

// Actions.
const (
	Approve   Action = "approve"
	Refuse    Action = "refuse" // the acquirer is told nothing: no notification of it is known
	Ignore    Action = "ignore"
	Late      Action = "late"       // the approval is sent when the request is over
	WrongHash Action = "wrong-hash" // the signature is over another file
	Other     Action = "other"      // another person signs
	Replay    Action = "replay"     // the signature of an earlier request is sent for this one
	Twice     Action = "twice"      // the same notification two times
	Garbage   Action = "garbage"    // a notification without a signature
)

// actions in the order of the buttons.
var actions = []struct {
	Action Action
	Label  string
}{
	{Approve, "Підписати"}, {Refuse, "Відхилити"}, {Ignore, "Нічого не робити"}, {Late, "Підписати із запізненням"},
	{WrongHash, "Підписати інший файл"}, {Other, "Підписати як інша особа"}, {Replay, "Надіслати старий підпис"},
	{Twice, "Надіслати двічі"}, {Garbage, "Надіслати нісенітницю"},
}

// A Reply is what the acquirer answered to a notification.
type Reply struct {
	Status  int
	Success bool // of {"success":true}
	Body    []byte
}

// ErrNoRequest says that a link leads nowhere or is too old.
var ErrNoRequest = errors.New("diiatest: the request is not there any more")

// Act does with a request what the page does: link is a deep link, who the id of a person, "" being the first. It returns
// one reply for each notification sent; none for Refuse, Ignore and Late.
func (s *Server) Act(ctx context.Context, link string, a Action, who string) ([]Reply, error) {
	id, ok := strings.CutPrefix(link, s.cfg.BaseURL+linkPath)
	if !ok {
		return nil, ErrNoRequest
	}
	return s.act(ctx, id, a, who)
}

func (s *Server) act(ctx context.Context, id string, a Action, who string) ([]Reply, error) {
	r := s.request(id)
	if r == nil {
		return nil, ErrNoRequest
	}
	signer, err := s.person(who)
	if err != nil {
		return nil, err
	}
	hash, times := r.hash, 1
	switch a {
	case Refuse, Ignore:
		return nil, nil
	case Late:
		s.later(r, signer)
		return nil, nil
	case WrongHash:
		sum := sha256.Sum256([]byte("договір.pdf"))
		hash = sum[:]
	case Other:
		if signer.id == s.persons[0].id {
			signer = s.persons[1]
		}
	case Twice:
		times = 2
	case Approve, Replay, Garbage:
	default:
		return nil, fmt.Errorf("diiatest: no action %q", a)
	}
	var signature []byte
	switch a {
	case Garbage:
		signature = []byte("не підпис")
	case Replay:
		if signature = s.earlier(); signature == nil {
			return nil, errors.New("diiatest: nothing was signed before")
		}
	default:
		if signature, err = s.sign(signer, r.algorithm, hash); err != nil {
			return nil, err
		}
	}
	if a == Approve || a == Twice {
		s.mu.Lock()
		s.last = signature
		s.mu.Unlock()
	}
	var replies []Reply
	for range times {
		reply, err := s.notify(ctx, r, signature)
		if err != nil {
			return replies, err
		}
		replies = append(replies, reply)
	}
	return replies, nil
}

// request returns one that can still be opened.
func (s *Server) request(id string) *request {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests[id]
	if r == nil || !s.cfg.Now().Before(r.made.Add(s.cfg.LinkLife)) {
		return nil
	}
	return r
}

func (s *Server) person(id string) (person, error) {
	for _, p := range s.persons {
		if p.id == id || id == "" {
			return p, nil
		}
	}
	return person{}, fmt.Errorf("diiatest: no person %q", id)
}

func (s *Server) earlier() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// lateAt is when a late approval is sent.
func (s *Server) lateAt(r *request) time.Time { return r.made.Add(s.cfg.LinkLife + s.cfg.Late) }

// later sends the approval when it is too late.
func (s *Server) later(r *request, p person) {
	s.waiting.Add(1)
	go func() {
		defer s.waiting.Done()
		select {
		case <-time.After(s.lateAt(r).Sub(s.cfg.Now())):
		case <-s.stop:
			return
		}
		if signature, err := s.sign(p, r.algorithm, r.hash); err == nil {
			_, _ = s.notify(context.Background(), r, signature) // nobody is there to be told
		}
	}()
}

// notify posts a notification, and once more if the acquirer has a fault: 5xx.
func (s *Server) notify(ctx context.Context, r *request, signature []byte) (Reply, error) {
	contentType, body, err := notification(r, signature)
	if err != nil {
		return Reply{}, err
	}
	s.mu.Lock()
	address := s.callback
	s.counts[RouteCallback]++
	s.mu.Unlock()
	if address == "" {
		return Reply{}, errors.New("diiatest: no address for notifications is registered")
	}
	for attempt := 0; ; attempt++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			return Reply{}, err
		}
		req.Header.Set("Content-Type", contentType)
		req.Header.Set("X-Document-Request-Trace-Id", r.trace)
		req.Header.Set("X-Diia-Id-Action", r.scope)
		res, err := s.client.Do(req)
		if err != nil {
			return Reply{}, err
		}
		reply := Reply{Status: res.StatusCode}
		reply.Body, err = io.ReadAll(io.LimitReader(res.Body, 64<<10))
		res.Body.Close()
		if err != nil {
			return reply, err
		}
		var said struct {
			Success bool `json:"success"`
		}
		_ = json.Unmarshal(reply.Body, &said) // what cannot be read is no success
		reply.Success = said.Success && reply.Status == http.StatusOK
		if reply.Status < 500 || attempt > 0 {
			return reply, nil
		}
	}
}

// notification writes the bytes: multipart/mixed with one text part.
func notification(r *request, signature []byte) (contentType string, body []byte, err error) {
	var data any = map[string]any{"signedItems": []map[string]string{{"name": r.file, "signature": base64.StdEncoding.EncodeToString(signature)}}}
	if r.scope == "auth" {
		data = map[string]string{"requestId": r.trace, "signature": base64.StdEncoding.EncodeToString(signature)}
	}
	text, err := json.Marshal(data)
	if err != nil {
		return "", nil, err
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="encodeData"`}, "Content-Type": {"text/plain; charset=utf-8"},
	})
	if err != nil {
		return "", nil, err
	}
	if _, err := io.WriteString(part, base64.StdEncoding.EncodeToString(text)); err != nil {
		return "", nil, err
	}
	if err := w.Close(); err != nil {
		return "", nil, err
	}
	return "multipart/mixed; boundary=" + w.Boundary(), b.Bytes(), nil
}

// phone adds the pages of the application.
func (s *Server) phone(mux *http.ServeMux) {
	mux.HandleFunc("GET "+linkPath+"{id}", func(w http.ResponseWriter, r *http.Request) {
		s.render(w, http.StatusOK, r.PathValue("id"), view{})
	})
	mux.HandleFunc("POST "+linkPath+"{id}", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		a := Action(r.PostFormValue("action"))
		replies, err := s.act(r.Context(), r.PathValue("id"), a, r.PostFormValue("person"))
		v := view{Done: string(a)}
		if err != nil {
			v.Failed = err.Error()
		}
		for _, reply := range replies {
			v.Replies = append(v.Replies, fmt.Sprintf("HTTP %d, %s", reply.Status, bytes.ToValidUTF8(reply.Body, []byte("?"))))
		}
		s.render(w, http.StatusOK, r.PathValue("id"), v)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		s.render(w, http.StatusOK, "", view{})
	})
}

// A view is what the page shows.
type view struct {
	Request      bool
	Offer, File  string
	Hash, Return string
	Persons      []option
	Actions      []option
	Done, Failed string
	Replies      []string
	LateAt       string
	Links        []option
}

type option struct{ Value, Label string }

func (s *Server) render(w http.ResponseWriter, status int, id string, v view) {
	if r := s.request(id); r != nil {
		v.Request, v.Offer, v.File, v.Return = true, r.name, r.file, r.returnLink
		v.Hash = r.algorithm + " " + base64.StdEncoding.EncodeToString(r.hash)
		v.LateAt = s.lateAt(r).Format("15:04:05")
		for _, p := range s.persons {
			v.Persons = append(v.Persons, option{p.id, p.name})
		}
		for _, a := range actions {
			v.Actions = append(v.Actions, option{string(a.Action), a.Label})
		}
	} else {
		if id != "" {
			status = http.StatusGone
		}
		v.Links = s.live()
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	var b bytes.Buffer
	if err := screen.Execute(&b, v); err != nil {
		http.Error(w, "page", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// live lists the requests that can be opened, the newest first: there is no camera to read a code with.
func (s *Server) live() []option {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []option
	ids := sorted(s.requests)
	for i := len(ids) - 1; i >= 0 && len(list) < 20; i-- {
		r := s.requests[ids[i]]
		if s.cfg.Now().Before(r.made.Add(s.cfg.LinkLife)) {
			list = append(list, option{linkPath + ids[i], r.made.Format("15:04:05") + " " + r.name + " " + r.file})
		}
	}
	return list
}

var screen = template.Must(template.New("phone").Parse(`<!DOCTYPE html>
<html lang="uk">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Дія (двійник)</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 26rem; margin: 0 auto; padding: 1rem }
.test { background: #ffd400; padding: .5rem 1rem; margin: 0 0 1rem }
button, select { font: inherit; width: 100%; min-height: 44px; margin: .25rem 0; border: 1px solid #6b7280; border-radius: .5rem; background: #fff; color: #1a1a1a }
button:first-of-type { background: #1a1a1a; color: #fff }
a { color: #0b4f9e } .wrap { overflow-wrap: anywhere }
</style>
</head>
<body>
<p class="test">ТЕСТОВЕ СЕРЕДОВИЩЕ. Це не застосунок Дія.</p>
<main>
<h1>Дія.Підпис</h1>
{{- if .Failed}}<p role="alert" class="wrap">{{.Failed}}</p>{{end}}
{{- if .Done}}
<p role="status">Зроблено: <code id="done">{{.Done}}</code>.{{if eq .Done "late"}} Підпис буде надіслано о {{.LateAt}}.{{end}}</p>
{{- range .Replies}}<p class="wrap">Відповідь: <code class="reply">{{.}}</code></p>{{end}}
{{- end}}
{{- if .Request}}
{{- if and .Done .Return}}<p><a href="{{.Return}}">Повернутися до сайту</a></p>{{end}}
<p>Запит: <strong>{{.Offer}}</strong></p>
{{- if .File}}<p class="wrap">Файл: <strong id="file">{{.File}}</strong></p>{{end}}
<p class="wrap"><small>{{.Hash}}</small></p>
<form method="post">
<label for="person">Хто тримає телефон</label>
<select id="person" name="person">{{range .Persons}}<option value="{{.Value}}">{{.Label}}</option>{{end}}</select>
{{range .Actions}}<button name="action" value="{{.Value}}">{{.Label}}</button>
{{end}}</form>
{{- else}}
<p>{{if .Links}}Оберіть запит:{{else}}Запиту немає або час його дії вичерпано.{{end}}</p>
<ul>{{range .Links}}<li class="wrap"><a href="{{.Value}}">{{.Label}}</a></li>{{end}}</ul>
{{- end}}
</main>
</body>
</html>
`))
