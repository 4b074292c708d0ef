package authflow

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"brama/connectors"
	"brama/provider/web"
)

// open loads a login that is still before its proof, and its connector; otherwise the error is the answer, or stale.
func (f *Flow) openMethod(r *http.Request, id, method string) (*login, connectors.Connector, error) {
	l, err := f.load(r, id)
	if err != nil {
		return l, nil, err
	}
	if !slices.Contains(l.methods, method) {
		return l, nil, &problem{code: "NOT_FOUND", err: errors.New("method is not offered")}
	}
	if l.Phase != sealed && l.Phase != open {
		return l, nil, errRevision
	}
	return l, f.Connectors[method], nil
}

// Tab shows the page of a method: S1 with S2, or S16. It changes nothing.
func (f *Flow) Tab(w http.ResponseWriter, r *http.Request, id, method string) {
	l, c, err := f.openMethod(r, id, method)
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	if f.switchLanguage(w, r, l) || f.forgotten(w, r) {
		return
	}
	f.showMethod(w, r, l, c, method, nil)
}

// showMethod renders the page of a method, with the problem of the last try if there is one.
func (f *Flow) showMethod(w http.ResponseWriter, r *http.Request, l *login, c connectors.Connector, method string, p *problem) {
	idle, ok := c.(idler)
	if !ok {
		f.fail(w, r, l, fmt.Errorf("method %s has no page", method))
		return
	}
	panel := idle.Idle()
	resting, err := web.ReadPanel(panel.Name, panel.Data, f.Now())
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	shown := resting
	if l.Phase == open && l.Method == method && l.Shown != nil && f.Now().Before(l.Until) {
		panel.Name = l.Shown.Name
		if shown, err = web.ReadPanel(l.Shown.Name, l.Shown.Data, f.Now()); err != nil {
			f.fail(w, r, l, err)
			return
		}
	}
	page := f.page(r, l)
	page.Self = f.path(l.ID, method)
	page.Template, page.Title = panel.Name, "login.heading"
	if page.Create {
		page.Title = "login.create"
	}
	if page.Link {
		page.Title = "login.link"
	}
	if panel.Name == "filekey" {
		page.Screen = web.ScreenFile
	}
	if a, ok := c.(agented); ok {
		page.Screen, page.Agent = web.ScreenToken, a.Agent()
	}
	data := web.Method{
		Panel: shown, Method: method, Label: label(l, page.Lang, method), Issuer: f.Issuer, Action: page.Self, Ask: f.path(l.ID, method, "request"),
		Revision: l.revision, MAC: f.Sealer.StepMAC(l.ID, l.revision, method),
	}
	if _, ok := c.(connectors.Searcher); ok {
		data.Search = f.path(l.ID, method, "certificates")
	}
	if slices.Contains(untabbed, method) {
		page.Title = "upload.heading"
		if tabs := f.tabs(l, page.Lang, method); len(tabs) > 0 {
			data.Back = f.path(l.ID, tabs[0].Method)
		}
		if data.Asked = f.live(l, method); data.Asked {
			data.Download, data.Until = f.path(l.ID, method, "request.txt"), l.Until
		}
	} else {
		page.Tabs, data.Entries = f.tabs(l, page.Lang, method), f.entriesOf(l, page.Lang, method)
		if slices.Contains(l.methods, "upload") {
			data.Upload = f.path(l.ID, "upload")
		}
	}
	if f.last(r, l) == method {
		page.Forget = page.Self + "?" + forgetParameter + "=1"
	}
	if remote, ok := shown.(*web.Remote); ok {
		f.remotePage(&page, &data, l, method, remote, resting.(*web.Remote), p == nil) //nolint:forcetypeassert // both are made by ReadPanel of one connector
	}
	if p != nil {
		if panel.Name == "upload" && data.Asked {
			page.Field = "signed"
		}
		message := f.Site.Message(page.Lang, p.code, p.values)
		page.Problem, page.Status, data.Failed = &message, statusOf(p.code), message.Code
		f.Report(r.Context(), p.code, p.err)
		if wantsJSON(r) {
			f.answer(w, r, page.Status, answer{Problem: &message, Event: page.Event, Revision: l.revision, MAC: data.MAC})
			return
		}
	}
	page.Data = data
	f.render(w, r, page)
}

// label is the portal's own name of a method, "" for ours. Some portals have printed guides with names of their own.
func label(l *login, lang web.Lang, method string) string {
	return l.client.Labels[string(lang)][method]
}

func (f *Flow) tabs(l *login, lang web.Lang, active string) []web.Tab {
	var tabs []web.Tab
	for _, m := range l.methods {
		if !slices.Contains(untabbed, m) && home(l, m) == m {
			tabs = append(tabs, web.Tab{Method: m, Label: label(l, lang, m), URL: f.path(l.ID, m), Active: m == home(l, active), Down: isDown(f.Connectors[m])})
		}
	}
	return tabs
}

// home is the method on whose tab another one stands: its own, if it is no entry or that one is not offered.
func home(l *login, method string) string {
	if at, ok := entries[method]; ok && slices.Contains(l.methods, at) {
		return at
	}
	return method
}

// entriesOf are the methods that stand on the tab of method.
func (f *Flow) entriesOf(l *login, lang web.Lang, method string) []web.Tab {
	var list []web.Tab
	for _, m := range l.methods {
		// Дія is one of the providers that keep keys, by another road.
		if m != method && home(l, m) == method || method == "cloud" && m == "diia" {
			list = append(list, web.Tab{Method: m, Label: label(l, lang, m), URL: f.path(l.ID, m), Down: isDown(f.Connectors[m])})
		}
	}
	return list
}

// Ask makes a challenge for a method: the press that stores the login, or a new request in place of one that is over.
func (f *Flow) Ask(w http.ResponseWriter, r *http.Request, id, method string) {
	l, c, err := f.openMethod(r, id, method)
	if err == nil {
		_, err = f.form(r, l, method)
	}
	if err == nil {
		s := f.begin(l, method)
		if isRemote(c) {
			err = f.count(r, &s, nil)
		}
		if err == nil {
			err = f.press(w, r, l, s)
		}
	}
	var text connectors.Login
	if err == nil {
		text, err = f.forConnector(l)
	}
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	step, err := f.work(r.Context(), f.slots[method], func(ctx context.Context) (connectors.Step, error) { return c.Begin(ctx, text) })
	var to string
	if err == nil {
		to, err = f.keep(r.Context(), l, c, step)
	}
	switch {
	case err != nil && isRemote(c):
		f.refuse(w, r, l, c, method, err)
		return
	case err != nil:
		f.fail(w, r, l, err)
		return
	case to != "":
		f.depart(w, r, l, c, to)
		return
	}
	if wantsJSON(r) {
		f.answer(w, r, http.StatusOK, answer{Challenge: string(text.Challenge), Expires: text.Expires.Format(time.RFC3339),
			Revision: l.revision, MAC: f.Sealer.StepMAC(l.ID, l.revision, method)})
		return
	}
	f.dispatch(w, r, l)
}

// press stores s; if that is the first record of the login, its ticket no longer needs the request.
func (f *Flow) press(w http.ResponseWriter, r *http.Request, l *login, s state) error {
	fresh := !l.stored()
	if err := f.step(r.Context(), l, s, nil); err != nil {
		return err
	}
	if !fresh {
		return nil
	}
	l.ticket.Request, l.ticket.Pushed = nil, ""
	return f.setTicket(w, l.ticket)
}

// Download gives the challenge as request.txt (S16).
func (f *Flow) Download(w http.ResponseWriter, r *http.Request, id string) {
	l, _, err := f.openMethod(r, id, "upload")
	if err == nil && !f.live(l, "upload") {
		err = &problem{code: codeTooLate}
	}
	var text connectors.Login
	if err == nil {
		text, err = f.forConnector(l)
	}
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="request.txt"`)
	noStore(w)
	_, _ = w.Write(text.Challenge)
}

// Search looks up certificates for the keys of a container at their issuers. It is given key ids and nothing else of the
// person, at most three times a login (threat T95).
func (f *Flow) Search(w http.ResponseWriter, r *http.Request, id, method string) {
	l, c, err := f.openMethod(r, id, method)
	var in *input
	if err == nil {
		in, err = f.form(r, l, method)
	}
	searcher, ok := c.(connectors.Searcher)
	if err == nil && !ok {
		err = &problem{code: "NOT_FOUND", err: errors.New("method has no search")}
	}
	var keyIDs [][]byte
	if err == nil {
		keyIDs, err = readKeyIDs(in.values.Get("key_ids"))
	}
	if err == nil && l.Searches >= maxSearches {
		f.showMethod(w, r, l, c, method, &problem{code: codeLimited})
		return
	}
	if err == nil {
		s := l.state
		if l.Phase == sealed {
			s = f.begin(l, method)
		}
		s.Searches++
		err = f.press(w, r, l, s)
	}
	if err != nil {
		f.fail(w, r, l, err)
		return
	}
	certificates, err := searcher.FindCertificates(r.Context(), in.values.Get("issuer"), keyIDs)
	if err != nil || len(certificates) == 0 {
		f.showMethod(w, r, l, c, method, &problem{code: "KEY_CERT_NOT_FOUND", err: err})
		return
	}
	f.answer(w, r, http.StatusOK, answer{Certificates: certificates, Revision: l.revision, MAC: f.Sealer.StepMAC(l.ID, l.revision, method)})
}

// maxKeyIDs bounds one search: a container holds a few keys with two ids each.
const maxKeyIDs = 16

// readKeyIDs reads key ids in hex, separated by commas.
func readKeyIDs(s string) ([][]byte, error) {
	var ids [][]byte
	for part := range strings.SplitSeq(s, ",") {
		id, err := hex.DecodeString(part)
		if err != nil || len(id) != 32 && len(id) != 20 || len(ids) == maxKeyIDs {
			return nil, &problem{code: codeUnknown, err: errors.New("key ids do not parse")}
		}
		ids = append(ids, id)
	}
	return ids, nil
}
