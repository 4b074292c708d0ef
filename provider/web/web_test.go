package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func site(t testing.TB, dev bool) *Site {
	t.Helper()
	s, err := New(Config{Issuer: "https://id.example.gov.ua/sub", Dev: dev})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLocalesComplete: every text stands in both languages, every code has a next step, and every placeholder has a way
// out when its value is not known.
func TestLocalesComplete(t *testing.T) {
	s := site(t, false)
	uk, en := s.texts[Ukrainian], s.texts[English]
	for _, pair := range [][2]*Texts{{uk, en}, {en, uk}} {
		for _, key := range pair[0].Keys() {
			if !pair[1].Has(key) {
				t.Errorf("%q is in %s and not in %s", key, pair[0].lang, pair[1].lang)
			}
			if strings.TrimSpace(pair[0].m[key]) == "" {
				t.Errorf("%q of %s is empty", key, pair[0].lang)
			}
		}
	}
	placeholder := regexp.MustCompile(`\{[a-z]+\}`)
	for _, key := range uk.Keys() {
		a, b := placeholder.FindAllString(uk.m[key], -1), placeholder.FindAllString(en.m[key], -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Errorf("%q has the placeholders %v in Ukrainian and %v in English", key, a, b)
		}
		if key != strings.ToUpper(key) || strings.Contains(key, ".") {
			continue
		}
		if !uk.Has(key + ".next") {
			t.Errorf("code %s has no next step", key)
		}
		if len(a) > 0 && !uk.Has(key+".plain") {
			t.Errorf("code %s has placeholders and no plain variant", key)
		}
	}
	for _, code := range clientCodes {
		if !uk.Has(code) {
			t.Errorf("the page may show %s, which has no text", code)
		}
	}
	for _, word := range clientWords {
		if !uk.Has(word) {
			t.Errorf("the page may say %q, which has no text", word)
		}
	}
}

// TestNoUnusedText: a text that no page and no code names is a leftover, or a page forgot it.
func TestNoUnusedText(t *testing.T) {
	var all bytes.Buffer
	for _, dir := range []string{"templates", ".", "..", "../authflow"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !e.IsDir() && !strings.HasSuffix(e.Name(), "_test.go") {
				b, err := os.ReadFile(dir + "/" + e.Name())
				if err != nil {
					t.Fatal(err)
				}
				all.Write(b)
			}
		}
	}
	for _, key := range site(t, false).texts[Ukrainian].Keys() {
		if key == strings.ToUpper(key) || strings.HasSuffix(key, ".next") || strings.HasSuffix(key, ".plain") {
			continue // codes come from everywhere
		}
		computed := slices.ContainsFunc([]string{"method.", "demo.person.", "confirm.gets.", "confirm.method.", "kind.", "number.", "browser.", "cloud.identifier.", "idgov.means.", "privacy.kept."}, func(p string) bool { return strings.HasPrefix(key, p) })
		title := strings.HasSuffix(key, ".heading") || key == "login.create"
		if !computed && !title && !strings.Contains(all.String(), `"`+key+`"`) {
			t.Errorf("nothing says %q", key)
		}
	}
}

// TestCodesOfJavaScript: every code that a script of ours names has a text in the page.
func TestCodesOfJavaScript(t *testing.T) {
	code := regexp.MustCompile(`'((?:KEY|CERT|SIG|CHALLENGE|OFFLINE|INTERNAL|AGENT|TOKEN|PIN)[A-Z_]*)'`)
	word := regexp.MustCompile(`'((?:file|keys|kind|token)\.[a-z.]+)'`)
	// Names that the worker has and vault.js translates, and the beginning of a name.
	translated := []string{"CHALLENGE_MALFORMED", "KEY_PASSWORD"}
	n := 0
	for name, page := range map[string]struct{ codes, words []string }{
		"filekey.js": {clientCodes, clientWords}, "vault.js": {clientCodes, clientWords}, "server.js": {clientCodes, clientWords},
		"messages.js": {clientCodes, clientWords}, "token.js": {tokenCodes, tokenWords},
	} {
		b, err := staticFiles.ReadFile("static/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(b), -1) {
			n++
			if !slices.Contains(page.codes, m[1]) && !slices.Contains(translated, m[1]) {
				t.Errorf("%s names %s, which is not among the texts of the page", name, m[1])
			}
		}
		for _, m := range word.FindAllStringSubmatch(string(b), -1) {
			if !slices.Contains(page.words, m[1]) {
				t.Errorf("%s says %s, which is not among the words of the page", name, m[1])
			}
		}
	}
	if n == 0 {
		t.Fatal("no code was found: the test reads nothing")
	}
}

// TestCSPPerScreen is the golden policy of each screen (threat T34).
func TestCSPPerScreen(t *testing.T) {
	const (
		plain = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
			"base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; form-action 'self' https://cabinet.example.gov.ua"
		file = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
			"base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; form-action 'self' https://cabinet.example.gov.ua; trusted-types brama-worker"
		token = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self' http://127.0.0.1:24145; " +
			"base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; form-action 'self' https://cabinet.example.gov.ua"
	)
	for name, want := range map[string]string{
		"filekey": file, "token": token, "upload": plain, "demo": plain, "diia": plain, "cloud": plain, "idgov": plain + " https://id.gov.ua", "bankid": plain + " https://id.gov.ua", "mobileid": plain, "elsewhere": plain, "confirm": plain, "problem": plain, "help": plain,
		"accessibility": plain, "privacy": plain, "feedback": plain, "docs": plain, "doc": plain,
	} {
		w := renderPage(t, site(t, false), name, Ukrainian)
		if got := w.Header().Get("Content-Security-Policy"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control is %q", name, got)
		}
	}
}

// TestNoFrameNoForeignScript: no page has a frame, and what a page loads comes from here: the widgets of others see neither key
// nor password (threat T55). The frames of a front-channel logout are of portals that registered them, on one page that has
// nothing else, and have a test of their own.
func TestNoFrameNoForeignScript(t *testing.T) {
	loads := regexp.MustCompile(`<(?:script|img|link|source|video|audio|embed|object|use)[^>]*?(?:src|href|data|srcset)="([^"]*)"`)
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d templates, %v", len(files), err)
	}
	for _, file := range files {
		b, err := fs.ReadFile(templateFiles, file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if name := path.Base(file); name != "signedout.html" && regexp.MustCompile(`<(?:i?frame|embed|object|base)\b`).MatchString(text) {
			t.Errorf("%s has a frame", name)
		}
		if regexp.MustCompile(`(?i)<script[^>]*>[^<]|\son[a-z]+=|\sstyle=|javascript:`).MatchString(text) {
			t.Errorf("%s has a script or a style of its own", file)
		}
	}
	for _, name := range []string{"filekey", "token", "upload", "demo", "diia", "cloud", "idgov", "bankid", "mobileid", "elsewhere", "confirm", "problem", "help", "accessibility", "privacy", "feedback", "docs", "doc"} {
		w := renderPage(t, site(t, false), name, English)
		found := loads.FindAllStringSubmatch(w.Body.String(), -1)
		if len(found) == 0 {
			t.Errorf("%s loads nothing: the test looks at nothing", name)
		}
		for _, m := range found {
			if !strings.HasPrefix(m[1], "/") || strings.HasPrefix(m[1], "//") {
				t.Errorf("%s loads %s", name, m[1])
			}
		}
		if csp := w.Header().Get("Content-Security-Policy"); strings.Contains(csp, "frame-src") || strings.Contains(csp, "unsafe-inline") {
			t.Errorf("%s: %s", name, csp)
		}
	}
}

// renderPage renders a page with data that has everything.
func renderPage(t *testing.T, s *Site, name string, lang Lang) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := s.Render(w, fullPage(t, s, name, lang)); err != nil {
		t.Fatal(err)
	}
	return w
}

type issuer struct {
	ID, Name string
	Names    []string
}

// panel is the data of the pages of connectors here.
type panel struct {
	Issuers  []issuer
	Agent    string
	Protocol int
	Persons  []string
}

func (*panel) Fixed() {}

func fullPage(t testing.TB, s *Site, name string, lang Lang) Page {
	t.Helper()
	message := s.Message(lang, "CERT_EXPIRED", map[string]string{"date": "2026-11-01T10:00:00Z"})
	p := Page{Template: name, Title: "login.heading", Lang: lang, Event: "7F3A-21C9", Self: "/sub/x",
		RedirectURI: "https://cabinet.example.gov.ua/oidc/callback", Portal: &Portal{Name: "Кабінет", Host: "cabinet.example.gov.ua", Institution: "Установа"},
		Tabs: []Tab{{Method: "file", URL: "/sub/login/x/file", Active: true}, {Method: "demo", URL: "/sub/login/x/demo"}}, Leave: "/leave", Problem: &message}
	method := Method{Action: "/a", Ask: "/b", MAC: "m", Asked: true, Until: time.Unix(1800000000, 0), Download: "/d", Upload: "/u", Back: "/f"}
	switch name {
	case "filekey":
		p.Screen = ScreenFile
		method.Panel = &panel{Issuers: []issuer{{"1", "Надавач", []string{"Надавач", "Provider"}}}}
		p.Data = method
	case "token":
		p.Screen, p.Agent = ScreenToken, "http://127.0.0.1:24145"
		method.Panel = &panel{Issuers: []issuer{{"1", "Надавач", nil}}, Agent: p.Agent, Protocol: 1}
		p.Data = method
	case "demo":
		method.Panel = &panel{Persons: []string{"valid", "seal"}}
		p.Data = method
	case "upload":
		p.Data = method
	case "diia", "cloud", "idgov", "bankid", "mobileid":
		method.Method, method.Poll, method.PollMAC, method.Every = name, "/p", "pm", 2000
		method.Panel = &Remote{Phase: "waiting", Link: "https://diia.app/acquirers/offer-request/1", Code: "47", Expires: time.Unix(1800000000, 0), Seconds: 161,
			Providers: []RemoteProvider{{ID: "one", Name: "Перша"}, {ID: "two", Name: "Друга", Identifier: "phone", Down: true}},
			Origin:    "https://id.gov.ua", Means: []string{"dig_sign", "bank_id", "unknown"}}
		if name == "cloud" || name == "mobileid" {
			r := method.Panel.(*Remote)
			r.Wait = &RemoteWait{Provider: "Хмара", Operator: "Зв'язок"}
		}
		if name == "idgov" || name == "bankid" {
			p.FormOrigin = "https://id.gov.ua"
		}
		p.Data = method
	case "leaving":
		p.Data = Leaving{URL: "https://id.gov.ua/?a=b"}
	case "formpost":
		p.Data = FormPost{Action: "https://portal.example.gov.ua/cb", Fields: [][2]string{{"code", "x"}, {"state", `"><script>`}}}
	case "elsewhere":
		p.Data = Elsewhere{Text: "x", Next: "y", Code: "RETURN_OTHER_BROWSER", Action: "/n", Login: "l", MAC: "m"}
	case "confirm":
		p.Data = Confirm{Name: "Тестенко Олена Петрівна", RNOKPP: "1234567890", UNZR: "19900101-00001", Method: "file", NotAfter: "01.01.2030", CheckedAt: "01.01.2026 10:00", Gets: []string{"name", "rnokpp"},
			Roles: []Role{{ID: "person", Chosen: true}, {ID: "organization", Title: "директор", Organization: "ТОВ «Приклад»", EDRPOU: "12345678"}}, Consent: true, ExpiresInDays: 3,
			Notice: ReadNotice("Навіщо:\n- облік\n- листи\n\nДокладніше: https://cabinet.example.gov.ua/notice."), NoticeLang: Ukrainian}
	case "signout":
		p.Data = SignOut{Action: "/logout/confirm", MAC: "m", Request: "r", Portals: []string{"Електронний кабінет"}, Done: true}
	case "signedout":
		p.Data = SignedOut{}
	case "docs":
		p.Data = s.DocIndex(lang)
	case "doc":
		doc, ok := s.Doc(lang, "connectors/diia")
		if !ok {
			t.Fatal("no guide of Дія")
		}
		p.Heading, p.Data = doc.Title, doc
	case "problem":
		p.Data = Problem{Start: "https://cabinet.example.gov.ua/login"}
	}
	return p
}

// TestPages renders every page in both languages and looks at what holds for all of them.
func TestPages(t *testing.T) {
	s := site(t, true)
	foreign := regexp.MustCompile(`(?:src|href|action)="(?:https?:)?//`)
	for _, lang := range Langs {
		for _, name := range pages {
			body := renderPage(t, s, name, lang).Body.String()
			for _, want := range []string{`<html lang="` + string(lang) + `">`, `class="skip"`, "ТЕСТОВЕ СЕРЕДОВИЩЕ", "7F3A-21C9", "<title>", "CERT_EXPIRED"} {
				if want == "CERT_EXPIRED" && !strings.Contains(body, "id=\"problem\"") {
					continue
				}
				if !strings.Contains(body, want) {
					t.Errorf("%s in %s lacks %q", name, lang, want)
				}
			}
			if n := strings.Count(body, "<h1"); n != 1 {
				t.Errorf("%s has %d h1", name, n)
			}
			if m := foreign.FindString(body); m != "" && name != "problem" && !strings.Contains("diia cloud mobileid leaving help doc formpost confirm", name) {
				t.Errorf("%s names another origin: %s", name, m)
			}
			for _, bad := range []string{"<script>", "<style", " style=", " onclick=", "javascript:", "ZgotmplZ", "&lt;no value", "<no value>"} {
				if strings.Contains(body, bad) {
					t.Errorf("%s in %s holds %q", name, lang, bad)
				}
			}
		}
	}
}

// TestPrintedLabels: the names that printed guides use stand letter for letter.
func TestPrintedLabels(t *testing.T) {
	s := site(t, false)
	for lang, labels := range map[Lang][]string{
		Ukrainian: {"Файловий ключ", "Захищений носій", "Дія.Підпис", "Хмарне сховище", "ID.GOV.UA", "Оберіть АЦСК", "Особистий ключ", "Провайдер", "Отримати код", "Отримати посилання",
			"Пароль захисту ключа", "Обрати", "Зчитати", "Увійти", "Вхід до особистого кабінету", "Перевірте дані підписувача",
			"Повернутися на портал без входу", "Підписати у своїй програмі", "Визначити автоматично", "Ключ і пароль залишаються на вашому пристрої."},
		English: {"File key", "Hardware token", "Diia.Signature", "Cloud storage", "ID.GOV.UA", "Issuer (CA)", "Private key", "Provider", "Get code", "Get link", "Key password",
			"Choose", "Read", "Sign in", "Sign in to your account", "Your key and password stay on your device."},
	} {
		for _, label := range labels {
			found := false
			for _, text := range s.texts[lang].m {
				found = found || text == label
			}
			if !found {
				t.Errorf("no text of %s is %q", lang, label)
			}
		}
	}
}

// TestNoScriptSendsNothing: around the key file and the password there is no form, no name and no action (threat T36).
func TestNoScriptSendsNothing(t *testing.T) {
	s := site(t, false)
	s.assets.wasm = &program{digest: func() (digest, error) { return digest{}, nil }}
	for _, name := range []string{"wasm_exec.js", "worker.js"} {
		if s.assets.files[name] == nil {
			s.assets.files[name] = &asset{name: name}
		}
	}
	body := renderPage(t, s, "filekey", Ukrainian).Body.String()
	if !strings.Contains(body, `id="password"`) || !strings.Contains(body, `id="keyfile"`) {
		t.Fatal("the page has no key panel")
	}
	for _, bad := range []string{"<form", "formaction", ` action=`, `current-password`, ` name="`} {
		if strings.Contains(strings.Replace(body, `<meta name="`, "", -1), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if !strings.Contains(body, `id="read" disabled`) {
		t.Error("«Зчитати» lives before the worker does")
	}
}

func TestNegotiate(t *testing.T) {
	for _, c := range []struct {
		name, switched string
		ui             []string
		cookie, accept string
		want           Lang
	}{
		{"nothing", "", nil, "", "", Ukrainian},
		{"portal", "", []string{"fr", "en-GB"}, "uk", "uk", English},
		{"switch wins", "uk", []string{"en"}, "", "", Ukrainian},
		{"cookie", "", nil, "en", "uk", English},
		{"browser", "", nil, "", "de, en;q=0.8, uk;q=0.9", Ukrainian},
		{"english browser", "", nil, "", "en-US,en;q=0.9", English},
		{"refused", "", nil, "", "en;q=0", Ukrainian},
		{"hostile", "<script>", []string{"../../x"}, "xx", strings.Repeat("a,", 5000), Ukrainian},
	} {
		if got := Negotiate(c.switched, c.ui, c.cookie, c.accept); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestMessage(t *testing.T) {
	s := site(t, false)
	for _, c := range []struct {
		code   string
		values map[string]string
		want   string
	}{
		{"CERT_EXPIRED", map[string]string{"date": "2026-03-01T10:00:00Z"}, "The certificate expired on 01.03.2026 12:00."},
		{"CERT_EXPIRED", nil, "The certificate has expired."},
		{"KEY_NOT_A_KEY", map[string]string{"kind": "signed"}, "This is not a key file but a signed document."},
		{"KEY_ISSUER_UNTRUSTED", map[string]string{"issuer": "{date}"}, "The issuer of this certificate is not in the trusted list."},
		{"RETURN_OTHER_BROWSER", map[string]string{"portal": "P", "time": "18:40", "browser": "unknown"}, "This is a sign-in to “P” started at 18:40, browser unknown. If it is yours, go back to that window: it will continue there."},
		{"REMOTE_UNSUITABLE", map[string]string{"name": "Хмара", "kind": "scal"}, "The key at “Хмара” cannot be used here: an approval in the app is not bound to what is signed."},
		{"no such code", nil, "Something failed on our side. You are not signed in."},
		{"INTERNAL.next", nil, "Something failed on our side. You are not signed in."},
	} {
		if got := s.Message(English, c.code, c.values).Text; got != c.want {
			t.Errorf("%s %v:\n got %s\nwant %s", c.code, c.values, got, c.want)
		}
	}
}

// TestHostileSubjectEveryScreen: what a certificate or a portal says is text, whatever it looks like (threat T97).
func TestHostileSubjectEveryScreen(t *testing.T) {
	const evil = `"><script>alert(1)</script><b onx="`
	s := site(t, false)
	p := Page{Template: "confirm", Title: "confirm.heading", Lang: Ukrainian, Portal: &Portal{Name: evil, Host: evil, Institution: evil},
		Data: Confirm{Name: evil, RNOKPP: evil, UNZR: evil, Issuer: evil, Method: "file", Gets: []string{"name"}, Consent: true, Notice: ReadNotice(evil + "\n- " + evil + "\n\nhttps://" + evil),
			Roles: []Role{{ID: "person"}, {ID: evil, Title: evil, Organization: evil, EDRPOU: evil}}}}
	message := s.Message(Ukrainian, "KEY_ISSUER_UNTRUSTED", map[string]string{"issuer": evil})
	list := RemoteProvider{ID: "one", Name: evil, Identifier: "phone"}
	remote := &Remote{Phase: "waiting", Link: "https://diia.app/x", Code: evil, Expires: time.Unix(1800000000, 0), Providers: []RemoteProvider{list, list},
		Wait: &RemoteWait{Provider: evil, Operator: evil}}
	pages := []Page{p, {Template: "problem", Title: "problem.heading", Data: Problem{}}, {Template: "demo", Title: "login.heading", Link: true, Account: evil,
		Data: Method{Method: "demo", Label: evil, Panel: struct{ Persons []string }{[]string{evil}}}}}
	for _, name := range []string{"cloud", "mobileid", "diia"} {
		pages = append(pages, Page{Template: name, Title: "login.heading", Data: Method{Method: name, Label: evil, Panel: remote, Poll: "/p", Every: 2000}})
	}
	for _, page := range pages {
		page.Lang, page.Portal, page.Problem = p.Lang, p.Portal, &message
		page.Tabs = []Tab{{Method: "file", Label: evil, URL: "/f"}}
		w := httptest.NewRecorder()
		if err := s.Render(w, page); err != nil {
			t.Errorf("%s: %v", page.Template, err)
			continue
		}
		body := w.Body.String()
		if strings.Contains(body, "<script>alert") || strings.Contains(body, `onx="`) {
			t.Errorf("%s: text became markup", page.Template)
		}
		if !strings.Contains(body, "alert(1)") {
			t.Errorf("%s shows nothing of it: the test looks at nothing", page.Template)
		}
	}
}

func TestStatic(t *testing.T) {
	program := bytes.Repeat([]byte("wasm"), 1000)
	packed, err := compress(program)
	if err != nil {
		t.Fatal(err)
	}
	a, err := loadAssets(fstest.MapFS{
		"static/wasm/brama.wasm.gz":   {Data: packed},
		"static/wasm/brama.wasm.br":   {Data: []byte("brotli")},
		"static/wasm/wasm_exec.js":    {Data: []byte("go")},
		"static/wasm/placeholder.txt": {Data: []byte("x")},
		"static/worker.js":            {Data: []byte("worker")},
		"static/brama.css":            {Data: []byte("css")},
	}, "/static/")
	if err != nil {
		t.Fatal(err)
	}
	get := func(path, encoding string) *http.Response {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if encoding != "" {
			r.Header.Set("Accept-Encoding", encoding)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w.Result()
	}
	wasm := a.WasmURL()
	if !regexp.MustCompile(`^/static/brama-[0-9a-f]{20}\.wasm$`).MatchString(wasm) {
		t.Errorf("the program is at %q", wasm)
	}
	res := get(wasm, "br, gzip")
	if b, _ := io.ReadAll(res.Body); res.Header.Get("Content-Encoding") != "br" || string(b) != "brotli" || res.Header.Get("Content-Type") != "application/wasm" {
		t.Errorf("got %v %q", res.Header, b)
	}
	res = get(wasm, "gzip;q=1, br;q=0")
	if got := res.Header.Get("Content-Length"); got != strconv.Itoa(len(packed)) {
		t.Errorf("length is %s of %d", got, len(packed))
	}
	z, err := gzip.NewReader(res.Body)
	if err != nil {
		t.Fatalf("encoding is %q: %v", res.Header.Get("Content-Encoding"), err)
	}
	if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, program) {
		t.Errorf("unpacked %d bytes of %d: %v", len(b), len(program), err)
	}
	res = get(wasm, "")
	if b, _ := io.ReadAll(res.Body); !bytes.Equal(b, program) || res.Header.Get("Content-Length") != strconv.Itoa(len(program)) || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("got %d bytes, %v", len(b), res.Header)
	}
	worker, err := a.URL("worker.js")
	if err != nil {
		t.Fatal(err)
	}
	// The worker has a policy of its own (threat T35).
	if got := get(worker, "").Header.Get("Content-Security-Policy"); got != workerCSP || !strings.Contains(got, "connect-src 'none'") {
		t.Errorf("policy of the worker is %q", got)
	}
	for _, path := range []string{"/static/", "/static/worker.js", "/static/brama.wasm", "/static/brama-00.wasm", "/static/../static.go",
		"/static/" + a.hash + "/placeholder.txt", "/static/" + a.hash + "/brama.wasm", "/static/0/worker.js"} {
		if res := get(path, ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

// FuzzCSPOrigin: whatever a redirect address looks like, the policy gets one well-formed source of it or none (threat T99).
func FuzzCSPOrigin(f *testing.F) {
	for _, seed := range []string{"https://cabinet.example.gov.ua/cb", "http://127.0.0.1:8080/cb", "https://[::1]:9/x", "com.example.app:/cb",
		"https://a.example; script-src *", "javascript:alert(1)", "https://*.example/", "https://a.example/\r\nX: y", "//a/b", "https://при.укр/"} {
		f.Add(seed)
	}
	source := regexp.MustCompile(`^(https?://[a-z0-9.:\[\]-]+|[a-z][a-z0-9+.-]*:)$`)
	f.Fuzz(func(t *testing.T, s string) {
		if got := cspSource(s); got != "" && !source.MatchString(got) {
			t.Errorf("%q gives the source %q", s, got)
		}
		if got := csp(ScreenPlain, s, ""); strings.Count(got, ";") != strings.Count(csp(ScreenPlain, "", ""), ";") || strings.ContainsAny(got, "\r\n*") {
			t.Errorf("%q gives the policy %q", s, got)
		}
	})
}

// TestTokenPage: the page of S3 may call the agent and no other page may; it has no field for a PIN and asks for none (T59, T61).
func TestTokenPage(t *testing.T) {
	s := site(t, false)
	for _, lang := range Langs {
		w := renderPage(t, s, "token", lang)
		policy := w.Header().Get("Permissions-Policy")
		for _, feature := range []string{"loopback-network=(self)", "local-network-access=(self)", "usb=()", "hid=()"} {
			if !strings.Contains(policy, feature) {
				t.Errorf("the policy of S3 lacks %s: %s", feature, policy)
			}
		}
		body := w.Body.String()
		for _, bad := range []string{"<input", "<textarea", "<form", "contenteditable"} {
			if strings.Contains(body, bad) {
				t.Errorf("the page of S3 holds %s", bad)
			}
		}
		if other := renderPage(t, s, "filekey", lang).Header().Get("Permissions-Policy"); strings.Contains(other, "(self)") {
			t.Errorf("S2 has the policy %s", other)
		}
	}
	if strings.Contains(permissions, "(self)") {
		t.Error("every page may call the agent")
	}
	for lang, texts := range s.texts {
		for _, key := range texts.Keys() {
			text := strings.ToLower(texts.m[key])
			for _, bad := range []string{"введіть pin", "enter the pin", "enter your pin", "type the pin", "type your pin"} {
				if strings.Contains(text, bad) {
					t.Errorf("%s of %s asks for the PIN: %s", key, lang, text)
				}
			}
		}
	}
}
