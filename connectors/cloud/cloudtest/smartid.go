package cloudtest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// An Envelope stands in for the session encryption of the SmartID family, which is not known: it has the outer names and no
// encryption at all. It fits cloud.Envelope.
type Envelope struct{}

// Seal puts the request into encryptedData as it is.
func (Envelope) Seal(_, _, request []byte) (body []byte, open func([]byte) ([]byte, error), err error) {
	body, err = json.Marshal(map[string]string{"authData": "", "encryptedData": encode(request)})
	return body, unseal, err
}

func unseal(answer []byte) ([]byte, error) {
	var outer struct {
		Data string `json:"encryptedData"`
	}
	if err := json.Unmarshal(answer, &outer); err != nil || outer.Data == "" {
		return nil, errors.New("cloudtest: no encryptedData")
	}
	return base64.StdEncoding.DecodeString(outer.Data)
}

// An operation of the SmartID family; the request is there once it is to be signed.
type operation struct {
	client  string
	request *request
}

// call is one request of the family, opened.
type call struct {
	Client      string   `json:"clientId"`
	Operation   string   `json:"operationId"`
	Originator  string   `json:"originatorDescription"`
	Description string   `json:"operationDescription"`
	Hashes      []string `json:"hashes"`
	Hash        string   `json:"hash"`
	Callback    string   `json:"callbackUrl"`
}

// smartID adds the paths of the family.
func (s *Server) smartID(mux *http.ServeMux) {
	for _, base := range []string{"/smartid", "/vchasno"} {
		mux.HandleFunc("GET "+base+"/get-certificates", s.method("get-certificates", s.certificates))
		for name, f := range map[string]func(*call) (any, error){
			"acquire-operation-id": s.acquire, "acquire-sign": s.acquireSign, "sign": s.sign, "sign-status": s.status,
			"release-operation-id": s.release,
		} {
			mux.HandleFunc("POST "+base+"/"+name, s.method(name, func(w http.ResponseWriter, r *http.Request) {
				var raw json.RawMessage
				var in call
				err := json.NewDecoder(r.Body).Decode(&raw)
				if err == nil {
					raw, err = unseal(raw)
				}
				if err == nil {
					err = json.Unmarshal(raw, &in)
				}
				var out any
				if err == nil {
					s.mu.Lock()
					out, err = f(&in)
					if a, ok := out.(map[string]any); ok && name == "sign-status" && base == "/vchasno" && a["signatures"] != nil {
						a["signature"] = a["signatures"].([]map[string]string)[0]["signature"]
						delete(a, "signatures")
					}
					s.mu.Unlock()
				}
				if err != nil { // errors come in clear
					answer(w, http.StatusOK, map[string]any{"errorCode": 4, "errorMessage": err.Error()})
					return
				}
				b, err := json.Marshal(out)
				if err != nil {
					http.Error(w, err.Error(), http.StatusInternalServerError)
					return
				}
				answer(w, http.StatusOK, map[string]string{"encryptedData": encode(b)})
			}))
		}
	}
	mux.HandleFunc("GET /smartid/kep", s.phone)
}

// certificates gives two certificates, of which the Envelope of this package uses none.
func (s *Server) certificates(w http.ResponseWriter, _ *http.Request) {
	c := encode(s.cfg.Accounts[0].Keys[0].Certificate.Raw)
	b, _ := json.Marshal(map[string]any{"certificates": []string{c, c}})
	_, _ = w.Write([]byte(encode(b)))
}

var errCall = errors.New("cloudtest: the request is not one of the protocol")

func (s *Server) acquire(in *call) (any, error) {
	if !strings.HasPrefix(in.Client, Prefix) {
		return nil, errCall
	}
	id := encode([]byte(token() + token()[:18])) // 88 characters
	s.operator[id] = &operation{client: in.Client}
	return map[string]any{"operationId": id}, nil
}

// open registers what the telephone is to show: at SmartID anyone who reads the code can approve, and the double has the
// first account do it.
func (s *Server) open(a *Account, hash string, in *call) (*request, error) {
	b, err := base64.StdEncoding.DecodeString(hash)
	if err != nil || len(b) != 32 || a.Keys[0].Key.DSTU == nil {
		return nil, errCall
	}
	return s.add(&request{account: a, key: a.Keys[0], hash: b, description: in.Originator + ": " + in.Description, notify: in.Callback}), nil
}

func (s *Server) sign(in *call) (any, error) {
	op := s.operator[in.Operation]
	if op == nil || op.client != in.Client || op.request != nil || len(in.Hashes) != 1 {
		return nil, errCall
	}
	r, err := s.open(&s.cfg.Accounts[0], in.Hashes[0], in)
	if err != nil {
		return nil, err
	}
	op.request = r
	return map[string]any{"status": 1}, nil
}

func (s *Server) acquireSign(in *call) (any, error) {
	i := slices.IndexFunc(s.cfg.Accounts, func(a Account) bool { return a.Identifier == in.Client })
	if i < 0 {
		return nil, errCall
	}
	r, err := s.open(&s.cfg.Accounts[i], in.Hash, in)
	if err != nil {
		return nil, err
	}
	id := encode([]byte(token()))
	s.operator[id] = &operation{client: in.Client, request: r}
	return map[string]any{"operationId": id, "status": 1}, nil
}

func (s *Server) status(in *call) (any, error) {
	op := s.operator[in.Operation]
	if op == nil || op.client != in.Client || op.request == nil {
		return nil, errCall
	}
	switch r := op.request; r.outcome {
	case "":
		return map[string]any{"status": 1}, nil
	case Refuse:
		return map[string]any{"status": 3}, nil
	case Expire:
		return map[string]any{"status": 4}, nil
	default:
		b, err := s.signedData(r)
		if err != nil {
			return nil, err
		}
		list := []map[string]string{{"hash": encode(r.hash), "signature": encode(b)}}
		if r.outcome == Twice {
			list = append(list, list[0])
		}
		return map[string]any{"status": 2, "signatures": list}, nil
	}
}

func (s *Server) release(in *call) (any, error) {
	delete(s.operator, in.Operation)
	return map[string]any{}, nil
}
