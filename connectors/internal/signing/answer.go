package signing

import (
	"slices"

	"brama/connectors"
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

// An answerRule is what one means can prove: with and without the qualified device, of a signed answer.
type answerRule struct {
	plain, device connectors.LoA
	amr           []string // RFC 8176
}

// answers is the other half of the table of levels. A means that is not here is low.
var answers = map[string]map[string]answerRule{
	"idgov": {
		// czo.gov.ua, questions and answers: a qualified signature has the high level, an advanced one the middle.
		"dig_sign":  {connectors.Substantial, connectors.High, []string{"pop"}},
		"diia_id":   {connectors.Substantial, connectors.High, []string{"pop", "mca"}},
		"mobile_id": {connectors.Substantial, connectors.High, []string{"pop", "mca"}},
		// The National Bank plans to register BankID at the middle level.
		"bank_id": {connectors.Substantial, connectors.Substantial, []string{"user"}},
		// A session of the app, without a signature.
		"diia_oauth": {connectors.Substantial, connectors.Substantial, []string{"user"}},
	},
	"bankid": {"": {connectors.Substantial, connectors.Substantial, []string{"user"}}},
}

// Level returns the level that a proves and its authentication methods. Without the system's own signature it is
// substantial at most; an unknown system has none.
func (a Answer) Level() (connectors.LoA, []string) {
	means, ok := answers[a.Method]
	if !ok {
		return "", nil
	}
	r, ok := means[a.Means]
	if !ok {
		return connectors.Low, []string{"user"}
	}
	level := r.plain
	if a.Device && a.Signed {
		level = r.device
	}
	if !a.Signed {
		level = least(level, connectors.Substantial)
	}
	return level, slices.Clone(r.amr)
}

// MaxAnswerLoA returns the highest level that the answers of method can give, "" for a method without a rule.
func MaxAnswerLoA(method string, signed bool) connectors.LoA {
	most := connectors.LoA("")
	for means := range answers[method] {
		l, _ := Answer{Method: method, Means: means, Device: true, Signed: signed}.Level()
		if rank(l) > rank(most) {
			most = l
		}
	}
	return most
}
