package e2e

import (
	"bytes"
	"encoding/json"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A record is a line of the audit log.
type record struct {
	Action    string `json:"action"`
	Outcome   string `json:"outcome"`
	Code      string `json:"code"`
	Login     string `json:"login"`
	Client    string `json:"client"`
	Connector string `json:"connector"`
	Evidence  struct {
		ID string `json:"id"`
	} `json:"evidence"`
}

// records reads what the audit log of a running `brama dev` has of a login.
func (d *dev) records(t testing.TB, login string) (list []record) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(d.data, "audit", "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("audit: %v in %s", err, line)
		}
		if r.Login == login {
			list = append(list, r)
		}
	}
	return list
}

// loginPattern finds the id of a login in an address of one of its pages.
var loginPattern = regexp.MustCompile(`/login/([A-Za-z0-9_-]{22})/`)

func loginOf(t testing.TB, address string) string {
	t.Helper()
	m := loginPattern.FindStringSubmatch(address)
	if m == nil {
		t.Fatalf("%s is no page of a login", address)
	}
	return m[1]
}

// recorded fails unless the last line about login says that it was refused with code by connector, and nothing was proven.
func (d *dev) recorded(t testing.TB, login, connector, code string) {
	t.Helper()
	list := d.records(t, login)
	if len(list) == 0 {
		t.Errorf("%s: the audit has nothing of it", code)
		return
	}
	last := list[len(list)-1]
	if last.Action != "login.refused" || last.Code != code || last.Connector != connector || last.Client != "demo-portal" {
		t.Errorf("%s: the audit says %+v", code, last)
	}
	if last.Outcome != "failed" && last.Outcome != "indeterminate" && last.Outcome != "fault" {
		t.Errorf("%s: it ended as %q", code, last.Outcome)
	}
	for _, r := range list {
		if r.Action == "login.verified" || r.Action == "login.confirmed" {
			t.Errorf("%s: the audit has %s", code, r.Action)
		}
	}
}

// proven fails unless the audit has the proof of a login with its evidence, and that the person confirmed it after that.
func (d *dev) proven(t testing.TB, login string) {
	t.Helper()
	verified := false
	for _, r := range d.records(t, login) {
		switch r.Action {
		case "login.verified":
			verified = r.Outcome == "passed" && r.Evidence.ID != ""
		case "login.confirmed":
			if verified {
				return
			}
		}
	}
	t.Errorf("the audit has no proof and confirmation: %+v", d.records(t, login))
}

// texts are the messages of a language, as the program has them.
func texts(t testing.TB, lang string) map[string]string {
	t.Helper()
	all := map[string]string{}
	names, err := filepath.Glob(filepath.Join("..", "..", "provider", "web", "locales", lang, "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no texts of %s: %v", lang, err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(b, &all)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

var placeholder = regexp.MustCompile(`\\\{[a-z]+\\\}`)

// says reports whether text is the message of a code, with any values, and next its next step.
func says(all map[string]string, code, text, next string) bool {
	if all[code] == "" || strings.Contains(text, "{") || next != all[code+".next"] {
		return false
	}
	pattern := "^" + placeholder.ReplaceAllString(regexp.QuoteMeta(all[code]), ".+") + "$"
	return regexp.MustCompile(pattern).MatchString(text) || text == all[code+".plain"]
}

var (
	textPattern = regexp.MustCompile(`<p id="problem-text">(?:<a [^>]*>)?([^<]*)`)
	nextPattern = regexp.MustCompile(`<p id="problem-next">([^<]*)`)
)

// message is the text of the problem on the page and its next step.
func (w *walker) message() (text, next string) {
	if m := textPattern.FindStringSubmatch(w.body); m != nil {
		text = html.UnescapeString(m[1])
	}
	if m := nextPattern.FindStringSubmatch(w.body); m != nil {
		next = html.UnescapeString(m[1])
	}
	return text, next
}
