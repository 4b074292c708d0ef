package signing

import (
	"errors"
	"slices"

	"brama/internal/qes/cert"
)

// A RemoteProfile describes certificates whose key is kept by a provider and used by telephone (Дія, clouds). All parts that
// are given must fit. Such a key signs a digest of which its owner sees no text, so a signature obtained for something else
// could be brought where a person brings signatures themselves (threat T3).
type RemoteProfile struct {
	// Issuer is the EDRPOU of the provider; "" is any.
	Issuer string
	// Policy is the OID, in dots, of a certificate policy by which the provider marks these certificates; "" is any.
	Policy string
	// Device says that only certificates are meant that name a qualified device: a provider that also gives out files with keys,
	// which never do, has its cloud certificates told apart by that.
	Device bool
}

func (p RemoteProfile) check() error {
	if p.Issuer == "" && p.Policy == "" {
		return errors.New("signing: a profile of remote keys without issuer and policy would be every certificate")
	}
	return nil
}

func (p RemoteProfile) fits(c *cert.Certificate) bool {
	if p.Issuer != "" && p.Issuer != issuerEDRPOU(c) || p.Device && !c.QCStatements().SSCD {
		return false
	}
	if p.Policy == "" {
		return true
	}
	for _, oid := range c.Policies() {
		if oid.String() == p.Policy {
			return true
		}
	}
	return false
}

// isRemote reports whether the key of c is known to be used by telephone.
func (c *Checker) isRemote(leaf *cert.Certificate) bool {
	return slices.Contains(c.RemoteIssuers, issuerEDRPOU(leaf)) ||
		slices.ContainsFunc(c.RemoteProfiles, func(p RemoteProfile) bool { return p.fits(leaf) })
}
