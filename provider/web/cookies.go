package web

import (
	"strconv"
	"time"
)

// A Kept is something that stays in a browser, as the page on privacy tells it. What is not in the list below is not kept: a
// test compares it with what the code sets.
type Kept struct {
	Short   string        // name without the prefix; one that ends in "-" goes on with part of a login's id
	Key     string        // of its purpose below privacy.kept.
	Life    time.Duration // longest; zero means until the person removes it
	Storage bool          // in localStorage, not a cookie
}

// MethodCookie keeps the last method by which somebody signed in here, for MethodLife.
const (
	MethodCookie = "method"
	MethodLife   = 365 * 24 * time.Hour
)

// KeptThings are all that the pages leave in a browser.
var KeptThings = []Kept{
	{Short: "login-", Key: "login", Life: 4*time.Hour + 10*time.Minute},
	{Short: "session", Key: "session", Life: 8 * time.Hour}, // at most: it ends with the browser
	{Short: LanguageCookie, Key: "lang", Life: LanguageLife},
	{Short: MethodCookie, Key: "method", Life: MethodLife},
	{Short: "brama.issuer", Key: "issuer", Storage: true},
}

// A keptRow is a line of the table.
type keptRow struct {
	Name, Where, Purpose, Life string
}

// kept writes the table in the language of t, with the names as they are at this issuer.
func (s *Site) kept(t *Texts) []keptRow {
	prefix := "brama-"
	if s.secure {
		prefix = "__Host-brama-"
	}
	var rows []keptRow
	for _, k := range KeptThings {
		row := keptRow{Name: prefix + k.Short, Where: t.m["privacy.cookie"], Purpose: t.m["privacy.kept."+k.Key], Life: t.duration(k.Life)}
		if k.Storage {
			row.Name, row.Where = k.Short, t.m["privacy.storage"]
		}
		if k.Short[len(k.Short)-1] == '-' {
			row.Name += "…"
		}
		rows = append(rows, row)
	}
	return rows
}

// duration writes a life for people.
func (t *Texts) duration(d time.Duration) string {
	number := func(key string, n int) string { return t.fill(t.m[key], map[string]string{"n": strconv.Itoa(n)}) }
	switch {
	case d == 0:
		return t.m["privacy.life.removed"]
	case d >= 48*time.Hour:
		return number("privacy.life.days", int(d/(24*time.Hour)))
	case d%time.Hour == 0:
		return number("privacy.life.hours", int(d/time.Hour))
	}
	return number("privacy.life.hours", int(d/time.Hour)) + " " + number("privacy.life.minutes", int(d%time.Hour/time.Minute))
}
