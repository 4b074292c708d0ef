package cloudtest

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
)

var pages = template.Must(template.New("").Parse(`{{define "phone"}}<!DOCTYPE html><html lang="uk"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Телефон (тест)</title><h1>Телефон (тест)</h1>
{{range .Pending}}<form method="post" action="{{$.Action}}"><p><strong>{{.Person}}</strong>: {{.Description}}</p>
{{if .OTP}}<p>Код: <output name="otp">{{.OTP}}</output></p>{{else}}<input type="hidden" name="id" value="{{.ID}}">
{{range $.Outcomes}}<button name="outcome" value="{{.}}">{{.}}</button> {{end}}{{end}}</form>{{else}}<p>Запитів немає.</p>{{end}}</html>{{end}}
{{define "authorize"}}<!DOCTYPE html><html lang="uk"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Хмара (тест)</title><h1>Хмара (тест)</h1><p>{{.Description}}</p>
{{range .Accounts}}<form method="post"><input type="hidden" name="account" value="{{.Identifier}}"><p>{{.Name}}</p>
{{range $.Outcomes}}<button name="outcome" value="{{.}}">{{.}}</button> {{end}}</form>{{end}}</html>{{end}}`))

func page(w http.ResponseWriter, name string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = pages.ExecuteTemplate(w, name, data)
}

// phone shows what waits for a person.
func (s *Server) phone(w http.ResponseWriter, _ *http.Request) {
	page(w, "phone", map[string]any{"Pending": s.Pending(), "Outcomes": Outcomes(), "Action": s.cfg.BaseURL + "/phone"})
}

func (s *Server) decide(w http.ResponseWriter, r *http.Request) {
	if err := s.Decide(r.PostFormValue("id"), Outcome(r.PostFormValue("outcome"))); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	http.Redirect(w, r, s.cfg.BaseURL+"/phone", http.StatusSeeOther)
}

// asked reads the query of oauth2/authorize and says whether it is one.
func (s *Server) readAuthorize(q url.Values, v2 bool) (account *Account, hash []byte, ok bool) {
	if q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("redirect_uri") == "" ||
		v2 && (q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "") {
		return nil, nil, false
	}
	switch q.Get("scope") {
	case "service":
		return nil, nil, true
	case "credential":
	default:
		return nil, nil, false
	}
	account, key := s.find("", q.Get("credentialID"))
	text := q.Get("hash")
	if v2 {
		text = q.Get("hashes")
	}
	hash, err := base64.RawURLEncoding.DecodeString(text)
	ok = account != nil && account.Mode == "oauth2code" && err == nil && len(hash) == 32 && q.Get("numSignatures") == "1"
	if ok && v2 {
		ok = q.Get("hashAlgorithmOID") == hashOIDs[key.Key.SignatureAlgorithm().OID.String()]
	}
	return account, hash, ok
}

// authorizePage is where the person is sent.
func (s *Server) authorizePage(w http.ResponseWriter, r *http.Request) {
	account, _, ok := s.readAuthorize(r.URL.Query(), r.URL.Path[:8] == "/csc/v2/")
	if !ok {
		http.Error(w, "bad request of the client", http.StatusBadRequest)
		return
	}
	accounts := s.cfg.Accounts
	if account != nil {
		accounts = []Account{*account}
	}
	page(w, "authorize", map[string]any{"Accounts": accounts, "Outcomes": Outcomes(), "Description": r.URL.Query().Get("description")})
}

// authorizePress sends the person back.
func (s *Server) authorizePress(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	account, hash, ok := s.readAuthorize(q, r.URL.Path[:8] == "/csc/v2/")
	if !ok {
		http.Error(w, "bad request of the client", http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {q.Get("state")}}
	outcome := Outcome(r.PostFormValue("outcome"))
	if outcome == Refuse {
		back.Set("error", "access_denied")
		back.Set("error_description", "<b>javascript:alert(1)</b>")
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusSeeOther)
		return
	}
	g := &grant{scope: q.Get("scope"), redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), account: account}
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.scope == "service" {
		for i := range s.cfg.Accounts {
			if s.cfg.Accounts[i].Identifier == r.PostFormValue("account") {
				g.account = &s.cfg.Accounts[i]
			}
		}
		if g.account == nil {
			http.Error(w, "no such account", http.StatusBadRequest)
			return
		}
	} else {
		_, key := s.find("", q.Get("credentialID"))
		g.request = s.add(&request{account: account, key: key, hash: hash, description: q.Get("description"), outcome: outcome})
	}
	code := token()
	s.codes[code] = g
	back.Set("code", code)
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusSeeOther)
}
