package door

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"

	"brama/cmd/brama-agent/internal/login"
	"brama/internal/challenge"
)

// Method is the only one whose challenges are signed here.
const Method = "token"

// version tells that the agent is here, and nothing of who uses it (threat T62).
func (d *Door) version(w http.ResponseWriter, _ *http.Request, _ []byte) {
	answer(w, http.StatusOK, struct {
		Version  string `json:"version"`
		Protocol int    `json:"protocol"`
	}{d.c.Version, Protocol})
}

// An outcome is how a login ended.
type outcome struct {
	signature []byte
	err       error
}

// login takes {"challenge": base64, "language": "uk"|"en"} and answers when the person has: {"signature": base64} of
// SignedData, or {"search": {"id", "key_ids": [hex]}} where the page must find certificates first, or a problem. The window
// closes when the page goes away.
func (d *Door) login(w http.ResponseWriter, r *http.Request, body []byte) {
	var q struct {
		Challenge []byte `json:"challenge"`
		Language  string `json:"language"`
	}
	if !decode(body, &q) || q.Language != "" && q.Language != "uk" && q.Language != "en" {
		answer(w, http.StatusBadRequest, problem{Code: codeBadRequest})
		return
	}
	origin := r.Header.Get("Origin")
	c, err := challenge.Parse(q.Challenge)
	// The text names its issuer: a site that relays the challenge of another one is refused (T4). Whether it has expired is
	// the server's to say: this computer's clock may be wrong.
	if err != nil || c.Origin() != origin || c.Method != Method {
		d.c.Log.WarnContext(r.Context(), "challenge refused", "origin", origin, "err", err)
		answer(w, http.StatusBadRequest, problem{Code: codeChallenge})
		return
	}
	if code := d.window(); code != "" {
		status := http.StatusConflict
		if code == codeLimited {
			status = http.StatusTooManyRequests
			w.Header().Set("Retry-After", "60")
		}
		d.c.Log.WarnContext(r.Context(), "no window", "origin", origin, "code", code)
		answer(w, status, problem{Code: code})
		return
	}
	d.begin(w, r, login.Request{Challenge: c, Text: q.Challenge, Language: d.language(q.Language)}, origin)
}

func (d *Door) language(asked string) string {
	if d.c.Language != "" {
		return d.c.Language
	}
	return asked
}

// begin runs the login beside the request, since it may outlive it: a search is carried on by another request.
func (d *Door) begin(w http.ResponseWriter, r *http.Request, q login.Request, origin string) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(r.Context()), loginLimit)
	ended := make(chan outcome, 1)
	s := &search{id: newSearchID(), origin: origin, certificates: make(chan [][]byte, 1), outcome: ended, stop: stop}
	wanted := make(chan [][]byte, 1)
	q.Find = func(ctx context.Context, keyIDs [][]byte) ([][]byte, error) {
		wanted <- keyIDs
		ctx, cancel := context.WithTimeout(ctx, searchLimit)
		defer cancel()
		select {
		case certificates := <-s.certificates:
			return certificates, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	go func() {
		defer d.windowClosed()
		defer stop()
		signature, err := d.c.Login(ctx, q)
		d.forget(s.id)
		ended <- outcome{signature, err}
	}()
	select {
	case o := <-ended:
		d.finish(w, r, o)
	case ids := <-wanted:
		d.remember(s)
		list := make([]string, len(ids))
		for i, id := range ids {
			list[i] = hex.EncodeToString(id)
		}
		answer(w, http.StatusOK, struct {
			Search any `json:"search"`
		}{struct {
			ID     string   `json:"id"`
			KeyIDs []string `json:"key_ids"`
		}{s.id, list}})
	case <-r.Context().Done():
		stop()
		<-ended
	}
}

// certificate takes {"search": id, "certificates": [base64 DER]} and answers as login does.
func (d *Door) certificate(w http.ResponseWriter, r *http.Request, body []byte) {
	var q struct {
		Search       string   `json:"search"`
		Certificates [][]byte `json:"certificates"`
	}
	const most = 32
	if !decode(body, &q) || len(q.Certificates) > most {
		answer(w, http.StatusBadRequest, problem{Code: codeBadRequest})
		return
	}
	s := d.take(q.Search, r.Header.Get("Origin"))
	if s == nil {
		answer(w, http.StatusNotFound, problem{Code: codeUnknown})
		return
	}
	s.certificates <- q.Certificates
	select {
	case o := <-s.outcome:
		d.finish(w, r, o)
	case <-r.Context().Done():
		s.stop()
		<-s.outcome
	}
}

func (d *Door) finish(w http.ResponseWriter, r *http.Request, o outcome) {
	origin := r.Header.Get("Origin")
	if o.err == nil {
		d.c.Log.InfoContext(r.Context(), "signed", "origin", origin)
		answer(w, http.StatusOK, struct {
			Signature []byte `json:"signature"`
		}{o.signature})
		return
	}
	p := problem{Code: string(login.Internal)}
	var refusal *login.Refusal
	if errors.As(o.err, &refusal) {
		p = problem{Code: string(refusal.Code), Values: refusal.Values}
	}
	d.c.Log.WarnContext(r.Context(), "not signed", "origin", origin, "code", p.Code, "err", o.err)
	answer(w, http.StatusUnprocessableEntity, p)
}

func (d *Door) remember(s *search) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.find[s.id] = s
}

func (d *Door) forget(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.find, id)
}

// take returns the search once, to the site that it belongs to.
func (d *Door) take(id, origin string) *search {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.find[id]
	if s == nil || s.origin != origin {
		return nil
	}
	delete(d.find, id)
	return s
}
