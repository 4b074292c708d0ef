package bankidtest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"brama/connectors/internal/upstreamtest"
)

func write(w http.ResponseWriter, v map[string]any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, word string) {
	write(w, map[string]any{"error": word, "error_description": "Клієнт 12345"})
}

// token spends a code.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil || r.PostForm.Get("grant_type") != "authorization_code" {
		fail(w, "invalid_request")
		return
	}
	f := r.PostForm
	if !same(f.Get("client_id"), s.cfg.ClientID) || !same(f.Get("client_secret"), s.cfg.ClientSecret) {
		fail(w, "unauthorized_client")
		return
	}
	c, ok := s.codes.Take(f.Get("code"))
	switch {
	case !ok, c.redirectURIWasAskedFor && f.Get("redirect_uri") != c.redirectURI:
		fail(w, "invalid_grant")
	case c.stage == "token" && upstreamtest.Fault(w, r, c.outcome):
	case c.outcome == BadClient:
		fail(w, "invalid_client")
	default:
		life := s.cfg.TokenLife
		if c.outcome == LateToken {
			life = -time.Second
		}
		write(w, map[string]any{"token_type": "bearer", "access_token": s.tokens.Issue(c, life), "expires_in": 180, "refresh_token": s.tokens.Issue(c, 0)})
	}
}

// resource spends a token for the bank's answer.
func (s *Server) resource(w http.ResponseWriter, r *http.Request) {
	access, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	var c *session
	if ok {
		c, ok = s.tokens.Take(access)
	}
	if !ok {
		fail(w, "invalid_token")
		return
	}
	var q map[string]any
	if json.NewDecoder(r.Body).Decode(&q) != nil {
		fail(w, "invalid_request")
		return
	}
	s.mu.Lock()
	s.lastRequest = q
	s.mu.Unlock()
	if c.stage != "token" && upstreamtest.Fault(w, r, c.outcome) {
		return
	}
	if word, ok := strings.CutPrefix(c.outcome, Error); ok {
		fail(w, word)
		return
	}
	wanted, ok := wanted(q, c.dataSet)
	if !ok {
		fail(w, "invalid_request")
		return
	}
	text, _ := q["cert"].(string)
	recipient, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		fail(w, "invalid_cert")
		return
	}
	s.answer(w, c, recipient, s.client(c, wanted))
}

// wanted returns the fields that are asked for: a list in v1, those of the data set in v2, which must not have a list.
func wanted(q map[string]any, dataSet string) ([]string, bool) {
	list, has := q["fields"].([]any)
	if dataSet != "" {
		return []string{"firstName", "middleName", "lastName", "inn", "birthDay", "clId", "sex", "phone"}, !has && q["type"] == nil
	}
	var names []string
	for _, f := range list {
		if name, ok := f.(string); ok {
			names = append(names, name)
		}
	}
	return names, has && q["type"] == "physical" && len(names) > 0
}

// client is what the bank knows of the person.
func (s *Server) client(c *session, wanted []string) []byte {
	p := c.person
	all := map[string]any{
		"firstName": p.Given, "middleName": p.Middle, "lastName": p.Family, "inn": p.Number, "birthDay": p.Birth.Format("02.01.2006"),
		"sex": p.Sex, "clId": "c1-" + p.ID, "clIdText": "Клієнт банку", "phone": "380000000000", "email": "n/a",
	}
	if c.outcome == OddDate {
		all["birthDay"] = "19 лютого 1982"
	}
	limited := map[string]any{"type": "physical"}
	if c.outcome == Legal {
		limited["type"] = "legal"
	}
	for name, v := range all {
		if slices.Contains(wanted, name) {
			limited[name] = v
		}
	}
	b, _ := json.Marshal(limited)
	return b
}

func (s *Server) form(name string) Form {
	if name == "" {
		return s.cfg.Form
	}
	return Form{Signed: true, CTR: strings.Contains(name, "ctr"), ByKeyID: strings.Contains(name, "ski"), Static: strings.Contains(name, "static")}
}

// other is another bank than b.
func (s *Server) other(b *Bank) *Bank {
	for _, o := range s.banks {
		if o != b {
			return o
		}
	}
	return b
}

func (s *Server) answer(w http.ResponseWriter, c *session, recipient, content []byte) {
	form, by, member := s.form(c.form), c.bank, c.bank.MemberID
	switch c.outcome {
	case OtherMember:
		by = s.other(c.bank)
		member = by.MemberID
	case OtherSigner:
		by = s.other(c.bank)
	case NewMember:
		member = "999999"
	case Unsigned:
		form.Signed = false
	case BadSignature:
		form.Spoilt = true
	case Official:
		form.Official = true
	case Stranger:
		form.Stranger = true
	case WrongKey:
		recipient = c.bank.system.Senders()[0].Raw
	case Tampered:
		form.Tampered = true
	case NotAttribute:
		content = []byte(`lastName":"Тестенко`)
	}
	message, sender, err := by.system.Seal(content, recipient, form)
	if err != nil {
		fail(w, "invalid_cert")
		return
	}
	if sender == nil {
		sender, _ = by.system.Signer()
	}
	answer := map[string]any{
		"state": "ok", "cert": base64.StdEncoding.EncodeToString(sender), "customerCrypto": base64.StdEncoding.EncodeToString(message),
		"memberId": member, "sidBi": "sid-" + c.bank.ID + "-0001",
	}
	switch c.outcome {
	case NotOK:
		answer["state"] = "error"
	case Clear:
		answer["customerCrypto"] = string(content)
	}
	write(w, answer)
}
