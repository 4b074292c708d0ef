package provider_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brama/provider/authflow"
	"brama/provider/web"
)

// cookieNames are the expressions by which the code names its cookies. A new one needs a line of web.KeptThings, which is
// what the page on privacy shows.
var cookieNames = map[string]string{
	"cookieName(t.ID)":   "login-",
	"sessionCookie":      "session",
	"web.LanguageCookie": web.LanguageCookie,
	"web.MethodCookie":   web.MethodCookie,
}

// TestPrivacyPageListsEveryCookie: what the code sets in a browser is what the page on privacy lists, and the other way round.
func TestPrivacyPageListsEveryCookie(t *testing.T) {
	set := map[string]bool{}
	files := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			source := func(n ast.Node) string {
				var b bytes.Buffer
				if err := printer.Fprint(&b, files, n); err != nil {
					t.Fatal(err)
				}
				return b.String()
			}
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if (source(n) == "http.SetCookie" || source(n) == "http.Cookie") && name != filepath.Join("session", "cookie.go") && !isPointer(file, n) {
					t.Errorf("%s sets a cookie past session.Cookies", name)
				}
			case *ast.CallExpr:
				f, ok := n.Fun.(*ast.SelectorExpr)
				if !ok || f.Sel.Name != "Set" || len(n.Args) != 4 || !strings.HasSuffix(strings.ToLower(source(f.X)), "cookies") {
					return true
				}
				short, known := cookieNames[source(n.Args[1])]
				if !known {
					t.Errorf("%s sets the cookie %s: tell it on the page on privacy (web.KeptThings) and here", name, source(n.Args[1]))
				}
				set[short] = true
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob("web/static/*.js")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no script was read")
	}
	stores := regexp.MustCompile(`localStorage\.setItem\('([^']*)'`)
	for _, name := range scripts {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range stores.FindAllSubmatch(b, -1) {
			set[string(m[1])] = true
		}
		for _, other := range []string{"document.cookie", "sessionStorage", "indexedDB", "caches.", "localStorage["} {
			if bytes.Contains(b, []byte(other)) {
				t.Errorf("%s keeps something by %s", name, other)
			}
		}
	}
	told := map[string]bool{}
	for _, k := range web.KeptThings {
		told[k.Short] = true
	}
	if !maps.Equal(set, told) {
		t.Errorf("the code sets %v, the page tells %v", slices.Sorted(maps.Keys(set)), slices.Sorted(maps.Keys(told)))
	}
	for _, k := range web.KeptThings {
		if k.Short == "login-" && k.Life != authflow.TicketLife {
			t.Errorf("the page tells %v of the cookie of a login, it lives for %v", k.Life, authflow.TicketLife)
		}
	}
}

// isPointer reports whether sel is a type in the list of parameters or results: a function may take or return a cookie.
func isPointer(file *ast.File, sel *ast.SelectorExpr) bool {
	found := false
	ast.Inspect(file, func(n ast.Node) bool {
		if star, ok := n.(*ast.StarExpr); ok && star.X == sel {
			found = true
		}
		return !found
	})
	return found
}

// TestPrivacyPageShowsTheTable: names as they are at this issuer, with purpose and life, in both languages.
func TestPrivacyPageShowsTheTable(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	for lang, want := range map[string][]string{
		"uk": {"brama-login-…", "4 год 10 хв", "brama-lang", "365 днів", "brama-method", "brama.issuer", "доки не приберете", "сховище браузера"},
		"en": {"brama-login-…", "4 h 10 min", "brama-lang", "365 days", "brama-method", "brama.issuer", "until you remove it", "browser storage"},
	} {
		b.get("/privacy?lang=" + lang)
		for _, w := range want {
			if !strings.Contains(b.page, w) {
				t.Errorf("the page in %s lacks %q", lang, w)
			}
		}
	}
}
