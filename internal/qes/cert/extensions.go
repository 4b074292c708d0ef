package cert

import (
	"errors"
	"slices"
	"strings"

	"brama/internal/der"
	"brama/internal/qes/tbs"
)

// Extensions that are read (RFC 5280 4.2, RFC 3739 3.2.6).
var (
	oidSubjectDirectoryAttributes = der.NewOID("2.5.29.9")
	oidSubjectKeyID               = der.NewOID("2.5.29.14")
	oidKeyUsage                   = der.NewOID("2.5.29.15")
	oidSubjectAltName             = der.NewOID("2.5.29.17")
	oidBasicConstraints           = der.NewOID("2.5.29.19")
	oidCRLDistributionPoints      = der.NewOID("2.5.29.31")
	oidPolicies                   = der.NewOID("2.5.29.32")
	oidAuthorityKeyID             = der.NewOID("2.5.29.35")
	oidExtKeyUsage                = der.NewOID("2.5.29.37")
	oidAuthorityInfoAccess        = der.NewOID("1.3.6.1.5.5.7.1.1")
	oidQCStatements               = der.NewOID("1.3.6.1.5.5.7.1.3")
	oidSubjectInfoAccess          = der.NewOID("1.3.6.1.5.5.7.1.11")
)

// Extended key usages.
var (
	EKUSeal         = der.NewOID("1.2.804.2.1.1.1.3.9") // електронна печатка
	EKUOCSPSigning  = der.NewOID("1.3.6.1.5.5.7.3.9")
	EKUTimeStamping = der.NewOID("1.3.6.1.5.5.7.3.8")
	EKUCMP          = der.NewOID("1.3.6.1.4.1.19398.1.1.8.1")
	ekuServerAuth   = der.NewOID("1.3.6.1.5.5.7.3.1")
)

// personEKU are the usages that do not stand in the way of a person's signature.
var personEKU = map[der.OID]bool{
	der.NewOID("1.3.6.1.5.5.7.3.2"):       true, // clientAuth
	der.NewOID("1.3.6.1.5.5.7.3.4"):       true, // emailProtection
	der.NewOID("1.3.6.1.5.5.7.3.36"):      true, // documentSigning, RFC 9336
	der.NewOID("1.3.6.1.4.1.311.10.3.12"): true, // document signing, Microsoft
	der.NewOID("1.3.6.1.4.1.311.20.2.2"):  true, // smart card logon
}

// maxList bounds every list inside an extension.
const maxList = 64

// Unresolved returns the critical extensions that this package cannot resolve, because it does not know them or cannot read
// them: a certificate with one is refused (RFC 5280 4.2, threat T19).
func (c *Certificate) Unresolved() []der.OID { return slices.Clone(c.facts().unresolved) }

func (c *Certificate) readUnresolved() []der.OID {
	var list []der.OID
	for _, e := range c.Extensions {
		if e.Critical && !c.resolves(e) {
			list = append(list, e.OID)
		}
	}
	return list
}

func (c *Certificate) resolves(e tbs.Extension) bool {
	var err error
	switch e.OID {
	case oidKeyUsage:
		_, ok := c.KeyUsage()
		return ok
	case oidBasicConstraints:
		_, _, err = c.basicConstraints()
	case oidPolicies:
		_, err = c.policies()
	case oidExtKeyUsage:
		_, err = c.extKeyUsage()
	case oidQCStatements:
		_, err = c.qcStatements()
	default:
		return false
	}
	return err == nil
}

// BasicConstraints returns cA and pathLenConstraint, −1 if it is absent (RFC 5280 4.2.1.9); false where the extension is
// absent or unreadable.
func (c *Certificate) BasicConstraints() (isCA bool, pathLen int) {
	isCA, pathLen, err := c.basicConstraints()
	if err != nil {
		return false, -1
	}
	return isCA, pathLen
}

func (c *Certificate) basicConstraints() (isCA bool, pathLen int, err error) {
	e := c.Extension(oidBasicConstraints)
	if e == nil {
		return false, -1, nil
	}
	pathLen = -1
	outer := der.NewReader(e.Value)
	r := outer.Sequence()
	if r.Peek(der.Boolean) {
		isCA = r.Boolean() // an explicit FALSE is not DER but stands in real certificates
	}
	if r.Peek(der.Integer) {
		pathLen = r.Int()
	}
	return isCA, pathLen, errors.Join(r.Done(), outer.Done())
}

// Policies returns the certificate policies, nil if there are none or they are unreadable.
func (c *Certificate) Policies() []der.OID {
	list, err := c.policies()
	if err != nil {
		return nil
	}
	return list
}

func (c *Certificate) policies() ([]der.OID, error) {
	return c.oids(oidPolicies, func(r *der.Reader) der.OID {
		policy := r.Sequence()
		oid := policy.OID()
		policy.Optional(der.Sequence) // qualifiers
		r.Fail(policy.Done())
		return oid
	})
}

// ExtKeyUsage returns the extended key usages, nil if there are none or they are unreadable; see Unresolved.
func (c *Certificate) ExtKeyUsage() []der.OID {
	list, err := c.extKeyUsage()
	if err != nil {
		return nil
	}
	return list
}

// HasExtKeyUsage reports whether eku is among the extended key usages.
func (c *Certificate) HasExtKeyUsage(eku der.OID) bool {
	for _, o := range c.ExtKeyUsage() {
		if o == eku {
			return true
		}
	}
	return false
}

func (c *Certificate) extKeyUsage() ([]der.OID, error) {
	return c.oids(oidExtKeyUsage, (*der.Reader).OID)
}

// oids reads an extension that is a SEQUENCE of things with an identifier.
func (c *Certificate) oids(extension der.OID, next func(*der.Reader) der.OID) ([]der.OID, error) {
	e := c.Extension(extension)
	if e == nil {
		return nil, nil
	}
	outer := der.NewReader(e.Value)
	r := outer.Sequence()
	var list []der.OID
	for r.More() {
		if len(list) == maxList {
			return nil, der.ErrValue
		}
		list = append(list, next(r))
	}
	if err := errors.Join(r.Done(), outer.Done()); err != nil {
		return nil, err
	}
	return list, nil
}

// QCStatements are the statements of a qualified certificate (RFC 3739 3.2.6, ETSI EN 319 412-5 4). The zero value is a
// certificate without any.
type QCStatements struct {
	Compliance bool // 0.4.0.1862.1.1: qualified
	Ukraine    bool // 1.2.804.2.1.1.1.2.1: qualified by the law of Ukraine
	SSCD       bool // 0.4.0.1862.1.4: the key is in a qualified device
	Sign, Seal bool // 0.4.0.1862.1.6: type of certificate
	Web        bool
}

var (
	oidQCCompliance = der.NewOID("0.4.0.1862.1.1")
	oidQCSSCD       = der.NewOID("0.4.0.1862.1.4")
	oidQCType       = der.NewOID("0.4.0.1862.1.6")
	oidQCTypeSign   = der.NewOID("0.4.0.1862.1.6.1")
	oidQCTypeSeal   = der.NewOID("0.4.0.1862.1.6.2")
	oidQCTypeWeb    = der.NewOID("0.4.0.1862.1.6.3")
	oidQCUkraine    = der.NewOID("1.2.804.2.1.1.1.2.1")
)

// QCStatements reads the statements; the zero value if they are absent or unreadable.
func (c *Certificate) QCStatements() QCStatements { return c.facts().statements }

// Qualified reports whether the certificate says that it is qualified; that its issuer may say so is the path's business.
func (c *Certificate) Qualified() bool {
	q := c.QCStatements()
	return q.Compliance || q.Ukraine
}

func (c *Certificate) qcStatements() (q QCStatements, err error) {
	e := c.Extension(oidQCStatements)
	if e == nil {
		return q, nil
	}
	outer := der.NewReader(e.Value)
	r := outer.Sequence()
	for n := 0; r.More(); n++ {
		statement := r.Sequence()
		switch statement.OID() {
		case oidQCCompliance:
			q.Compliance = true
		case oidQCUkraine:
			q.Ukraine = true
		case oidQCSSCD:
			q.SSCD = true
		case oidQCType:
			types := statement.Sequence()
			for types.More() {
				switch types.OID() {
				case oidQCTypeSign:
					q.Sign = true
				case oidQCTypeSeal:
					q.Seal = true
				case oidQCTypeWeb:
					q.Web = true
				}
			}
			r.Fail(types.Done())
		default:
			if statement.More() {
				statement.Next()
			}
		}
		r.Fail(statement.Done())
		if n == maxList {
			r.Fail(der.ErrValue)
		}
	}
	if err = errors.Join(r.Done(), outer.Done()); err != nil {
		return QCStatements{}, err
	}
	return q, nil
}

// SubjectKeyID returns the subject key identifier, nil if absent.
func (c *Certificate) SubjectKeyID() []byte {
	e := c.Extension(oidSubjectKeyID)
	if e == nil {
		return nil
	}
	r := der.NewReader(e.Value)
	id := r.OctetString()
	if r.Done() != nil {
		return nil
	}
	return id
}

// AuthorityKeyID returns the keyIdentifier of the authority key identifier, nil if absent.
func (c *Certificate) AuthorityKeyID() []byte {
	e := c.Extension(oidAuthorityKeyID)
	if e == nil {
		return nil
	}
	id, _ := der.NewReader(e.Value).Sequence().Optional(der.Context(0))
	return id.Bytes
}

// EmailAddresses returns the addresses of mail in the subject's alternative names (RFC 5280 4.2.1.6), nil if there are none
// or any name there is unreadable. They are ASCII; that they are addresses is not checked.
func (c *Certificate) EmailAddresses() []string { return slices.Clone(c.facts().email) }

func (c *Certificate) readEmailAddresses() []string {
	e := c.Extension(oidSubjectAltName)
	if e == nil {
		return nil
	}
	outer := der.NewReader(e.Value)
	r := outer.Sequence()
	var list []string
	for n := 0; r.More(); n++ {
		name := r.Next()
		if n == maxList {
			return nil
		}
		if name.Tag != der.Context(1) { // rfc822Name
			continue
		}
		address, err := tbs.DecodeString(der.Value{Tag: der.IA5String, Bytes: name.Bytes})
		if err != nil {
			return nil
		}
		list = append(list, address)
	}
	if errors.Join(r.Done(), outer.Done()) != nil {
		return nil
	}
	return list
}

// Access methods (RFC 5280 4.2.2).
var (
	oidAccessOCSP      = der.NewOID("1.3.6.1.5.5.7.48.1")
	oidAccessTimeStamp = der.NewOID("1.3.6.1.5.5.7.48.3")
)

// OCSPAddresses returns the addresses of responders that the certificate names. They are the certificate's word: whether
// one is asked depends on the provider table.
func (c *Certificate) OCSPAddresses() []string {
	return c.access(oidAuthorityInfoAccess, oidAccessOCSP)
}

// TSPAddresses returns the addresses of time-stamp servers that the certificate names.
func (c *Certificate) TSPAddresses() []string {
	return c.access(oidSubjectInfoAccess, oidAccessTimeStamp)
}

func (c *Certificate) access(extension, method der.OID) []string {
	e := c.Extension(extension)
	if e == nil {
		return nil
	}
	var list []string
	r := der.NewReader(e.Value).Sequence()
	for r.More() && len(list) < maxList {
		description := r.Sequence()
		if description.OID() == method {
			if address := httpAddress(description.Next()); address != "" {
				list = append(list, address)
			}
		}
	}
	return list
}

// httpAddress reads a GeneralName that is an http or https URI in plain ASCII.
func httpAddress(v der.Value) string {
	if v.Tag != der.Context(6) || len(v.Bytes) > 1024 {
		return ""
	}
	for _, o := range v.Bytes {
		if o <= ' ' || o >= 0x7f {
			return ""
		}
	}
	s := string(v.Bytes)
	if !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
		return ""
	}
	return s
}

// CRLAddresses returns the http addresses of the full CRLs that the certificate names (RFC 5280 4.2.1.13).
func (c *Certificate) CRLAddresses() []string {
	e := c.Extension(oidCRLDistributionPoints)
	if e == nil {
		return nil
	}
	var list []string
	r := der.NewReader(e.Value).Sequence()
	for r.More() && len(list) < maxList {
		point := r.Sequence()
		if !point.Peek(der.Constructed(0)) {
			continue
		}
		name := point.Nested(der.Constructed(0))
		if !name.Peek(der.Constructed(0)) {
			continue
		}
		for full := name.Nested(der.Constructed(0)); full.More() && len(list) < maxList; {
			if address := httpAddress(full.Next()); address != "" {
				list = append(list, address)
			}
		}
	}
	return list
}
