package oauth

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxName = 120 // characters of a portal's name
	maxID   = 128
	maxURI  = 2 << 10
)

// validID keeps client ids to the characters that a login challenge can hold.
func validID(id string) bool {
	return id != "" && len(id) <= maxID && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("._~:/-", r)
	})
}

// checkName keeps what the person reads of a portal to plain text: letters, digits and plain punctuation, in NFC, no word
// of two scripts. A line feed, a direction mark or a look-alike would make a page say something else than it seems.
func checkName(name string) error {
	switch {
	case !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName:
		return errors.New("is not text of at most 120 characters")
	case !norm.NFC.IsNormalString(name):
		return errors.New("is not in NFC")
	case strings.TrimSpace(name) != name || strings.Contains(name, "  "):
		return errors.New("has spaces at its ends, or two together")
	}
	var script *unicode.RangeTable
	letters := false
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) {
			// An apostrophe and a hyphen do not end a word.
			if !strings.ContainsRune("'’ʼ-", r) {
				script = nil
			}
			if !unicode.IsDigit(r) && !strings.ContainsRune(" .,:;!?()/&№+'’ʼ\"«»“”„-–—", r) {
				return errors.New("has a character that does not belong into a name")
			}
			continue
		}
		if r == 'ʼ' { // a letter for Unicode, an apostrophe here
			continue
		}
		var of *unicode.RangeTable
		switch {
		case unicode.Is(unicode.Latin, r):
			of = unicode.Latin
		case unicode.Is(unicode.Cyrillic, r):
			of = unicode.Cyrillic
		case unicode.Is(unicode.Mn, r) && letters:
			continue
		default:
			return errors.New("has a letter that is neither Ukrainian nor Latin")
		}
		if script != nil && script != of {
			return errors.New("has a word of two scripts")
		}
		script, letters = of, true
	}
	return nil
}

// checkHome keeps the portal's address, whose host is shown and signed, to the form that a browser shows too.
func checkHome(raw string, native bool) error {
	if err := checkRegisteredURI(raw, native); err != nil {
		return err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return err
	}
	for label := range strings.SplitSeq(u.Hostname(), ".") {
		if strings.HasPrefix(label, "xn--") {
			return errors.New("a host in other letters than Latin can look like another")
		}
	}
	return nil
}
