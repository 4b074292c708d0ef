package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestEveryCodeHasItsText: a code that a connector, the validator or the flow refuses with has a text and a next step in
// every language; without one the person is told of a fault of ours.
func TestEveryCodeHasItsText(t *testing.T) {
	form := regexp.MustCompile(`^[A-Z]+(_[A-Z]+)+$`)
	found := map[string]string{}
	for _, root := range []string{"../../connectors", "../authflow"} {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() && strings.HasSuffix(name, "test") {
				return filepath.SkipDir // a double: it says what others say
			}
			if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if s, err := strconv.Unquote(lit.Value); err == nil && form.MatchString(s) {
						found[s] = name
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(found) < 20 {
		t.Fatalf("%d codes are found: the test proves nothing", len(found))
	}
	for _, l := range Langs {
		texts, err := loadTexts(l)
		if err != nil {
			t.Fatal(err)
		}
		for code, name := range found {
			if !texts.Has(code) || !texts.Has(code+".next") {
				t.Errorf("%s of %s has no text in %s", code, name, l)
			}
		}
	}
}
