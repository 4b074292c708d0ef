package e2e

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The integrator's guide has whole portals in its blocks of code, each after the name of its file. These tests run them as
// they stand there, but for the ports.

var blockPattern = regexp.MustCompile("(?ms)^```[a-z]+ ([a-z.-]+)\n(.*?)^```$")

// guideFiles are the files in the blocks of the guide in a language, by name.
func guideFiles(t testing.TB, lang string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("../../provider/web/docs/integrator." + lang + ".md")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, m := range blockPattern.FindAllStringSubmatch(string(raw), -1) {
		if _, twice := files[m[1]]; twice {
			t.Fatalf("two blocks of the guide are called %s", m[1])
		}
		files[m[1]] = m[2]
	}
	if len(files) < 2 {
		t.Fatalf("the guide has %d files: the test reads nothing", len(files))
	}
	return files
}

// TestGuideHasOneCode: both languages of the guide have the same files.
func TestGuideHasOneCode(t *testing.T) {
	uk, en := guideFiles(t, "uk"), guideFiles(t, "en")
	if !slices.Equal(slices.Sorted(maps.Keys(uk)), slices.Sorted(maps.Keys(en))) {
		t.Fatalf("files in Ukrainian %v, in English %v", slices.Sorted(maps.Keys(uk)), slices.Sorted(maps.Keys(en)))
	}
	for name := range en {
		if uk[name] != en[name] {
			t.Errorf("%s differs between the languages", name)
		}
	}
}

// A guided is a folder with files of the guide, whose addresses are those of a running `brama dev` and of a free port.
type guided struct {
	*dev
	dir, home, port string
	files           map[string]string
	as              *syscall.Credential // whom programs run as; nil is who runs the test
	log             string              // a file of theirs, shown after a failure; may be ""
}

// followGuide starts `brama dev` with the clients of the guide.
func followGuide(t *testing.T) *guided {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	return guideAt(t, listener.Addr().String())
}

// guideAt is followGuide for a portal that listens at address.
func guideAt(t *testing.T, address string) *guided {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	g := &guided{dir: t.TempDir(), home: "http://127.0.0.1:" + port, port: port, files: guideFiles(t, "en")}
	g.write(t, "clients.json")
	g.dev = startDev(t, "--client", filepath.Join(g.dir, "clients.json"))
	return g
}

func (g *guided) write(t *testing.T, name string) {
	t.Helper()
	text, ok := g.files[name]
	if !ok {
		t.Fatalf("the guide has no file %s", name)
	}
	text = strings.ReplaceAll(text, "3000", g.port)
	if g.dev != nil {
		text = strings.ReplaceAll(text, "http://127.0.0.1:8080", g.Issuer)
	}
	if err := os.WriteFile(filepath.Join(g.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// nodeModules lets programs in the folder import the packages of the lock file.
func (g *guided) nodeModules(t *testing.T) {
	t.Helper()
	modules, err := filepath.Abs("testdata/portals/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(modules, ".package-lock.json")); err != nil {
		missing(t, "packages of testdata/portals are not installed: run make setup")
	}
	if err := os.Symlink(modules, filepath.Join(g.dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
}

// run starts a program in the folder until the test ends and waits until it listens.
func (g *guided) run(t *testing.T, program string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		missing(t, program+" is not installed: run make setup")
	}
	log := new(syncBuffer)
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = g.dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: g.as}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait() // it is killed
		close(ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			own, _ := os.ReadFile(g.log)
			t.Logf("log of %s:\n%s%s", program, log, own)
		}
	})
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+g.port)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended\n%s", program, log)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen\n%s", program, log)
		}
	}
}

// enter walks through the provider's pages as the demo person, from where the portal has sent the walker.
func (g *guided) enter(t *testing.T, w *walker) {
	t.Helper()
	if !strings.HasPrefix(w.at.String(), g.Issuer+"/login/") || strings.HasSuffix(w.at.Path, "/continue") {
		t.Fatalf("the portal leads to %s (%d)\n%s", w.at, w.status, w.body)
	}
	w.follow("tab-demo")
	w.press(`id="demo-valid"`, "person", "valid")
	w.press(`id="confirm"`)
}

// atHome reports whether the walker is at the portal's first page.
func (g *guided) atHome(w *walker) bool { return strings.TrimSuffix(w.at.String(), "/") == g.home }

var tokenNumber = regexp.MustCompile(`<code>([^<]+)</code>`)

// signedIn fails unless the page shows the demo person, and returns the number of the ID token.
func (g *guided) signedIn(t *testing.T, w *walker) string {
	t.Helper()
	m := tokenNumber.FindStringSubmatch(w.body)
	if !g.atHome(w) || w.status != http.StatusOK || m == nil ||
		!strings.Contains(w.body, "Тестенко Олена Петрівна, 1234567899, substantial") {
		t.Fatalf("at %s (%d)\n%s", w.at, w.status, w.body)
	}
	return m[1]
}

// walk is a whole life at a portal: a refusal, a sign-in, a refresh, the end of the session at the provider of which the
// portal hears, and a sign-out at the portal that ends the session at the provider. logout presses the button of the portal.
func (g *guided) walk(t *testing.T, logout func(*walker)) {
	t.Helper()
	w := newWalker(t, "")
	w.get(g.home + "/")
	if !strings.Contains(w.body, `<a href="/login">Увійти з КЕП</a>`) {
		t.Fatalf("nobody is signed in, and the portal shows\n%s", w.body)
	}
	w.get("/login")
	w.follow("leave")
	if strings.TrimSpace(w.body) != "access_denied" || w.status/100 != 4 {
		t.Errorf("after leaving: %s (%d) %s", w.at, w.status, w.body)
	}

	w.get(g.home + "/login")
	g.enter(t, w)
	first := g.signedIn(t, w)
	w.press(`action="/refresh"`)
	if second := g.signedIn(t, w); second == first {
		t.Error("after the refresh the portal has the same ID token")
	}

	w.get(g.Issuer + "/logout")
	w.press(`id="end"`, "end", "all")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if w.get(g.home + "/"); strings.Contains(w.body, `href="/login"`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the portal does not hear that the session is over")
		}
	}

	w.get("/login")
	g.enter(t, w)
	g.signedIn(t, w)
	logout(w)
	if !g.atHome(w) || !strings.Contains(w.body, `href="/login"`) {
		t.Fatalf("signed out to %s (%d)\n%s", w.at, w.status, w.body)
	}
	w.get("/login")
	g.enter(t, w) // the provider has no session either
}

// byForm presses a button of a form.
func byForm(w *walker) { w.press(`action="/logout"`) }

// TestGuide runs the portals of the guide, one after another at one address.
func TestGuide(t *testing.T) {
	g := followGuide(t)
	g.nodeModules(t)
	t.Run("openid-client", func(t *testing.T) {
		g.write(t, "openid-client.mjs")
		g.run(t, "node", "openid-client.mjs")
		g.walk(t, byForm)
	})
	t.Run("go-oidc", func(t *testing.T) {
		g.write(t, "main.go")
		program := filepath.Join(g.dir, "portal")
		build := exec.Command("go", "build", "-o", program, filepath.Join(g.dir, "main.go")) // with the versions of this module
		if out, err := build.CombinedOutput(); err != nil {
			if errors.Is(err, exec.ErrNotFound) {
				missing(t, "go is not installed")
			}
			t.Fatalf("%v\n%s", err, out)
		}
		g.run(t, program)
		g.walk(t, byForm)
	})
	t.Run("express-openid-connect", func(t *testing.T) {
		g.write(t, "express.mjs")
		g.run(t, "node", "express.mjs")
		g.walk(t, func(w *walker) { w.get("/logout") })
	})
	t.Run("Authlib", func(t *testing.T) {
		if exec.Command("/usr/bin/python3", "-c", "import authlib, flask, requests").Run() != nil {
			missing(t, "Authlib, Flask and requests are not installed: run make setup")
		}
		g.write(t, "portal.py")
		g.run(t, "/usr/bin/python3", "portal.py")
		g.walk(t, byForm)
	})
	t.Run("mod_auth_openidc", func(t *testing.T) {
		g.apache(t)
		g.walkApache(t)
	})
}

// TestGuidePage runs the page of oidc-client-ts in Chromium: the browser itself asks the token endpoint and userinfo.
func TestGuidePage(t *testing.T) {
	library, err := os.ReadFile("testdata/portals/node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js")
	if err != nil {
		missing(t, "packages of testdata/portals are not installed: run make setup")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := guideAt(t, listener.Addr().String())
	g.write(t, "index.html")
	g.write(t, "page.js")
	if err := os.WriteFile(filepath.Join(g.dir, "oidc-client-ts.min.js"), library, 0o600); err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.FileServer(http.Dir(g.dir))}}
	server.Start()
	t.Cleanup(server.Close)

	b := newBrowser(t, browserOptions{})
	press := func(id string) {
		t.Helper()
		// By script: what scripts add to the page meanwhile cannot move the place that a mouse would aim at.
		b.do("pressing "+id, chromedp.WaitVisible(chromedp.CSS("#"+id)), chromedp.WaitEnabled(chromedp.CSS("#"+id)),
			chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.getElementById(%q).click()", id)))
	}
	enter := func() {
		t.Helper()
		press("login")
		b.see("#tab-demo") // and not the page of a session that is there
		press("tab-demo")
		press("demo-valid")
		press("confirm")
		b.see("#logout")
	}
	person := func() string {
		t.Helper()
		text := b.text("#person")
		if !strings.HasPrefix(text, "Тестенко Олена Петрівна, 1234567899, substantial ") {
			t.Fatalf("the page shows %q", text)
		}
		return text
	}
	b.open(g.home)
	press("login")
	press("leave")
	b.see("#login")
	if text := b.text("#person"); text != "access_denied" {
		t.Errorf("after leaving the page shows %q", text)
	}
	enter()
	first := person()
	press("refresh")
	get(b, "waiting for other tokens", chromedp.Poll[bool](fmt.Sprintf("document.querySelector('#person').textContent !== %q", first)))
	person()
	press("logout")
	b.see("#login")
	enter()
	person()
	b.noReports()
}

// TestEntryButton looks at the sample page of the entry button, light and dark: axe, 320 pixels, the size of what is pressed, its
// mark of focus.
func TestEntryButton(t *testing.T) {
	d := startDev(t)
	for name, dark := range map[string]bool{"light": false, "dark": true} {
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t, browserOptions{dark: dark})
			b.open(d.Issuer + "/docs/integrator")
			b.do("to the sample page", chromedp.Click(chromedp.CSS(`a[href="/docs/kit/buttons.html"]`), chromedp.NodeVisible))
			b.see(".kep-button")
			b.look("the sample page", "buttons")
			const odd = `[...document.querySelectorAll(".kep-button")].filter(e => {
				e.focus({focusVisible: true})
				const r = e.getBoundingClientRect(), s = getComputedStyle(e)
				return r.height < 44 || s.outlineStyle !== "solid" || e.querySelector("svg").getBoundingClientRect().width < 20
			}).map(e => e.outerHTML)`
			if list := get(b, "measuring the buttons", chromedp.Evaluate[[]string](odd)); len(list) > 0 {
				t.Errorf("too small, or without a mark of focus: %s", strings.Join(list, "\n"))
			}
			b.noReports()
		})
	}
}

// TestGuideTellsThePersons: the table of test persons has those of `brama dev`, and what it says of them is what happens.
func TestGuideTellsThePersons(t *testing.T) {
	raw, err := os.ReadFile("../../provider/web/docs/integrator.en.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(raw), "{#persons}")
	part, _, _ = strings.Cut(part, "\n## ")
	told := map[string]bool{} // whether it is a refusal
	for _, m := range regexp.MustCompile("(?m)^\\| ((?:`[a-z-]+`(?:, )?)+) \\| (refused)?").FindAllStringSubmatch(part, -1) {
		for _, name := range regexp.MustCompile("[a-z-]+").FindAllString(m[1], -1) {
			told[name] = m[2] != ""
		}
	}
	happens := map[string]bool{"valid": false, "valid-official": false, "other-issuer": false, "multi": false}
	for name := range refusals {
		happens[name] = true
	}
	if !maps.Equal(told, happens) {
		t.Errorf("the guide tells %v, what happens is %v", told, happens)
	}
}
