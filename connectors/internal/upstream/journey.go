package upstream

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"brama/connectors"
)

// A Journey is what a login remembers of its way to another system. It is the connector's state of the login.
type Journey struct {
	Method string `json:"m"`           // whose it is: a code is never taken by another connector (threat T50)
	State  string `json:"s"`           // the parameter state
	Choice string `json:"c,omitempty"` // what was asked for: means, or bank
}

// stateRandom is the random part of a state, in octets.
const stateRandom = 32

// Depart makes a journey with a new state: the login's id, a full stop and 256 random bits. The id only helps to find the
// login again; it is the browser's cookie that gives access to it.
func Depart(login connectors.Login, method, choice string) (Journey, []byte, error) {
	random := make([]byte, stateRandom)
	if _, err := rand.Read(random); err != nil {
		return Journey{}, nil, err
	}
	j := Journey{Method: method, State: login.ID + "." + base64.RawURLEncoding.EncodeToString(random), Choice: choice}
	b, err := json.Marshal(j)
	return j, b, err
}

// LoginOf returns which login a return claims to be of. It proves nothing.
func LoginOf(ev connectors.Event) (string, error) {
	state, err := one(ev, "state", maxState)
	if err != nil {
		return "", err
	}
	id, random, ok := strings.Cut(state, ".")
	if b, err := base64.RawURLEncoding.Strict().DecodeString(random); !ok || id == "" || err != nil || len(b) != stateRandom {
		return "", errors.New("upstream: the state has another form")
	}
	return id, nil
}

// Limits of what a return carries: real codes have 40 characters.
const (
	maxState = 256
	maxCode  = 1024
)

// Spends reports whether ev is the return that login waits for, good or not: whoever stores the login forgets its state
// before the return is looked at, so that it comes once.
func Spends(login connectors.Login, method string, ev connectors.Event) bool {
	_, err := journeyOf(login, method, ev)
	return err == nil
}

// Returns is the part of a connector that knows its returns: the method whose they are.
type Returns string

// LoginOf returns which login a return claims to be of. It proves nothing.
func (Returns) LoginOf(ev connectors.Event) (string, error) { return LoginOf(ev) }

// Spends reports whether ev is the return that login waits for; see Spends.
func (r Returns) Spends(login connectors.Login, ev connectors.Event) bool {
	return Spends(login, string(r), ev)
}

func journeyOf(login connectors.Login, method string, ev connectors.Event) (Journey, error) {
	if ev.Via != connectors.ViaReturn {
		return Journey{}, errors.New("event of another kind")
	}
	var j Journey
	if len(login.State) == 0 || json.Unmarshal(login.State, &j) != nil || j.State == "" {
		return Journey{}, errors.New("the login waits for no return")
	}
	state, err := one(ev, "state", maxState)
	if err != nil {
		return Journey{}, err
	}
	switch {
	case j.Method != method:
		return Journey{}, errors.New("the login waits for another system")
	case !strings.HasPrefix(j.State, login.ID+"."):
		return Journey{}, errors.New("the state is of another login")
	case subtle.ConstantTimeCompare([]byte(j.State), []byte(state)) != 1:
		return Journey{}, errors.New("the return is of another journey")
	}
	return j, nil
}

// Return checks that ev brings login back from method's system, and returns its journey and the code. Every error is a
// refusal.
func (c *Client) Return(login connectors.Login, method string, ev connectors.Event, now time.Time) (Journey, string, error) {
	j, err := journeyOf(login, method, ev)
	if err != nil {
		return Journey{}, "", connectors.Retry(CodeUnknown, err)
	}
	if !now.Before(login.Expires) {
		return Journey{}, "", connectors.Retry(CodeTooLate, nil)
	}
	if _, failed := ev.Values["error"]; failed {
		word, err := one(ev, "error", maxState)
		if err != nil {
			return Journey{}, "", c.Invalid(err)
		}
		return Journey{}, "", c.Answered(word)
	}
	code, err := one(ev, "code", maxCode)
	if err != nil {
		return Journey{}, "", c.Invalid(err)
	}
	return j, code, nil
}

// one returns the only value of a parameter: visible ASCII, neither empty nor over limit octets.
func one(ev connectors.Event, name string, limit int) (string, error) {
	v := ev.Values[name]
	if len(v) != 1 || v[0] == "" || len(v[0]) > limit || !visible(v[0]) {
		return "", fmt.Errorf("the return has no usable %s", name)
	}
	return v[0], nil
}

func visible(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
