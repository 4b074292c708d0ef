package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"brama/provider/web/plate"
)

//go:embed templates
var templateFiles embed.FS

// Config is what a Site needs.
type Config struct {
	Issuer string // of the provider; its path is the root of all addresses
	Dev    bool   // shows the yellow bar
	// Operator and Contact name who runs this server, on the page for feedback; may be empty.
	Operator, Contact string
	// Logos of portals by client id, as ReadLogo makes them; may be nil.
	Logos map[string][]byte
}

// A Site renders pages. Safe for concurrent use.
type Site struct {
	base   string // path of the issuer without the trailing slash
	secure bool   // the issuer is https
	origin string
	cfg    Config
	assets *Assets
	texts  map[Lang]*Texts
	pages  map[Lang]map[string]func() (*plate.Plate, error) // each is made when it is first shown
	docs   map[Lang]guides
	prose  map[Lang]guides // the texts of S17
	logos  logos
	frames frames
	langs  map[Lang][]string // the header Content-Language

	policies policies
}

// pages are the bodies; each is a file of templates/ and stands in the layout.
var pages = []string{"filekey", "token", "upload", "demo", "diia", "cloud", "idgov", "bankid", "mobileid", "leaving", "elsewhere",
	"confirm", "signout", "signedout", "problem", "help", "accessibility", "privacy", "feedback", "docs", "doc", "formpost"}

// framed are those that have frames.
var framed = []string{"filekey", "token", "upload", "demo", "diia", "cloud", "idgov", "bankid", "mobileid", "confirm"}

// New reads the texts. Pages are made of their templates, and guides of their files, when somebody first asks for one: most
// portals show a few of them. That every one can be made in every language is a test's.
func New(cfg Config) (*Site, error) {
	u, err := url.Parse(cfg.Issuer)
	if err != nil || u.Host == "" {
		return nil, errors.New("web: issuer is not a URL")
	}
	s := &Site{base: strings.TrimRight(u.EscapedPath(), "/"), secure: u.Scheme == "https", origin: u.Scheme + "://" + u.Host, cfg: cfg,
		texts: map[Lang]*Texts{}, pages: map[Lang]map[string]func() (*plate.Plate, error){},
		docs: map[Lang]guides{}, langs: map[Lang][]string{}, prose: map[Lang]guides{}}
	s.logos = s.makeLogos(cfg.Logos)
	if s.assets, err = loadAssets(staticFiles, s.base+"/static/"); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	for _, l := range Langs {
		s.langs[l] = []string{string(l)}
		if s.texts[l], err = loadTexts(l); err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		if s.docs[l], err = s.loadDocs(docFiles, "docs", l); err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		if s.prose[l], err = s.loadDocs(textFiles, "texts", l); err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		s.pages[l] = map[string]func() (*plate.Plate, error){}
		for _, name := range pages {
			s.pages[l][name] = sync.OnceValues(func() (*plate.Plate, error) {
				t, funcs, err := s.parse(l, name)
				if err != nil {
					return nil, err
				}
				p, err := plate.Make(t, funcs, s.known(l))
				if err == nil && !slices.Contains(framed, name) {
					p.Final()
				}
				return p, err
			})
		}
	}
	return s, nil
}

// parse reads the page called name in its layout.
func (s *Site) parse(l Lang, name string) (*template.Template, template.FuncMap, error) {
	funcs := s.funcs(l)
	t, err := template.New("layout.html").Funcs(funcs).ParseFS(templateFiles, "templates/layout.html", "templates/wait.html", "templates/"+name+".html")
	if err == nil {
		err = fold(t, funcs)
	}
	return t, funcs, err
}

// funcs are the functions of the templates of one language.
func (s *Site) funcs(l Lang) template.FuncMap {
	texts := s.texts[l]
	return template.FuncMap{
		"t": texts.Text,
		"has": func(key string) bool {
			return texts.Has(key)
		},
		"static":      s.assets.URL,
		"path":        func(p string) string { return s.base + p },
		"date":        FormatDate,
		"datetime":    FormatTime,
		"langs":       func() []Lang { return Langs },
		"langname":    func(l Lang) (string, error) { return s.texts[l].Text("lang.name") },
		"clientcodes": func() []Message { return texts.list(clientCodes) },
		"tokencodes":  func() []Message { return texts.list(tokenCodes) },
		"plain":       func(code string) string { return texts.m[code+".plain"] },
		"lines":       func(s []string) string { return strings.Join(s, "\n") },
		"words":       func() []string { return clientWords },
		"tokenwords":  func() []string { return tokenWords },
		"mask":        mask,
		"qr":          qrCode,
		"prose":       func(name string) (template.HTML, error) { return s.proseOf(l, name) },
		"kept":        func() []keptRow { return s.kept(texts) },
		"mailto":      mailto,
		"clock":       func(seconds int) string { return fmt.Sprintf("%02d:%02d", seconds/60, seconds%60) },
	}
}

// proseOf is a text of S17.
func (s *Site) proseOf(l Lang, name string) (template.HTML, error) {
	render, ok := s.prose[l][name]
	if !ok {
		return "", fmt.Errorf("web: no text %q in %s", name, l)
	}
	d, err := render()
	if err != nil {
		return "", err
	}
	return d.HTML, nil
}

// mailto is the address by which the operator's contact can be opened, "" for one that is only words.
func mailto(contact string) string {
	switch {
	case strings.HasPrefix(contact, "https://"):
		return contact
	case strings.Count(contact, "@") == 1 && !strings.ContainsAny(contact, " \t<>?&,;\"'"):
		return "mailto:" + contact
	}
	return ""
}

// list returns messages with their placeholders, which the page fills.
func (t *Texts) list(codes []string) []Message {
	messages := make([]Message, 0, len(codes))
	for _, code := range codes {
		m := t.Message(code, nil)
		m.Text = t.m[code]
		messages = append(messages, m)
	}
	return messages
}

// clientCodes are the codes that the page itself may show: what happens before anything is sent.
var clientCodes = []string{"KEY_FILE_MISSING", "KEY_PASSWORD_MISSING", "KEY_NOT_A_KEY", "KEY_DAMAGED", "KEY_UNSUPPORTED",
	"KEY_TOO_BIG", "KEY_PASSWORD_WRONG", "KEY_LAYOUT_HINT", "KEY_ISSUER_MISMATCH", "KEY_CERT_NOT_FOUND", "KEY_CERT_MISMATCH",
	"KEY_PROGRAM_FAILED", "KEY_TIMEOUT", "CHALLENGE_EXPIRED", "RATE_LIMITED", "CERT_SEAL", "CERT_USAGE", "CERT_EXPIRED", "CERT_NOT_YET_VALID", "OFFLINE",
	"SIG_INVALID", "INTERNAL"}

// clientWords are the texts that the page itself puts on the screen.
var clientWords = []string{"title.error", "file.none", "file.show", "file.hide", "file.shown", "file.hidden", "file.caps",
	"file.loading", "file.ready", "file.opening", "file.searching", "file.signing", "file.verifying", "file.done",
	"keys.until", "keys.issuer", "keys.unusable", "keys.person", "keys.encryption", "keys.seal", "keys.expired", "keys.notyet",
	"keys.nocertificate", "keys.unsupported", "file.useissuer", "file.issuer.auto", "problem", "kind.certificate", "kind.signed", "kind.archive"}

// tokenCodes and tokenWords are those of S3: what the page finds out and what the agent answers.
var (
	tokenCodes = []string{"AGENT_MISSING", "AGENT_PERMISSION", "AGENT_OLD", "AGENT_MOBILE", "AGENT_SITE", "AGENT_OTHER_USER", "AGENT_BUSY",
		"AGENT_CANCELLED", "AGENT_NO_WINDOW", "AGENT_CHALLENGE", "AGENT_GONE", "AGENT_FAILED", "TOKEN_ABSENT", "TOKEN_REMOVED",
		"TOKEN_UNSUPPORTED", "TOKEN_FAULT", "PIN_WRONG", "PIN_LOCKED", "PIN_EXPIRED", "KEY_CERT_NOT_FOUND", "CERT_SEAL", "CERT_USAGE",
		"CHALLENGE_EXPIRED", "RATE_LIMITED", "OFFLINE", "INTERNAL"}
	tokenWords = []string{"title.error", "problem", "token.state.idle", "token.state.looking", "token.state.found", "token.state.missing",
		"token.state.refused", "token.asking", "token.window", "token.searching", "token.verifying", "token.done"}
)

// mask hides the middle of a number: the first and the last two characters stay.
func mask(s string) string {
	n := utf8.RuneCountInString(s)
	if n < 6 {
		return strings.Repeat("•", n)
	}
	var b strings.Builder
	b.Grow(len("•") * n)
	i := 0
	for _, r := range s {
		if i >= 2 && i < n-2 {
			r = '•'
		}
		b.WriteRune(r)
		i++
	}
	return b.String()
}

// Assets serves the static files.
func (s *Site) Assets() *Assets { return s.assets }

// Base is the path of the issuer, without a trailing slash.
func (s *Site) Base() string { return s.base }

// Message returns what the person is told about a code.
func (s *Site) Message(l Lang, code string, values map[string]string) Message {
	return s.texts[l].Message(code, values)
}

// A Portal is a client as a page shows it.
type Portal struct {
	Name        string `plate:"early"`
	Host        string `plate:"early"`
	Institution string `plate:"early"`
	Logo        string `plate:"early"` // address, "" without one
	Start       string // where a login starts again, "" if unknown
}

// A Longer is what the page needs to offer more time before the login ends.
type Longer struct {
	Seconds int // until the end
	Action  string
	MAC     string
}

// A Tab is a method in the list of tabs.
type Tab struct {
	Method string `plate:"early"`
	Label  string `plate:"early"` // the portal's own words, "" for ours
	URL    string
	Active bool `plate:"early"`
	Down   bool `plate:"early"` // it fails again and again and is left alone for a while
}

// A Page is what is to be shown.
type Page struct {
	Template    string // one of the bodies
	Title       string // key of its title
	Heading     string // the title itself, in place of Title; may be empty
	Create      bool   // the person comes to register: the words are those of registration
	Link        bool   // the portal wants the signature linked to an account that it has: the words say so (S12)
	Account     string // with Link: the portal's name of that account, in its own words; may be empty
	Forget      string // path that forgets the last method, if that is why this tab was opened
	Screen      Screen
	Status      int // zero means 200
	Lang        Lang
	Event       string   // event number
	Self        string   // path of the page for the language switch; "" shows no switch
	RedirectURI string   // of the client, for form-action
	Frames      []string // addresses of frames, for frame-src; none on any page but that after a sign-out
	FormOrigin  string   // of a system to which a form leads, for form-action; may be empty
	Agent       string   // of ScreenToken: the origin of the program on the person's computer
	Portal      *Portal
	Tabs        []Tab
	Longer      *Longer // nil if there is no more time to be had
	Leave       string  // path of "without sign-in", "" if there is no way back
	Problem     *Message
	Field       string // id of the field that the problem is about; may be empty
	Data        any
	// RetryAfter becomes the header of that name, zero sets none.
	RetryAfter time.Duration
}

// longLabel is what a tab in a row of six can hold on two lines, in characters.
const longLabel = 20

// longTabs reports whether the portal's own words for a method are too long for a row of tabs: then they are a list.
func longTabs(tabs []Tab) bool {
	return slices.ContainsFunc(tabs, func(t Tab) bool { return utf8.RuneCountInString(t.Label) > longLabel })
}

// bodies are kept: a page grows through as much again before it has its size.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// A wholeWriter can send a body, which is all there is, in one piece with the headers.
type wholeWriter interface{ WriteWhole(b []byte) (int, error) }

// Render writes the page with its headers.
func (s *Site) Render(w http.ResponseWriter, p Page) error {
	page, ok := s.pages[p.Lang][p.Template]
	if !ok {
		return fmt.Errorf("web: no page %q in %q", p.Template, p.Lang)
	}
	t, err := page()
	if err != nil {
		return fmt.Errorf("web: page %s: %w", p.Template, err)
	}
	v := views.Get().(*view) //nolint:forcetypeassert // nothing else is put there
	s.fill(v, &p)
	defer func() {
		*v = view{} // it held a person's data
		views.Put(v)
	}()
	if t, err = s.frames.plate(t, v); err != nil {
		return fmt.Errorf("web: page %s: %w", p.Template, err)
	}
	// Into a buffer first: a fault in a template must not leave half a page with status 200.
	body := bodies.Get().(*bytes.Buffer) //nolint:forcetypeassert // nothing else is put there
	defer func() {
		clear(body.Bytes()[:body.Cap()]) // it held a person's data
		body.Reset()
		bodies.Put(body)
	}()
	if err := t.Execute(body, v); err != nil {
		return fmt.Errorf("rendering %s: %w", p.Template, err)
	}
	h := w.Header() // its names in their canonical form, see Secure
	h["Content-Security-Policy"] = s.policies.of(&p)
	if p.Screen == ScreenToken {
		h["Permissions-Policy"] = pageAgentPermissions
	}
	h["Content-Type"] = pageType
	h["Content-Language"] = s.langs[p.Lang]
	h["Cache-Control"] = pageCache
	if p.RetryAfter > 0 {
		h.Set("Retry-After", fmt.Sprint(int(p.RetryAfter.Seconds())))
	}
	h["Content-Length"] = []string{strconv.Itoa(body.Len())}
	if p.Status != 0 {
		w.WriteHeader(p.Status)
	}
	if whole, ok := w.(wholeWriter); ok {
		_, err = whole.WriteWhole(body.Bytes())
		return err
	}
	_, err = w.Write(body.Bytes())
	return err
}
