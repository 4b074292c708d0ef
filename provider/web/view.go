package web

import "sync"

// A view is what a template sees: what a Page shows, and the site. It repeats the fields of Page instead of embedding it,
// for text/template finds a field of an embedded struct by a search through all of them, at every use.
type view struct {
	Title   string `plate:"early"`
	Heading string `plate:"present"`
	Create  bool   `plate:"early"`
	Link    bool   `plate:"early"`
	Account string `plate:"present"`
	Forget  string `plate:"present"`
	Lang    Lang
	Event   string `plate:"present"`
	Self    string `plate:"present"`
	Frames  []string
	Agent   string
	Portal  *Portal  `plate:"early"`
	Tabs    []Tab    `plate:"early"`
	Longer  *Longer  `plate:"present"`
	Leave   string   `plate:"present"`
	Problem *Message `plate:"present"`
	Field   string   `plate:"present"`
	Data    any      `plate:"early"`

	Dev      bool
	Base     string
	Origin   string
	WasmURL  string // on the screen of the browser program only
	WasmHash string // integrity
	Operator string
	Contact  string

	LongTabs bool `plate:"early"`
}

// known are the fields of every view of a language that do not depend on the page.
func (s *Site) known(l Lang) map[string]any {
	return map[string]any{"Lang": l, "Dev": s.cfg.Dev, "Base": s.base, "Origin": s.origin, "Operator": s.cfg.Operator, "Contact": s.cfg.Contact}
}

func (s *Site) view(p *Page) *view {
	v := new(view)
	s.fill(v, p)
	return v
}

// views are kept, for a page needs one of a few hundred bytes for a moment.
var views = sync.Pool{New: func() any { return new(view) }}

func (s *Site) fill(v *view, p *Page) {
	*v = view{
		Title: p.Title, Heading: p.Heading, Create: p.Create, Link: p.Link, Account: p.Account, Forget: p.Forget, Lang: p.Lang, Event: p.Event, Self: p.Self,
		Frames: p.Frames, Agent: p.Agent, Portal: p.Portal, Tabs: p.Tabs, Longer: p.Longer, Leave: p.Leave, Problem: p.Problem,
		Field: p.Field, Data: p.Data,
		Dev: s.cfg.Dev, Base: s.base, Origin: s.origin,
		Operator: s.cfg.Operator, Contact: s.cfg.Contact,
		LongTabs: longTabs(p.Tabs),
	}
	if p.Screen == ScreenFile {
		v.WasmURL, v.WasmHash = s.assets.WasmURL(), s.assets.WasmIntegrity()
	}
}
