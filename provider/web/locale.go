package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // dates are shown in Kyiv's time, also where the machine has no time zones

	"golang.org/x/text/language"
)

//go:embed locales
var localeFiles embed.FS

// A Lang is a language of the pages.
type Lang string

// Languages; the first is the default.
const (
	Ukrainian Lang = "uk"
	English   Lang = "en"
)

// Langs are all languages, in the order of the switch.
var Langs = []Lang{Ukrainian, English}

// LanguageCookie keeps the language for LanguageLife.
const (
	LanguageCookie = "lang"
	LanguageLife   = 365 * 24 * time.Hour
)

// ParseLang returns the language called s, ok only if there is one.
func ParseLang(s string) (Lang, bool) {
	l := Lang(s)
	return l, slices.Contains(Langs, l)
}

// Negotiate chooses a language: what the person switched to in this login, the portal's ui_locales, the cookie, the
// browser's Accept-Language, else Ukrainian. Unknown ones are passed over.
func Negotiate(switched string, uiLocales []string, cookie, acceptLanguage string) Lang {
	if l, ok := ParseLang(switched); ok {
		return l
	}
	for _, tag := range uiLocales {
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if l, ok := ParseLang(base); ok {
			return l
		}
	}
	if l, ok := ParseLang(cookie); ok {
		return l
	}
	if acceptLanguage == "" || len(acceptLanguage) > 200 {
		return Ukrainian
	}
	tags, weights, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return Ukrainian
	}
	for i, tag := range tags {
		base, _ := tag.Base()
		if l, ok := ParseLang(base.String()); ok && weights[i] > 0 {
			return l
		}
	}
	return Ukrainian
}

// Texts are the messages of one language by key: flat, `{name}` being a placeholder.
type Texts struct {
	lang Lang
	m    map[string]string
}

// loadTexts reads every file of a language; a key that stands twice is an error.
func loadTexts(l Lang) (*Texts, error) {
	t := &Texts{lang: l, m: map[string]string{}}
	dir := path.Join("locales", string(l))
	entries, err := localeFiles.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the texts of %s: %w", l, err)
	}
	for _, e := range entries {
		b, err := localeFiles.ReadFile(path.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading the texts of %s: %w", l, err)
		}
		var m map[string]string
		if err := json.Unmarshal(b, &m); err != nil {
			return nil, fmt.Errorf("reading %s of %s: %w", e.Name(), l, err)
		}
		for k, v := range m {
			if _, twice := t.m[k]; twice {
				return nil, fmt.Errorf("text %q of %s stands twice", k, l)
			}
			t.m[k] = v
		}
	}
	return t, nil
}

// Keys returns all keys, sorted.
func (t *Texts) Keys() []string { return slices.Sorted(maps.Keys(t.m)) }

// Has reports whether there is a text for key.
func (t *Texts) Has(key string) bool { _, ok := t.m[key]; return ok }

// Text returns the text of key with its placeholders filled by pairs of name and value. A key without a text is an error:
// a missing message must not reach a page.
func (t *Texts) Text(key string, pairs ...string) (string, error) {
	s, ok := t.m[key]
	if !ok {
		return "", fmt.Errorf("web: no text %q in %s", key, t.lang)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		s = strings.ReplaceAll(s, "{"+pairs[i]+"}", pairs[i+1])
	}
	return s, nil
}

// A Message is what the person is told about a code.
type Message struct {
	Code string `json:"code"`
	Text string `json:"message"`
	Next string `json:"next"`
}

// CodeInternal is the code of what has no other: its text reveals nothing.
const CodeInternal = "INTERNAL"

// Message returns the message of a code: one sentence and the next step. A text whose placeholders are not all given has
// a plain variant, which is taken then. A code without a text becomes INTERNAL: the default branch reveals nothing.
func (t *Texts) Message(code string, values map[string]string) Message {
	if !t.Has(code) || strings.Contains(code, ".") {
		code = CodeInternal
	}
	text := t.fill(t.m[code], values)
	if strings.Contains(text, "{") {
		if plain, ok := t.m[code+".plain"]; ok {
			text = plain
		}
	}
	return Message{Code: code, Text: text, Next: t.m[code+".next"]}
}

// fill puts values into s: dates in the form of the page, kinds, names of numbers and a browser that is not known in its
// language.
func (t *Texts) fill(s string, values map[string]string) string {
	for name, value := range values {
		if value == "" {
			continue
		}
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			value = FormatTime(at)
		}
		if name == "kind" || name == "number" || name == "browser" {
			if word, ok := t.m[name+"."+value]; ok {
				value = word
			}
		}
		s = strings.ReplaceAll(s, "{"+name+"}", value)
	}
	return s
}

var kyiv = func() *time.Location {
	l, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		panic("web: internal error: " + err.Error())
	}
	return l
}()

// FormatTime returns dd.mm.yyyy hh:mm in Kyiv's time.
func FormatTime(t time.Time) string { return t.In(kyiv).Format("02.01.2006 15:04") }

// FormatDate returns dd.mm.yyyy in Kyiv's time.
func FormatDate(t time.Time) string { return t.In(kyiv).Format("02.01.2006") }
