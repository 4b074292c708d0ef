package cloudtest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"brama/internal/qes/qestest"
)

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, code, description string) {
	answer(w, status, map[string]string{"error": code, "error_description": description})
}

// methods are those of the API that take JSON.
func (s *Server) methods() map[string]func(http.ResponseWriter, *http.Request, bool) {
	return map[string]func(http.ResponseWriter, *http.Request, bool){
		"info": s.info, "credentials/list": s.list, "credentials/info": s.credential, "credentials/sendOTP": s.sendOTP,
		"credentials/getChallenge": s.sendOTP, "credentials/authorize": s.authorize, "credentials/authorizeCheck": s.check,
		"signatures/signHash": s.signHash, "signatures/signPolling": s.polling,
	}
}

func (s *Server) info(w http.ResponseWriter, _ *http.Request, v2 bool) {
	version := map[bool]string{false: "v1", true: "v2"}[v2]
	a := map[string]any{
		"specs": map[bool]string{false: "1.0.4.0", true: "2.0.0.2"}[v2], "name": "Хмара (ТЕСТ)", "logo": "javascript:alert(1)",
		"region": "UA", "lang": "uk", "description": "<script>alert(1)</script>", "authType": []string{"oauth2code", "oauth2client"},
		"oauth2":  s.cfg.BaseURL + "/csc/" + version,
		"methods": []string{"credentials/list", "credentials/info", "credentials/authorize", "signatures/signHash"},
	}
	if v2 {
		a["asynchronousOperationMode"] = s.cfg.Async
		a["methods"] = append(a["methods"].([]string), "credentials/authorizeCheck", "credentials/getChallenge", "signatures/signPolling")
	}
	answer(w, http.StatusOK, a)
}

// input reads the body and the service token.
func (s *Server) input(w http.ResponseWriter, r *http.Request, in any) (identifier string, ok bool) {
	s.mu.Lock()
	identifier, ok = s.services[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	s.mu.Unlock()
	if !ok {
		fail(w, http.StatusUnauthorized, "invalid_token", "The access token is not valid")
		return "", false
	}
	if err := json.NewDecoder(r.Body).Decode(in); err != nil {
		fail(w, http.StatusBadRequest, "invalid_request", "The request is malformed")
		return "", false
	}
	return identifier, true
}

// reach says whether the token of identifier ("" is the client's own, for everybody) may use the account.
func reach(identifier string, a *Account) bool { return identifier == "" || identifier == a.Identifier }

func (s *Server) list(w http.ResponseWriter, r *http.Request, _ bool) {
	var in struct {
		UserID string `json:"userID"`
	}
	identifier, ok := s.input(w, r, &in)
	if !ok {
		return
	}
	if identifier != "" {
		in.UserID = identifier
	}
	for i := range s.cfg.Accounts {
		if a := &s.cfg.Accounts[i]; a.Identifier == in.UserID {
			var ids []string
			for j := range a.Keys {
				ids = append(ids, credentialID(i, j))
			}
			answer(w, http.StatusOK, map[string]any{"credentialIDs": ids})
			return
		}
	}
	fail(w, http.StatusBadRequest, "invalid_request", "Invalid parameter userID")
}

func credentialID(account, key int) string {
	return "CRED-" + string(rune('A'+account)) + string(rune('0'+key))
}

// find returns the account and key of a credential.
func (s *Server) find(identifier, id string) (*Account, *qestest.Issued) {
	for i := range s.cfg.Accounts {
		for j, k := range s.cfg.Accounts[i].Keys {
			if credentialID(i, j) == id && reach(identifier, &s.cfg.Accounts[i]) {
				return &s.cfg.Accounts[i], k
			}
		}
	}
	return nil, nil
}

// hashOIDs by signature algorithm.
var hashOIDs = map[string]string{
	"1.2.804.2.1.1.1.1.3.1.1": "1.2.804.2.1.1.1.1.2.1",
	"1.2.840.10045.4.3.2":     "2.16.840.1.101.3.4.2.1",
	"1.2.840.113549.1.1.11":   "2.16.840.1.101.3.4.2.1",
}

func (s *Server) credential(w http.ResponseWriter, r *http.Request, v2 bool) {
	var in struct {
		ID string `json:"credentialID"`
	}
	identifier, ok := s.input(w, r, &in)
	if !ok {
		return
	}
	a, k := s.find(identifier, in.ID)
	if a == nil {
		fail(w, http.StatusBadRequest, "invalid_request", "Invalid parameter credentialID")
		return
	}
	out := map[string]any{
		"description": "Ключ", "SCAL": a.SCAL, "multisign": 1,
		"key":  map[string]any{"status": "enabled", "algo": []string{k.Key.SignatureAlgorithm().OID.String()}, "len": 257},
		"cert": map[string]any{"status": "valid", "certificates": []string{encode(k.Certificate.Raw)}, "validTo": k.Certificate.NotAfter.UTC().Format("20060102150405Z")},
	}
	if !v2 {
		out["authMode"] = a.Mode
		out["PIN"] = map[string]any{"presence": map[bool]string{false: "false", true: "true"}[a.PIN], "format": "N"}
		out["OTP"] = map[string]any{"presence": map[bool]string{false: "false", true: "true"}[a.OTP], "type": "online"}
		answer(w, http.StatusOK, out)
		return
	}
	objects := []map[string]string{}
	if a.PIN {
		objects = append(objects, map[string]string{"type": "Password", "id": "PIN", "format": "N"})
	}
	if a.OTP {
		objects = append(objects, map[string]string{"type": "PasswordOOB", "id": "OTP", "format": "N"})
	}
	if a.Push {
		objects = append(objects, map[string]string{"type": "ChallengeResponseOOB", "id": "PUSH"})
	}
	out["auth"] = map[string]any{"mode": a.Mode, "expression": "OTP", "objects": objects}
	answer(w, http.StatusOK, out)
}

// sendOTP shows a one-time code on the telephone.
func (s *Server) sendOTP(w http.ResponseWriter, r *http.Request, _ bool) {
	var in struct {
		ID string `json:"credentialID"`
	}
	identifier, ok := s.input(w, r, &in)
	if !ok {
		return
	}
	a, k := s.find(identifier, in.ID)
	if a == nil || !a.OTP {
		fail(w, http.StatusBadRequest, "invalid_request", "Invalid parameter credentialID")
		return
	}
	s.mu.Lock()
	s.add(&request{account: a, key: k, otp: digits(), description: "Одноразовий код"})
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// spendOTP takes the code that the telephone shows for the key; the caller holds the lock.
func (s *Server) spendOTP(k *qestest.Issued, code string) bool {
	for _, id := range s.order {
		if r := s.requests[id]; r.key == k && r.otp != "" && r.outcome == "" && subtle.ConstantTimeCompare([]byte(r.otp), []byte(code)) == 1 {
			r.outcome = Approve
			return true
		}
	}
	return false
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request, v2 bool) {
	var in struct {
		ID          string   `json:"credentialID"`
		Number      int      `json:"numSignatures"`
		Hash        []string `json:"hash"`
		Hashes      []string `json:"hashes"`
		HashOID     string   `json:"hashAlgorithmOID"`
		OTP         string   `json:"OTP"`
		Description string   `json:"description"`
		AuthData    []struct{ ID, Value string }
	}
	identifier, ok := s.input(w, r, &in)
	if !ok {
		return
	}
	a, k := s.find(identifier, in.ID)
	hashes := in.Hash
	if v2 {
		hashes = in.Hashes
		for _, d := range in.AuthData {
			if d.ID == "OTP" {
				in.OTP = d.Value
			}
		}
	}
	hash, bad := oneHash(hashes)
	switch {
	case a == nil || a.Mode == "oauth2code": // "must not be used" there
		fail(w, http.StatusBadRequest, "invalid_request", "Invalid parameter credentialID")
		return
	case bad || in.Number != 1 || v2 && in.HashOID != hashOIDs[k.Key.SignatureAlgorithm().OID.String()]:
		fail(w, http.StatusBadRequest, "invalid_request", "Invalid digest value length")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.OTP && !s.spendOTP(k, in.OTP) {
		fail(w, http.StatusBadRequest, "invalid_otp", "The OTP is invalid")
		return
	}
	req := s.add(&request{account: a, key: k, hash: hash, description: in.Description})
	if v2 && a.Push {
		answer(w, http.StatusAccepted, map[string]string{"handle": req.id})
		return
	}
	if a.OTP || !s.cfg.Async {
		// There is no telephone to ask: the call itself was the approval.
		req.outcome = Approve
	}
	answer(w, http.StatusOK, map[string]any{"SAD": s.sad(req), "expiresIn": 300})
}

// sad makes the approval that is bound to one request; the caller holds the lock.
func (s *Server) sad(r *request) string {
	t := token()
	s.sads[t] = r
	return t
}

func oneHash(list []string) ([]byte, bool) {
	if len(list) != 1 {
		return nil, true
	}
	b, err := base64.StdEncoding.DecodeString(list[0])
	return b, err != nil || len(b) != 32
}

// check is credentials/authorizeCheck.
func (s *Server) check(w http.ResponseWriter, r *http.Request, _ bool) {
	var in struct {
		Handle string `json:"handle"`
	}
	if _, ok := s.input(w, r, &in); !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	req := s.requests[in.Handle]
	switch {
	case req == nil || req.outcome == Expire:
		fail(w, http.StatusBadRequest, "invalid_request", "Invalid parameter handle")
	case req.outcome == "":
		answer(w, http.StatusAccepted, map[string]string{"handle": in.Handle})
	case req.outcome == Refuse:
		fail(w, http.StatusBadRequest, "access_denied", "The user has denied the request")
	default:
		answer(w, http.StatusOK, map[string]any{"SAD": s.sad(req), "expiresIn": 300})
	}
}

func (s *Server) signHash(w http.ResponseWriter, r *http.Request, v2 bool) {
	var in struct {
		ID       string   `json:"credentialID"`
		SAD      string   `json:"SAD"`
		Hash     []string `json:"hash"`
		Hashes   []string `json:"hashes"`
		SignAlgo string   `json:"signAlgo"`
		Mode     string   `json:"operationMode"`
		Notify   string   `json:"response_uri"`
	}
	if _, ok := s.input(w, r, &in); !ok {
		return
	}
	hashes := in.Hash
	if v2 {
		hashes = in.Hashes
	}
	hash, bad := oneHash(hashes)
	s.mu.Lock()
	defer s.mu.Unlock()
	req := s.sads[in.SAD]
	switch {
	case req == nil:
		fail(w, http.StatusBadRequest, "invalid_request", "Invalid parameter SAD")
		return
	case bad || !bytes.Equal(hash, req.hash):
		fail(w, http.StatusBadRequest, "invalid_request", "Hash is not authorized by the SAD")
		return
	case in.SignAlgo != req.key.Key.SignatureAlgorithm().OID.String():
		fail(w, http.StatusBadRequest, "invalid_request", "Invalid parameter signAlgo")
		return
	}
	delete(s.sads, in.SAD)
	if v2 && in.Mode == "A" {
		req.notify = in.Notify
		answer(w, http.StatusOK, map[string]string{"responseID": req.id})
		return
	}
	s.signatures(w, req)
}

// polling is signatures/signPolling.
func (s *Server) polling(w http.ResponseWriter, r *http.Request, _ bool) {
	var in struct {
		ID string `json:"responseID"`
	}
	if _, ok := s.input(w, r, &in); !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	req := s.requests[in.ID]
	switch {
	case req == nil:
		fail(w, http.StatusBadRequest, "invalid_request", "Invalid parameter responseID")
	case req.outcome == "":
		answer(w, http.StatusAccepted, map[string]string{"responseID": in.ID})
	default:
		s.signatures(w, req)
	}
}

// signatures answers with the value; the caller holds the lock.
func (s *Server) signatures(w http.ResponseWriter, req *request) {
	switch req.outcome {
	case Refuse:
		fail(w, http.StatusBadRequest, "access_denied", "The user has denied the request")
		return
	case Expire:
		fail(w, http.StatusBadRequest, "expired_token", "SAD expired")
		return
	}
	value, err := s.value(req)
	if err != nil {
		fail(w, http.StatusInternalServerError, "server_error", err.Error())
		return
	}
	list := []string{encode(value)}
	if req.outcome == Twice {
		list = append(list, list[0])
	}
	answer(w, http.StatusOK, map[string]any{"signatures": list})
}

// token is oauth2/token.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("client_id") != ClientID || r.PostForm.Get("client_secret") != ClientSecret {
		fail(w, http.StatusUnauthorized, "invalid_client", "")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
		t := token()
		s.services[t] = ""
		answer(w, http.StatusOK, map[string]any{"access_token": t, "token_type": "Bearer", "expires_in": 3600})
	case "authorization_code":
		g := s.codes[r.PostForm.Get("code")]
		delete(s.codes, r.PostForm.Get("code")) // one use, good or bad
		sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		v2 := strings.HasPrefix(r.URL.Path, "/csc/v2/")
		if g == nil || g.redirect != r.PostForm.Get("redirect_uri") || v2 && g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
			fail(w, http.StatusBadRequest, "invalid_grant", "")
			return
		}
		t, kind := token(), "Bearer"
		if g.scope == "service" {
			s.services[t] = g.account.Identifier
		} else {
			t, kind = s.sad(g.request), "SAD"
		}
		answer(w, http.StatusOK, map[string]any{"access_token": t, "token_type": kind, "expires_in": 300})
	default:
		fail(w, http.StatusBadRequest, "unsupported_grant_type", "")
	}
}

// plainECDSA gives r || s.
func plainECDSA(signer crypto.Signer, hash []byte) ([]byte, error) {
	key, ok := signer.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("cloudtest: not an ECDSA key")
	}
	r, v, err := ecdsa.Sign(rand.Reader, key, hash)
	if err != nil {
		return nil, err
	}
	size := (key.Params().BitSize + 7) / 8
	out := make([]byte, 2*size)
	r.FillBytes(out[:size])
	v.FillBytes(out[size:])
	return out, nil
}
