package idgovtest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"brama/connectors/internal/upstreamtest"
)

// userID is the number that the system gives to the session's user.
const userID = "12345"

// tokenLife is how long a token is good.
const tokenLife = time.Hour

func write(w http.ResponseWriter, status int, v map[string]any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// accessToken spends a code.
func (s *Server) accessToken(w http.ResponseWriter, r *http.Request) {
	f := r.Form
	if !same(f.Get("client_id"), s.cfg.ClientID) || !same(f.Get("client_secret"), s.cfg.ClientSecret) {
		write(w, http.StatusBadRequest, map[string]any{"error": "invalid_client", "error_description": "client"})
		return
	}
	if f.Get("grant_type") != "authorization_code" {
		write(w, http.StatusOK, map[string]any{"error": "unsupported_grant_type"})
		return
	}
	c, ok := s.codes.Take(f.Get("code"))
	if !ok {
		write(w, http.StatusOK, map[string]any{"error": "invalid_grant", "error_description": "Код недійсний"})
		return
	}
	if c.stage == "token" && upstreamtest.Fault(w, r, c.outcome) {
		return
	}
	if c.outcome == BadClient {
		write(w, http.StatusBadRequest, map[string]any{"error": "invalid_client", "error_description": "client"})
		return
	}
	answer := map[string]any{
		"access_token": s.tokens.Issue(c, tokenLife), "token_type": "bearer", "expires_in": "3600",
		"refresh_token": s.tokens.Issue(c, 0), "user_id": userID,
	}
	if c.outcome == NumberTypes {
		answer["expires_in"], answer["user_id"] = 3600, 12345
	}
	write(w, http.StatusOK, answer)
}

// userInfo spends a token.
func (s *Server) userInfo(w http.ResponseWriter, r *http.Request) {
	f := r.Form
	s.mu.Lock()
	s.cert = f.Get("cert")
	s.mu.Unlock()
	if f.Get("user_id") != userID {
		write(w, http.StatusUnauthorized, map[string]any{"error": 1, "message": "user"})
		return
	}
	c, ok := s.tokens.Get(f.Get("access_token"))
	switch {
	case !ok, !s.read(c):
		write(w, http.StatusUnauthorized, map[string]any{"error": "1", "message": "Токен недійсний"})
		return
	case (c.stage == "" || c.stage == "user-info") && upstreamtest.Fault(w, r, c.outcome):
		return
	case c.outcome == Error200:
		write(w, http.StatusOK, map[string]any{"error": "invalid_data", "error_description": "користувач із ID = " + userID})
		return
	case c.outcome == Error401:
		write(w, http.StatusUnauthorized, map[string]any{"error": 1, "message": "Помилка"})
		return
	case !s.below():
		write(w, http.StatusOK, map[string]any{"error": "2", "message": "Перевищено кількість ідентифікацій"})
		return
	}
	content, _ := json.Marshal(s.attributes(c, f.Get("fields")))
	if c.outcome == Clear || f.Get("cert") == "" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(content)
		return
	}
	message, err := s.envelope(c, content, f.Get("cert"))
	if err != nil {
		write(w, http.StatusOK, map[string]any{"error": "invalid_cert", "message": "Сертифікат"})
		return
	}
	encoded := base64.StdEncoding.EncodeToString(message)
	if c.outcome == Development {
		encoded = string(content)
	}
	write(w, http.StatusOK, map[string]any{"encryptedUserInfo": encoded, "error": 0, "message": ""})
}

// read spends a token for the attributes; it stays good for the logout.
func (s *Server) read(c *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !c.read || s.cfg.Reusable
	c.read = true
	return first
}

// below counts a success against the cap.
func (s *Server) below() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins++
	return s.cfg.Cap == 0 || s.logins <= s.cfg.Cap
}

func (s *Server) envelope(c *session, content []byte, cert string) ([]byte, error) {
	recipient, err := certificate(cert)
	if err != nil {
		return nil, err
	}
	form := s.form(c.form)
	switch c.outcome {
	case WrongKey:
		for _, other := range s.Senders() {
			recipient = other.Raw
		}
	case Tampered:
		form.Tampered = true
	case NotAttribute:
		return s.system.SealRaw([]byte("lastname=Тестенко"), recipient)
	case BadSignature:
		form.Signed, form.Spoilt = true, true
	case Official:
		form.Signed, form.Official = true, true
	case Stranger:
		form.Signed, form.Stranger = true, true
	}
	message, _, err := s.system.Seal(content, recipient, form)
	return message, err
}

// attributes are what the system tells of the person, limited to fields unless they are empty.
func (s *Server) attributes(c *session, fields string) map[string]any {
	p := c.person
	all := map[string]any{
		"auth_type": c.means, "lastname": p.Family, "givenname": p.Given, "middlename": p.Middle,
		"drfocode": p.Number, "edrpoucode": p.EDRPOU, "unzr": p.UNZR, "email": "n/a", "phone": `n\a`,
	}
	if c.outcome == OtherMeans {
		all["auth_type"] = "mobile_id"
		if c.means == "mobile_id" {
			all["auth_type"] = "diia_oauth"
		}
	}
	switch c.means {
	case "bank_id":
		all["unzr"], all["edrpoucode"] = "", "n/a"
	case "dig_sign", "diia_id", "mobile_id":
		all["issuer"], all["issuercn"], all["serial"] = "O=КНЕДП (ТЕСТ);C=UA", "КНЕДП «Калина» (ТЕСТ)", "3ABF00000000000004000000"+strconv.Itoa(len(p.ID))
		all["subjectcn"] = strings.TrimSpace(p.Family + " " + p.Given + " " + p.Middle)
		all["o"], all["ou"], all["title"] = p.Organization, "", p.Title
		all["isqscd"] = "0"
		if c.outcome == Device {
			all["isqscd"] = "1"
		}
		if c.outcome == NumberTypes {
			all["isqscd"] = 1
		}
	}
	if fields == "" {
		return all
	}
	limited := map[string]any{"auth_type": all["auth_type"]}
	for name := range strings.SplitSeq(fields, ",") {
		if v, ok := all[name]; ok {
			limited[name] = v
		}
	}
	return limited
}

// logout forgets the person.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	c, ok := s.tokens.Take(r.Form.Get("access_token"))
	if ok && c.stage == "logout" && upstreamtest.Fault(w, r, c.outcome) {
		return
	}
	if !ok || c.outcome == LogoutFails || r.Form.Get("user_id") != userID {
		write(w, http.StatusOK, map[string]any{"error": "1", "error_description": "Невірний токен"})
		return
	}
	write(w, http.StatusOK, map[string]any{"error": "0", "error_description": "Дані користувача із ID = " + userID + " видалено успішно"})
}
