package provider

import (
	"fmt"
	"net/http"
	"time"

	"brama/provider/oauth"
	"brama/provider/web"
)

// lang is the language of a page outside a login.
func (p *Provider) lang(r *http.Request) web.Lang {
	cookie, _ := p.cookies.Get(r, web.LanguageCookie)
	return web.Negotiate("", nil, cookie, r.Header.Get("Accept-Language"))
}

// info serves a page of S17.
func (p *Provider) info(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		self := p.site.Base() + "/" + name
		if p.languageSwitched(w, r) {
			return
		}
		p.render(w, r, web.Page{Template: name, Title: name + ".heading", Self: self})
	}
}

// docs serves the list of guides, or the guide called name.
func (p *Provider) docs(w http.ResponseWriter, r *http.Request, name string) {
	if p.languageSwitched(w, r) {
		return
	}
	page := web.Page{Template: "docs", Title: "docs.heading", Self: p.site.Base() + web.DocsPath, Data: p.site.DocIndex(p.lang(r))}
	if name != "" {
		doc, ok := p.site.Doc(p.lang(r), name)
		if !ok {
			p.problem(w, r, http.StatusNotFound, "NOT_FOUND", nil, 0)
			return
		}
		page.Template, page.Heading, page.Self, page.Data = "doc", doc.Title, page.Self+"/"+name, doc
	}
	p.render(w, r, page)
}

// kit serves a file of the entry button for portals.
func (p *Provider) kit(w http.ResponseWriter, r *http.Request) {
	if !p.site.Kit(w, variable(r, "file")) {
		p.problem(w, r, http.StatusNotFound, "NOT_FOUND", nil, 0)
	}
}

func (p *Provider) logo(w http.ResponseWriter, r *http.Request) {
	if !p.site.ServeLogo(w, variable(r, "file")) {
		p.problem(w, r, http.StatusNotFound, "NOT_FOUND", nil, 0)
	}
}

// languageSwitched obeys ?lang= on a page outside a login; true means that the answer is given.
func (p *Provider) languageSwitched(w http.ResponseWriter, r *http.Request) bool {
	lang, ok := web.ParseLang(r.URL.Query().Get("lang"))
	if !ok {
		return false
	}
	p.cookies.Set(w, web.LanguageCookie, string(lang), web.LanguageLife)
	http.Redirect(w, r, r.URL.EscapedPath(), http.StatusSeeOther)
	return true
}

// problem serves S14 outside a login.
func (p *Provider) problem(w http.ResponseWriter, r *http.Request, status int, code string, values map[string]string, retry time.Duration) {
	message := p.site.Message(p.lang(r), code, values)
	report(r.Context(), code, nil)
	p.render(w, r, web.Page{Template: "problem", Title: "problem.heading", Status: status, Problem: &message, Data: web.Problem{}, RetryAfter: retry})
}

func (p *Provider) notFound(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.problem(w, r, status, "NOT_FOUND", nil, 0)
	})
}

// formPost serves the page of response_mode form_post.
func (p *Provider) formPost(w http.ResponseWriter, r *http.Request, answer oauth.FormPost) {
	data := web.FormPost{Action: answer.Action}
	for _, f := range answer.Fields {
		data.Fields = append(data.Fields, [2]string{f.Name, f.Value})
	}
	cookie, _ := p.cookies.Get(r, web.LanguageCookie)
	p.renderIn(w, r, web.Negotiate("", answer.UILocales, cookie, r.Header.Get("Accept-Language")), web.Page{
		Template: "formpost", Title: "formpost.heading", RedirectURI: answer.Action, Data: data})
}

func (p *Provider) render(w http.ResponseWriter, r *http.Request, page web.Page) {
	p.renderIn(w, r, p.lang(r), page)
}

func (p *Provider) renderIn(w http.ResponseWriter, r *http.Request, lang web.Lang, page web.Page) {
	page.Lang, page.Event = lang, eventOf(r.Context())
	if err := p.site.Render(w, page); err != nil {
		report(r.Context(), "INTERNAL", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

// healthz says that the process is alive.
func (p *Provider) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintln(w, "ok")
}

// readyz says whether logins can work now. What is wrong is for the log, not for strangers.
func (p *Provider) readyz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if p.cfg.Ready != nil {
		if err := p.cfg.Ready(r.Context()); err != nil {
			report(r.Context(), "", err)
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ready")
}
