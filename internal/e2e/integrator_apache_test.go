package e2e

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	apacheProgram = "/usr/sbin/apache2"
	apacheModules = "/usr/lib/apache2/modules"
)

// apache runs Debian's Apache with the configuration of the guide, as a process of the test. What the system's configuration
// would say stands here. Apache serves nothing as root, so that root runs it as nobody.
func (g *guided) apache(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(apacheModules, "mod_auth_openidc.so")); err != nil {
		missing(t, "mod_auth_openidc is not installed: run make setup")
	}
	dir, err := os.MkdirTemp("", "brama-apache-") // not TempDir, whose parent is for its owner only
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	here := &guided{dev: g.dev, dir: dir, home: g.home, port: g.port, files: g.files, log: filepath.Join(dir, "error.log")}
	var system strings.Builder
	for _, module := range []string{"mpm_event", "authn_core", "authz_core", "authz_user", "dir", "mime", "include", "env", "rewrite", "auth_openidc"} {
		system.WriteString("LoadModule " + module + "_module " + apacheModules + "/mod_" + module + ".so\n")
	}
	system.WriteString(`PidFile apache.pid
DefaultRuntimeDir "` + dir + `"
Mutex "file:` + dir + `" default
ErrorLog error.log
TypesConfig /dev/null
AddType text/html .html .shtml
DocumentRoot "` + dir + `/www"
DirectoryIndex index.shtml
<Directory "` + dir + `/www">
  Require all granted
</Directory>
Include portal.conf
`)
	if err := os.Mkdir(filepath.Join(dir, "www"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"httpd.conf":          system.String(),
		"www/signed-out.html": "<!doctype html><p>signed out",
		"www/refused.html":    "<!doctype html><p>refused",
		"www/access.shtml":    `<code><!--#echo var="OIDC_access_token" --></code>`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	here.write(t, "portal.conf")
	here.write(t, "index.shtml")
	if err := os.Rename(filepath.Join(dir, "index.shtml"), filepath.Join(dir, "www/index.shtml")); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		const nobody = 65534
		here.as = &syscall.Credential{Uid: nobody, Gid: nobody}
		err := filepath.WalkDir(dir, func(name string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Chown(name, nobody, nobody))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	here.run(t, apacheProgram, "-X", "-d", dir, "-f", filepath.Join(dir, "httpd.conf"))
}

var accessToken = regexp.MustCompile(`<code>([A-Za-z0-9._~-]{20,})</code>`)

// walkApache is the life of walk at a portal that is nothing but Apache: whoever comes is sent to sign in.
func (g *guided) walkApache(t *testing.T) {
	t.Helper()
	signedIn := func(w *walker) {
		t.Helper()
		if !g.atHome(w) || w.status != http.StatusOK || !strings.Contains(w.body, "<p>Тестенко Олена Петрівна, 1234567899, substantial</p>") {
			t.Fatalf("at %s (%d)\n%s", w.at, w.status, w.body)
		}
	}
	token := func(w *walker) string {
		t.Helper()
		w.get(g.home + "/access.shtml")
		m := accessToken.FindStringSubmatch(w.body)
		if m == nil {
			t.Fatalf("at %s (%d): no access token in\n%s", w.at, w.status, w.body)
		}
		return m[1]
	}
	w := newWalker(t, "")
	w.get(g.home + "/")
	w.follow("leave")
	if w.at.String() != g.home+"/refused.html" || !strings.Contains(w.body, "refused") {
		t.Errorf("after leaving: %s (%d) %s", w.at, w.status, w.body)
	}

	w.get(g.home + "/")
	g.enter(t, w)
	signedIn(w)
	first := token(w)
	w.get("/callback?refresh=" + g.home + "/access.shtml&access_token=" + first)
	if second := token(w); second == first || strings.Contains(w.at.RawQuery, "error") {
		t.Errorf("after the refresh at %s the access token is the same: %t", w.at, second == first)
	}

	w.get(g.Issuer + "/logout")
	w.press(`id="end"`, "end", "all")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if w.get(g.home + "/"); strings.HasPrefix(w.at.String(), g.Issuer) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("Apache does not hear that the session is over")
		}
	}

	g.enter(t, w)
	signedIn(w)
	link := regexp.MustCompile(`<a href="(/callback\?logout=[^"]+)">Вийти</a>`).FindStringSubmatch(w.body)
	if link == nil {
		t.Fatalf("no link to sign out in\n%s", w.body)
	}
	w.get(link[1])
	if w.at.String() != g.home+"/signed-out.html" || !strings.Contains(w.body, "signed out") {
		t.Fatalf("signed out to %s (%d)\n%s", w.at, w.status, w.body)
	}
	w.get(g.home + "/")
	g.enter(t, w) // neither Apache nor the provider has a session
}
