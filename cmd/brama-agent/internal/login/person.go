package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Person is what the person at this computer has chosen, in a file of their own: the phrase that every window shows, so
// that a page cannot draw one (threat T59), and the sites that have been here before (T57).
type Person struct{ path string }

// NewPerson keeps the file in dir.
func NewPerson(dir string) *Person { return &Person{path: filepath.Join(dir, "person.json")} }

type chosen struct {
	Phrase  string   `json:"phrase"`
	Origins []string `json:"origins"`
}

const (
	maxPersonFile = 64 << 10
	minPhrase     = 4
	maxPhrase     = 60
)

// load reads the file; none, or one that cannot be read, is as new: the person is asked again.
func (p *Person) load() chosen {
	f, err := os.Open(p.path)
	if err != nil {
		return chosen{}
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxPersonFile))
	var c chosen
	if err != nil || json.Unmarshal(b, &c) != nil || c.Phrase != "" && !validPhrase(c.Phrase) {
		return chosen{}
	}
	return c
}

// save replaces the file whole.
func (p *Person) save(c chosen) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o700); err != nil {
		return fmt.Errorf("keeping the phrase: %w", err)
	}
	temp := p.path + ".new"
	if err := os.WriteFile(temp, b, 0o600); err != nil {
		return fmt.Errorf("keeping the phrase: %w", err)
	}
	return os.Rename(temp, p.path)
}

func (c chosen) knows(origin string) bool { return slices.Contains(c.Origins, origin) }

func validPhrase(s string) bool {
	n := utf8.RuneCountInString(s)
	return utf8.ValidString(s) && n >= minPhrase && n <= maxPhrase && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// errNoPhrase says that the person gave no usable phrase.
var errNoPhrase = errors.New("no phrase was chosen")
