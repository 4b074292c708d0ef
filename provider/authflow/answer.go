package authflow

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"brama/connectors"
	"brama/provider/oauth"
	"brama/provider/session"
	"brama/provider/web"
)

// lang is the language of an answer; l may be nil.
func (f *Flow) lang(r *http.Request, l *login) web.Lang {
	cookie, _ := f.Cookies.Get(r, web.LanguageCookie)
	switched, locales := "", []string(nil)
	if l != nil {
		switched = l.Lang
		if l.request != nil {
			locales = l.request.UILocales
		}
	}
	return web.Negotiate(switched, locales, cookie, r.Header.Get("Accept-Language"))
}

// switchLanguage obeys ?lang= on a page: it keeps the choice and comes back to the same step. True means that the answer
// is given.
func (f *Flow) switchLanguage(w http.ResponseWriter, r *http.Request, l *login) bool {
	if r.URL.RawQuery == "" {
		return false
	}
	lang, ok := web.ParseLang(r.URL.Query().Get("lang"))
	if !ok {
		return false
	}
	f.Cookies.Set(w, web.LanguageCookie, string(lang), web.LanguageLife)
	if l != nil {
		l.ticket.Lang = string(lang)
		if err := f.setTicket(w, l.ticket); err != nil {
			f.fail(w, r, l, err)
			return true
		}
	}
	noStore(w)
	http.Redirect(w, r, r.URL.EscapedPath(), http.StatusSeeOther)
	return true
}

// portal is the client as a page shows it.
func portal(l *login, lang web.Lang) *web.Portal {
	name := l.client.Name[string(lang)]
	if name == "" {
		name = l.client.Name[string(web.Ukrainian)]
	}
	if name == "" {
		name = l.client.ID
	}
	return &web.Portal{Name: name, Host: portalHost(l.client), Institution: l.client.Institution, Start: l.client.InitiateLogin}
}

// shown is the client with its logo.
func (f *Flow) shown(l *login, lang web.Lang) *web.Portal {
	p := portal(l, lang)
	p.Logo = f.Site.Logo(l.client.ID)
	return p
}

// page returns what every page of a login has.
func (f *Flow) page(r *http.Request, l *login) web.Page {
	p := web.Page{Lang: f.lang(r, l), Event: f.Event(r.Context())}
	if l == nil || l.client == nil {
		return p
	}
	p.Portal = f.shown(l, p.Lang)
	if l.request != nil {
		p.RedirectURI = l.request.RedirectURI
		p.Create = slices.Contains(l.request.Prompt, "create")
		p.Link, p.Account = l.request.Purpose == oauth.PurposeLink, l.request.AccountHint
		if l.Phase != confirmed && l.Phase != ended {
			p.Leave = f.path(l.ID, "leave")
			if l.Longer < maxLonger {
				p.Longer = &web.Longer{Seconds: f.seconds(l), Action: f.path(l.ID, longerStep), MAC: f.Sealer.StepMAC(l.ID, 0, longerStep)}
			}
		}
	}
	return p
}

// render writes a page; a page that does not render is a fault of ours.
func (f *Flow) render(w http.ResponseWriter, r *http.Request, p web.Page) {
	if err := f.Site.Render(w, p); err != nil {
		f.Report(r.Context(), codeInternal, err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

// An answer is what our script gets.
type answer struct {
	URL      string       `json:"url,omitempty"` // go there
	Problem  *web.Message `json:"problem,omitempty"`
	Event    string       `json:"event,omitempty"`
	Revision uint64       `json:"revision,omitempty"`
	MAC      string       `json:"mac,omitempty"`
	// Challenge is the text to sign; Expires its end, RFC 3339.
	Challenge string `json:"challenge,omitempty"`
	Expires   string `json:"expires,omitempty"`
	Seconds   int    `json:"seconds,omitempty"` // until the login ends, or the request to the telephone
	Phase     string `json:"phase,omitempty"`   // of a wait
	// Certificates are DER in base64.
	Certificates [][]byte `json:"certificates,omitempty"`
}

func (f *Flow) answer(w http.ResponseWriter, r *http.Request, status int, a answer) {
	b, err := json.Marshal(a)
	if err != nil {
		f.Report(r.Context(), codeInternal, err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	noStore(w)
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// statuses of the codes that are not the common one: a form that was understood and refused.
var statuses = map[string]int{
	codeUnknown:               http.StatusBadRequest,
	codeExpired:               http.StatusGone,
	codeBadClient:             http.StatusBadRequest,
	codeLimited:               http.StatusTooManyRequests,
	codeBlocked:               http.StatusForbidden,
	codeInternal:              http.StatusInternalServerError,
	codeTooBig:                http.StatusRequestEntityTooLarge,
	"CMS_MALFORMED":           http.StatusBadRequest,
	"UPLOAD_MISSING":          http.StatusBadRequest,
	"UPLOAD_IS_KEY":           http.StatusBadRequest,
	"UPLOAD_NOT_SIGNED":       http.StatusBadRequest,
	"CERT_STATUS_UNREACHABLE": http.StatusServiceUnavailable,
	"TRUST_LIST_STALE":        http.StatusServiceUnavailable,
	"NOT_FOUND":               http.StatusNotFound,
	codeTooLate:               http.StatusConflict,
	codeReplayed:              http.StatusConflict,
	codeDown:                  http.StatusServiceUnavailable,
	codeElsewhere:             http.StatusOK,
	codeNotMe:                 http.StatusOK,
}

func statusOf(code string) int {
	if s, ok := statuses[code]; ok {
		return s
	}
	return http.StatusUnprocessableEntity
}

// asProblem gives every error a code; what has none is INTERNAL and says nothing of itself.
func asProblem(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var refusal *connectors.Refusal
	if errors.As(err, &refusal) {
		return &problem{code: refusal.Code, values: refusal.Values, err: err}
	}
	if errors.Is(err, session.ErrExpired) {
		return &problem{code: codeExpired, err: err}
	}
	return &problem{code: codeInternal, err: err}
}

// fail ends a request with S14, or with its JSON for our script. l may be nil. A login that has only moved on is no
// problem: the answer is the step where it is.
func (f *Flow) fail(w http.ResponseWriter, r *http.Request, l *login, err error) {
	if stale(err) && l != nil {
		if err := f.read(detached(r.Context()), l); err != nil {
			f.fail(w, r, l, fmt.Errorf("reading a login again: %w", err))
			return
		}
		f.dispatch(w, r, l)
		return
	}
	p := asProblem(err)
	f.Report(r.Context(), p.code, err)
	page := f.page(r, l)
	message := f.Site.Message(page.Lang, p.code, p.values)
	if wantsJSON(r) {
		f.answer(w, r, statusOf(p.code), answer{Problem: &message, Event: page.Event})
		return
	}
	data := web.Problem{}
	if page.Portal != nil {
		// The portal begins anew, as a login that somebody else asks for (OpenID Connect Core, 4).
		if data.Start = safeAddress(page.Portal.Start); data.Start != "" {
			data.Start = withQuery(data.Start, "iss", f.Issuer)
		}
	}
	if p.again && l != nil {
		data.Again = f.path(l.ID, "restart")
	}
	page.Template, page.Title, page.Screen = "problem", cmp.Or(p.title, "problem.heading"), web.ScreenPlain
	page.Status, page.Problem, page.Data = statusOf(p.code), &message, data
	f.render(w, r, page)
}

// safeAddress lets through web addresses only.
func safeAddress(s string) string {
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		return s
	}
	return ""
}
