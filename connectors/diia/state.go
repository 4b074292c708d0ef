package diia

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A request is the one live request of a login, as it stands in Login.State.
type request struct {
	ID        string    `json:"id"`
	Link      string    `json:"link"`
	Code      string    `json:"code,omitempty"` // two digits; "" in the scope auth
	File      string    `json:"file,omitempty"`
	Scope     Scope     `json:"scope"`
	Expires   time.Time `json:"expires"`
	Cancelled bool      `json:"cancelled,omitempty"`
}

// Times of a request (ux.md 3). Diia does not publish how long a link lives [U]; its own cabinet keeps the nonce 180 s [V].
const (
	life  = 180 * time.Second
	grace = 30 * time.Second // a result that comes so much later still counts
	every = 2 * time.Second
)

// read returns the request in a state, nil if there is none. What we have written ourselves and cannot read is our bug.
func readState(state []byte) (*request, error) {
	if len(state) == 0 {
		return nil, nil
	}
	var r request
	if err := json.Unmarshal(state, &r); err != nil {
		return nil, fmt.Errorf("diia: reading the state of a login: %w", err)
	}
	if r.ID == "" || r.Expires.IsZero() {
		return nil, errors.New("diia: the state of a login holds no request")
	}
	return &r, nil
}

func (r *request) write() ([]byte, error) { return json.Marshal(r) }

// live reports whether the telephone may still begin.
func (r *request) live(now time.Time) bool { return r != nil && !r.Cancelled && now.Before(r.Expires) }

// open reports whether a result still counts.
func (r *request) open(now time.Time) bool {
	return r != nil && !r.Cancelled && now.Before(r.Expires.Add(grace))
}

// newID makes the id of a request: the login's, by which its notification finds it, and 256 bits that only the provider
// and the telephone learn. Neither is a right to anything (threat T45).
func newID(login string, random io.Reader) (string, error) {
	secret := make([]byte, 32)
	if _, err := io.ReadFull(random, secret); err != nil {
		return "", fmt.Errorf("diia: making a request: %w", err)
	}
	return login + idSeparator + base64.RawURLEncoding.EncodeToString(secret), nil
}

const idSeparator = "."

// loginIn returns the login that an id claims.
func loginIn(id string) (login string, ok bool) {
	login, secret, ok := strings.Cut(id, idSeparator)
	if !ok || !validID(login) {
		return "", false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	return login, err == nil && len(b) == 32
}

// newCode makes a matching code, 10 to 99: two digits that are read the same by everybody.
func newCode(random io.Reader) (string, error) {
	var b [1]byte
	for {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("diia: making a code: %w", err)
		}
		if b[0] < 180 { // twice ninety: each code equally often
			return fmt.Sprintf("%02d", 10+b[0]%90), nil
		}
	}
}

var random io.Reader = rand.Reader

// maxPortal bounds the portal's name in the name of the file, in characters: the code after it must still be seen.
const maxPortal = 60

// fileName is what the application shows as the file to sign: what for, where, when, and the matching code.
func fileName(portal, code string, at time.Time) string {
	return "Вхід, " + inFileName(portal) + ", " + at.Format("15-04") + ", код " + code + ".txt"
}

// inFileName replaces what may not stand in the name of a file or would change what it seems to say (threat T8): names of
// portals are checked when they are registered, but this one leaves our hands.
func inFileName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError || strings.ContainsRune(`/\:*?"<>|`, r):
			return '-'
		case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r), unicode.IsPunct(r), unicode.IsSymbol(r):
			return r
		default:
			return ' '
		}
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxPortal {
		s = strings.TrimSpace(string(r[:maxPortal-1])) + "…"
	}
	return s
}
