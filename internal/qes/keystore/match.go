package keystore

import (
	"bytes"
	"time"

	"brama/internal/der"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// A Reason is why a certificate cannot sign a person in; "" if nothing is against it. The values are the codes of
// messages for people.
type Reason string

// Reasons.
const (
	ReasonUsage       Reason = "CERT_USAGE"
	ReasonSeal        Reason = "CERT_SEAL"
	ReasonExpired     Reason = "CERT_EXPIRED"
	ReasonNotYetValid Reason = "CERT_NOT_YET_VALID"
)

// Usable reports whether the certificate can be used for a login.
func (r Reason) Usable() bool { return r == "" }

// A Candidate is a certificate of a key.
type Candidate struct {
	Key         int // index in Container.Keys
	Certificate *tbs.Certificate
	Reason      Reason
}

var (
	oidExtendedKeyUsage = der.NewOID("2.5.29.37")
	oidSeal             = der.NewOID("1.2.804.2.1.1.1.3.9")
)

// Fits reports whether the certificate's public key is k's. It compares keys, never identifiers.
func (k *Key) Fits(c *tbs.Certificate) bool {
	if k.Public == nil || c.PublicKey == nil {
		return false
	}
	if k.DSTU != nil {
		return c.PublicKey.DSTU != nil && c.PublicKey.DSTU.Equal(k.DSTU.Public())
	}
	switch k.Algorithm {
	case AlgorithmRSA:
		return c.PublicKey.Algorithm.OID == spki.OIDRSA && bytes.Equal(c.PublicKey.Key, k.Public)
	case AlgorithmECDSA:
		if c.PublicKey.Algorithm.OID != spki.OIDECPublicKey || !bytes.Equal(c.PublicKey.Key, k.Public) {
			return false
		}
		// The same curve: a point alone does not say which one it is on.
		r := der.NewReader(c.PublicKey.Algorithm.Parameters)
		curve := r.OID()
		return r.Done() == nil && (curveNames[curve] == k.Curve || curve.String() == k.Curve)
	}
	return false
}

// Match finds the certificates of keys among certs, in the order of certs, each with its first key and with what, at time
// now, speaks against signing in with it.
func Match(keys []Key, certs []*tbs.Certificate, now time.Time) []Candidate {
	var found []Candidate
	for _, c := range certs {
		for i := range keys {
			if keys[i].Fits(c) {
				found = append(found, Candidate{Key: i, Certificate: c, Reason: reasonAgainst(c, now)})
				break
			}
		}
	}
	return found
}

func reasonAgainst(c *tbs.Certificate, now time.Time) Reason {
	usage, ok := c.KeyUsage()
	switch {
	case !ok || usage&tbs.NonRepudiation == 0:
		return ReasonUsage
	case IsSeal(c):
		return ReasonSeal
	case now.Before(c.NotBefore):
		return ReasonNotYetValid
	case now.After(c.NotAfter):
		return ReasonExpired
	}
	return ""
}

// IsSeal reports whether the certificate is for an electronic seal: its extended key usage says so.
func IsSeal(c *tbs.Certificate) bool {
	e := c.Extension(oidExtendedKeyUsage)
	if e == nil {
		return false
	}
	outer := der.NewReader(e.Value)
	for r := outer.Sequence(); r.More(); {
		if r.OID() == oidSeal {
			return true
		}
	}
	return false
}

// Suggest returns the index of the candidate to sign with if there is nothing to choose: the only usable one. If none is
// usable it is the least unusable one with a signing certificate, so that a server can say what is wrong with it. −1 if
// there are several or none.
func Suggest(candidates []Candidate) int {
	best, rank, several := -1, 0, false
	for i, c := range candidates {
		r := 1
		switch c.Reason {
		case "":
			r = 4
		case ReasonExpired, ReasonNotYetValid:
			r = 3
		case ReasonSeal:
			r = 2
		}
		switch {
		case r > rank:
			best, rank, several = i, r, false
		case r == rank && r == 4:
			several = true
		}
	}
	if several {
		return -1
	}
	return best
}

// guessUsage fills Usage where the container says what its keys are for: by the key usage of a certificate inside, else by
// the habit of national programs to put a signing and an agreement key into one PKCS#12, in this order.
func (c *Container) guessUsage() {
	known := false
	for _, raw := range c.Certificates {
		cert, err := tbs.Parse(raw)
		if err != nil {
			continue
		}
		bits, ok := cert.KeyUsage()
		if !ok {
			continue
		}
		for i := range c.Keys {
			if !c.Keys[i].Fits(cert) {
				continue
			}
			known = true
			if bits&(tbs.NonRepudiation|tbs.DigitalSignature) != 0 {
				c.Keys[i].Usage = UsageSigning
			} else if bits&tbs.KeyAgreement != 0 && c.Keys[i].Usage == UsageUnknown {
				c.Keys[i].Usage = UsageAgreement
			}
		}
	}
	pair := c.Format == PKCS12 && len(c.Keys) == 2 && c.Keys[0].DSTU != nil && c.Keys[1].DSTU != nil
	if pair && !known {
		c.Keys[0].Usage, c.Keys[1].Usage = UsageSigning, UsageAgreement
	}
}
