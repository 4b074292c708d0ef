package offline

import (
	"crypto/rand"
	"errors"
	"strings"
	"unicode/utf8"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/cms"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

// A subject is whose key a certificate is asked for. Empty parts are left out.
type subject struct {
	organization, name, edrpou, locality, country string
}

// Object identifiers of a request: RFC 2986, RFC 2985 5.4.2, RFC 5280 4.2.1, and organizationIdentifier of X.520.
var (
	oidExtensionRequest       = der.NewOID("1.2.840.113549.1.9.14")
	oidSubjectKeyID           = der.NewOID("2.5.29.14")
	oidKeyUsage               = der.NewOID("2.5.29.15")
	oidCountry                = der.NewOID("2.5.4.6")
	oidLocality               = der.NewOID("2.5.4.7")
	oidOrganization           = der.NewOID("2.5.4.10")
	oidOrganizationIdentifier = der.NewOID("2.5.4.97")
)

// maxAttribute bounds one part of a subject, in characters (ub-organization-name of RFC 5280 is 64, which national names
// do not keep to).
const maxAttribute = 256

// encode writes the Name, one attribute in each set.
func (s subject) encode() ([]byte, error) {
	var sets []byte
	add := func(oid der.OID, tag der.Tag, value string) error {
		switch {
		case value == "":
			return nil
		case !utf8.ValidString(value) || utf8.RuneCountInString(value) > maxAttribute || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return errors.New("a part of the subject is too long or has characters that no name has")
		}
		sets = append(sets, der.EncodeSetOf(der.EncodeSequence(der.EncodeOID(oid), der.EncodeString(tag, value)))...)
		return nil
	}
	identifier := ""
	if s.edrpou != "" {
		if len(s.edrpou) != 8 || strings.Trim(s.edrpou, "0123456789") != "" {
			return nil, errors.New("ЄДРПОУ has eight digits")
		}
		identifier = "NTRUA-" + s.edrpou // ETSI EN 319 412-1, 5.1.4
	}
	if len(s.country) != 2 || strings.Trim(s.country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return nil, errors.New("a country has two capital letters")
	}
	err := errors.Join(add(oidCountry, der.PrintableString, s.country), add(oidLocality, der.UTF8String, s.locality),
		add(oidOrganization, der.UTF8String, s.organization), add(oidOrganizationIdentifier, der.UTF8String, identifier),
		add(tbs.OIDCommonName, der.UTF8String, s.name))
	return der.EncodeSequence(sets), err
}

// keyAgreementOnly is the KeyUsage with the one bit keyAgreement (4).
var keyAgreementOnly = []byte{0x03, 0x02, 0x03, 0x08}

// certificationRequest writes a PKCS#10 request (RFC 2986) for a certificate of a key for key agreement, signed by that key
// with ГОСТ 34.311, which proves that whoever asks has it.
func certificationRequest(key *dstu4145.PrivateKey, s subject) ([]byte, error) {
	name, err := s.encode()
	if err != nil {
		return nil, err
	}
	extension := func(oid der.OID, critical bool, value []byte) []byte {
		var mark []byte
		if critical {
			mark = der.EncodeBoolean(true)
		}
		return der.EncodeSequence(der.EncodeOID(oid), mark, der.EncodeOctetString(value))
	}
	extensions := der.EncodeSequence(
		extension(oidSubjectKeyID, false, der.EncodeOctetString(spki.KeyID(key.PublicKey()))),
		extension(oidKeyUsage, true, keyAgreementOnly))
	info := der.EncodeSequence(der.EncodeInt(0), name, spki.EncodePublicKey(key.PublicKey()),
		der.Element(der.Constructed(0), der.EncodeSequence(der.EncodeOID(oidExtensionRequest), der.EncodeSetOf(extensions))))
	signer, err := cms.NewDSTUSigner(key, spki.OIDDSTU4145, rand.Reader)
	if err != nil {
		return nil, err
	}
	value, err := signer.Sign(info)
	if err != nil {
		return nil, err
	}
	// As in national certificates, the BIT STRING holds the value in an OCTET STRING.
	return der.EncodeSequence(info, signer.SignatureAlgorithm().Encode(), der.EncodeBitString(der.EncodeOctetString(value))), nil
}
