package signing

import (
	"slices"

	"brama/connectors"
	"brama/connectors/levels"
)

// An Answer is what is known of a login in which another system says who the person is.
type Answer struct {
	Method string // "idgov" or "bankid"
	// Means is how the person proved it there, in that system's words; "" for a system with one.
	Means string
	// Device says that the system calls the key one in a qualified device. It counts only with Signed: what stands in an
	// envelope that anyone can make proves no more than the connection does (threats T33, T47).
	Device bool
	// Signed says that the answer is signed by the system itself.
	Signed bool
}

// answers are the means of each system with their authentication methods (RFC 8176). The levels are the policy's.
var answers = map[string]map[string][]string{
	"idgov": {
		"dig_sign":   {"pop"},
		"diia_id":    {"pop", "mca"},
		"mobile_id":  {"pop", "mca"},
		"bank_id":    {"user"},
		"diia_oauth": {"user"},
	},
	"bankid": {"": {"user"}},
}

// Level returns the level that p, nil being the policy in the program, gives to a, and the authentication methods. A means
// that is not known is low; an unknown system has no level.
func (a Answer) Level(p *levels.Policy) (connectors.LoA, []string) {
	means, ok := answers[a.Method]
	if !ok {
		return "", nil
	}
	amr, ok := means[a.Means]
	if !ok {
		return connectors.Low, []string{"user"}
	}
	return orDefault(p).Answer(a.Method, a.Means, a.Signed, a.Device), slices.Clone(amr)
}

// MaxAnswerLoA returns the highest level that the answers of method can have under p, "" for an unknown system.
func MaxAnswerLoA(p *levels.Policy, method string, signed bool) connectors.LoA {
	if _, ok := answers[method]; !ok {
		return ""
	}
	return orDefault(p).MaxAnswer(method, signed)
}
