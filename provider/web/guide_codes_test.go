package web

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// codeParts are the parts of the guide of codes, in its order, by the beginnings of codes; the last takes what is left.
var codeParts = [][]string{
	{"KEY_"}, {"CERT_", "CHAIN_", "TRUST_", "PERSON_", "LEVEL_"}, {"SIG_", "CMS_", "FORMAT_", "CHALLENGE_", "UPLOAD_"},
	{"AGENT_", "TOKEN_", "PIN_"}, {"REMOTE_", "UPSTREAM_", "RETURN_"}, {""},
}

// TestGuideOfCodes: the guide has every code that a page, the log or a portal can see, with the words that the person reads. After
// a change of texts:
//
//	BRAMA_WRITE_CODES=1 go test -run TestGuideOfCodes ./provider/web
func TestGuideOfCodes(t *testing.T) {
	code := regexp.MustCompile(`^[A-Z]+(_[A-Z]+)*$`)
	for _, l := range Langs {
		texts, err := loadTexts(l)
		if err != nil {
			t.Fatal(err)
		}
		tables := make([]string, len(codeParts))
		n := 0
		for _, key := range slices.Sorted(maps.Keys(texts.m)) {
			if !code.MatchString(key) {
				continue
			}
			part := slices.IndexFunc(codeParts, func(begins []string) bool {
				return slices.ContainsFunc(begins, func(b string) bool { return strings.HasPrefix(key, b) })
			})
			escape := strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`")
			tables[part] += fmt.Sprintf("| `%s` | %s | %s |\n", key, escape.Replace(texts.m[key]), escape.Replace(texts.m[key+".next"]))
			n++
		}
		if n < 60 {
			t.Fatalf("only %d codes: the test looks at nothing", n)
		}
		name := "docs/codes." + string(l) + ".md"
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		part, inTable := -1, false
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(line, "|---") {
				inTable = true
				if part++; part < len(tables) {
					want.WriteString(line + tables[part])
				}
				continue
			}
			if inTable && strings.HasPrefix(line, "| ") {
				continue
			}
			inTable = false
			want.WriteString(line)
		}
		if part != len(tables)-1 {
			t.Fatalf("%s has %d tables, want %d", name, part+1, len(tables))
		}
		if os.Getenv("BRAMA_WRITE_CODES") != "" {
			if err := os.WriteFile(name, []byte(want.String()), 0o644); err != nil { //nolint:gosec // a guide that everybody may read
				t.Fatal(err)
			}
			continue
		}
		if want.String() != string(b) {
			t.Errorf("%s is not what the texts say: BRAMA_WRITE_CODES=1 go test -run TestGuideOfCodes ./provider/web", name)
		}
	}
}
