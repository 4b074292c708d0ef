package signing

import (
	"brama/connectors"
	"brama/connectors/levels"
)

// A rule is what is particular to the signatures of one method. The level is not here: it is the policy's (package levels),
// by the method and what the certificate says, and nothing that a portal asks for enters (threat T33).
type rule struct {
	amr []string // RFC 8176
	// purpose demands the signed attribute purpose=login, which the programs of ours add and others cannot.
	purpose bool
	// device is the amr in place of amr where the certificate says that the key is in a qualified device.
	device []string
	// local refuses certificates whose key is kept by a provider and used by telephone: such a signer shows its owner a
	// digest only, so that a signature obtained for another text could be brought here (threat T3).
	local bool
	// remote demands a certificate of such a provider: where a telephone signs a digest, the signature of another key did
	// not come by the way that asked for it.
	remote bool
	// as is the method whose lines in the policy count; "" is the method itself.
	as string
}

var rules = map[string]rule{
	"file":   {amr: []string{"swk"}, purpose: true},
	"token":  {amr: []string{"pop"}, device: []string{"hwk"}, purpose: true},
	"diia":   {amr: []string{"pop", "mca"}, device: []string{"hwk", "mca"}, remote: true},
	"upload": {amr: []string{"pop"}, local: true},
	// A cloud key and a SIM are approved on another device than the one that signs in (RFC 8176: mca).
	"cloud":    {amr: []string{"pop", "mca"}, device: []string{"hwk", "mca"}},
	"mobileid": {amr: []string{"pop", "mca"}, device: []string{"hwk", "mca"}},
	"demo":     {amr: []string{"swk"}, purpose: true, as: "file"},
}

// policyName is the method by which the policy knows method.
func policyName(method string) string {
	if as := rules[method].as; as != "" {
		return as
	}
	return method
}

// rank orders levels; an unknown level is below every other.
func rank(l connectors.LoA) int {
	switch l {
	case connectors.Low:
		return 1
	case connectors.Substantial:
		return 2
	case connectors.High:
		return 3
	default:
		return 0
	}
}

// least returns the lower of two levels.
func least(a, b connectors.LoA) connectors.LoA {
	if rank(a) < rank(b) {
		return a
	}
	return b
}

// Least returns the lower of two levels; an unknown one is below every other.
func Least(a, b connectors.LoA) connectors.LoA { return least(a, b) }

// MaxLoA returns the highest level that signatures by method can have under p, nil being the policy in the program; "" for a
// method without a rule.
func MaxLoA(p *levels.Policy, method string) connectors.LoA {
	if _, ok := rules[method]; !ok {
		return ""
	}
	return orDefault(p).MaxSignature(policyName(method))
}

func orDefault(p *levels.Policy) *levels.Policy {
	if p == nil {
		return levels.Default()
	}
	return p
}
