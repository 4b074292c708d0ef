package signing

import "brama/connectors"

// A rule is what one method can prove. The table below is the only place where a method gets a level (ux.md 1, threats
// T33): the level of a login is the least of the method's cap, what the certificate proves and what the evidence shows;
// nothing that a portal asks for enters here.
type rule struct {
	cap connectors.LoA
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
}

var rules = map[string]rule{
	"file":   {cap: connectors.Substantial, amr: []string{"swk"}, purpose: true},
	"token":  {cap: connectors.High, amr: []string{"pop"}, device: []string{"hwk"}, purpose: true},
	"diia":   {cap: connectors.High, amr: []string{"pop", "mca"}, device: []string{"hwk", "mca"}, remote: true},
	"upload": {cap: connectors.Substantial, amr: []string{"pop"}, local: true},
	// A cloud key and a SIM are approved on another device than the one that signs in (RFC 8176: mca). What the person sees
	// there is a name and a number, never the text: the connectors give substantial unless the operator's policy says high.
	"cloud":    {cap: connectors.High, amr: []string{"pop", "mca"}, device: []string{"hwk", "mca"}},
	"mobileid": {cap: connectors.High, amr: []string{"pop", "mca"}, device: []string{"hwk", "mca"}},
	"demo":     {cap: connectors.Substantial, amr: []string{"swk"}, purpose: true},
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

// MaxLoA returns the highest level that method can give, "" for a method without a rule.
func MaxLoA(method string) connectors.LoA { return rules[method].cap }
