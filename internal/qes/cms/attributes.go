package cms

import (
	"time"

	"brama/internal/der"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// SignedAttributes are the attributes under a signature that have a meaning here (RFC 5652 11, RFC 5035, RFC 5126 5). What
// they say is the signer's word until the signature value has verified, and the time even then.
type SignedAttributes struct {
	ContentType   der.OID // "" if absent
	MessageDigest []byte  // nil if absent
	SigningTime   time.Time
	// SigningCertificates are the references of signing-certificate-v2; the first names the signer's certificate.
	SigningCertificates []CertificateID
	// OldSigningCertificate says that the SHA-1 form (RFC 2634) is there; it proves nothing.
	OldSigningCertificate bool
	SignaturePolicy       bool
	Purpose               Purpose
	ContentTimeStamps     [][]byte // tokens, DER
	// InOrder says that the attributes stand in the order of DER (X.690 11.6). They are verified as they came in either case.
	InOrder bool
	// Single says that no attribute type stands twice and each has exactly one value.
	Single bool
}

// A CertificateID is ESSCertIDv2 (RFC 5035 4). RawIssuer and Serial are nil if issuerSerial is absent or names the issuer in
// another form than one directoryName.
type CertificateID struct {
	Hash              spki.Algorithm // SHA-256 if left out
	Value             []byte
	RawIssuer, Serial []byte
}

// SignedAttributes reads the signed attributes; nil if there are none. contentType, messageDigest, signingTime and
// signing-certificate-v2 may not stand twice in any message (RFC 5652 11.1 to 11.3, RFC 5035 3); other repetitions clear
// Single.
func (si *SignerInfo) SignedAttributes() (*SignedAttributes, error) {
	if si.RawSignedAttributes == nil {
		return nil, nil
	}
	set, err := der.Parse(si.RawSignedAttributes)
	if err != nil {
		return nil, malformed(err)
	}
	a := &SignedAttributes{Single: true, InOrder: der.IsSetOrdered(set.Bytes)}
	seen := make(map[der.OID]bool)
	err = eachAttribute(set.Bytes, func(t der.OID, values []der.Value) error {
		once := len(values) == 1 && !seen[t]
		seen[t] = true
		if !once {
			a.Single = false
			switch t {
			case oidContentType, oidMessageDigest, oidSigningTime, oidSigningCertificateV2:
				return der.ErrValue
			}
		}
		for _, v := range values {
			if err := a.read(t, v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, malformed(err)
	}
	return a, nil
}

func (a *SignedAttributes) read(t der.OID, v der.Value) (err error) {
	switch t {
	case oidContentType:
		r := der.NewReader(v.Full)
		a.ContentType = r.OID()
		return r.Done()
	case oidMessageDigest:
		r := der.NewReader(v.Full)
		a.MessageDigest = r.OctetString()
		return r.Done()
	case oidSigningTime:
		r := der.NewReader(v.Full)
		a.SigningTime = tbs.ReadTime(r) // the same form as in certificates (RFC 5652 11.3)
		return r.Done()
	case oidSigningCertificateV2:
		a.SigningCertificates, err = parseSigningCertificate(v)
		return err
	case oidSigningCertificate:
		a.OldSigningCertificate = true
	case oidSignaturePolicy:
		a.SignaturePolicy = true
	case oidCommitmentType:
		r := der.NewReader(v.Full).Sequence()
		if r.OID() == oidCommitmentLogin {
			a.Purpose = PurposeLogin
		}
		return r.Err()
	case oidContentTimeStamp:
		a.ContentTimeStamps = append(a.ContentTimeStamps, v.Full)
	}
	return nil
}

// eachAttribute reads the content of a SET OF Attribute. The list of values is f's until it returns.
func eachAttribute(set []byte, f func(t der.OID, values []der.Value) error) error {
	r := der.NewReader(set)
	values := make([]der.Value, 0, 1) // nearly always
	for n := 0; r.More(); n++ {
		if n == maxAttributes {
			return ErrTooMany
		}
		attribute := r.Sequence()
		t := attribute.OID()
		list := attribute.Set()
		values = values[:0]
		for list.More() {
			if len(values) == maxAttributes {
				return ErrTooMany
			}
			values = append(values, list.Next())
		}
		if err := list.Done(); err != nil {
			return err
		}
		if err := attribute.Done(); err != nil {
			return err
		}
		if len(values) == 0 {
			return der.ErrValue // SET SIZE (1..MAX)
		}
		if err := f(t, values); err != nil {
			return err
		}
	}
	return r.Done()
}

// parseSigningCertificate reads SigningCertificateV2 (RFC 5035 3).
func parseSigningCertificate(v der.Value) ([]CertificateID, error) {
	outer := der.NewReader(v.Full)
	body := outer.Sequence()
	list := body.Sequence()
	body.Optional(der.Sequence) // policies
	var ids []CertificateID
	for list.More() {
		if len(ids) == maxAttributes {
			return nil, ErrTooMany
		}
		id, err := parseCertificateID(list.Sequence())
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	for _, r := range []*der.Reader{list, body, outer} {
		if err := r.Done(); err != nil {
			return nil, err
		}
	}
	if len(ids) == 0 {
		return nil, der.ErrValue
	}
	return ids, nil
}

func parseCertificateID(r *der.Reader) (id CertificateID, err error) {
	id.Hash = spki.Algorithm{OID: OIDSHA256}
	if r.Peek(der.Sequence) {
		id.Hash = spki.ParseAlgorithm(r)
	}
	id.Value = r.OctetString()
	if r.Peek(der.Sequence) {
		issuerSerial := r.Sequence()
		names := issuerSerial.Sequence()
		if name, ok := names.Optional(der.Constructed(4)); ok && !names.More() {
			id.RawIssuer = name.Bytes
		}
		id.Serial = issuerSerial.Integer()
		if err := issuerSerial.Done(); err != nil {
			return id, err
		}
		if id.RawIssuer == nil {
			id.Serial = nil
		}
	}
	return id, r.Done()
}

// UnsignedAttributes stand beside a signature and can be put there by anyone (RFC 5126 6).
type UnsignedAttributes struct {
	SignatureTimeStamps             [][]byte // tokens, DER
	CertificateRefs, RevocationRefs bool
	CertificateValues               [][]byte // certificates, DER
	CRLValues                       [][]byte // CertificateList, DER
	OCSPValues                      [][]byte // BasicOCSPResponse, DER
	HasCertificateValues            bool
	HasRevocationValues             bool
}

// UnsignedAttributes reads the unsigned attributes that have a meaning here. Countersignatures and all others are skipped.
// An error means that they are of no use; the signature is none the worse for it.
func (si *SignerInfo) UnsignedAttributes() (UnsignedAttributes, error) {
	var a UnsignedAttributes
	err := eachAttribute(si.rawUnsigned, func(t der.OID, values []der.Value) error {
		for _, v := range values {
			var err error
			switch t {
			case oidSignatureTimeStamp:
				a.SignatureTimeStamps = append(a.SignatureTimeStamps, v.Full)
			case oidCertificateRefs:
				a.CertificateRefs = true
			case oidRevocationRefs:
				a.RevocationRefs = true
			case oidCertificateValues:
				a.HasCertificateValues = true
				a.CertificateValues, err = appendSequenceOf(a.CertificateValues, der.NewReader(v.Full))
			case oidRevocationValues:
				a.HasRevocationValues = true
				err = a.readRevocationValues(v)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return UnsignedAttributes{}, malformed(err)
	}
	return a, nil
}

// readRevocationValues reads RevocationValues (RFC 5126 6.3.4).
func (a *UnsignedAttributes) readRevocationValues(v der.Value) (err error) {
	outer := der.NewReader(v.Full)
	body := outer.Sequence()
	if crls, ok := body.Optional(der.Constructed(0)); ok {
		if a.CRLValues, err = appendSequenceOf(a.CRLValues, crls.Reader()); err != nil {
			return err
		}
	}
	if ocsp, ok := body.Optional(der.Constructed(1)); ok {
		if a.OCSPValues, err = appendSequenceOf(a.OCSPValues, ocsp.Reader()); err != nil {
			return err
		}
	}
	body.Optional(der.Constructed(2)) // otherRevVals
	if err := body.Done(); err != nil {
		return err
	}
	return outer.Done()
}

// maxValues bounds the certificates and revocation values of one signature; a long chain with time-stamps has about ten.
const maxValues = 64

// appendSequenceOf appends the elements of the one SEQUENCE OF SEQUENCE that r holds.
func appendSequenceOf(list [][]byte, r *der.Reader) ([][]byte, error) {
	inner := r.Sequence()
	for inner.More() {
		if len(list) == maxValues {
			return nil, ErrTooMany
		}
		list = append(list, inner.Read(der.Sequence).Full)
	}
	if err := inner.Done(); err != nil {
		return nil, err
	}
	return list, r.Done()
}

// Levels of RFC 5126 and, below them, a SignedData that does not name its certificate under the signature.
const (
	LevelCMS   = "CMS"
	LevelBES   = "CAdES-BES"
	LevelT     = "CAdES-T"
	LevelC     = "CAdES-C"
	LevelXLong = "CAdES-X-Long"
)

// Level tells the level by the attributes that are there (RFC 5126 4.3, 4.4): nothing is said of what they are worth.
// signed may be nil.
func Level(signed *SignedAttributes, unsigned UnsignedAttributes) string {
	switch {
	case signed == nil || len(signed.SigningCertificates) == 0 && !signed.OldSigningCertificate:
		return LevelCMS
	case len(unsigned.SignatureTimeStamps) == 0:
		return LevelBES
	case !unsigned.CertificateRefs || !unsigned.RevocationRefs:
		return LevelT
	case !unsigned.HasCertificateValues || !unsigned.HasRevocationValues:
		return LevelC
	default:
		return LevelXLong
	}
}
