package qestest

import (
	"time"

	"brama/internal/der"
)

// Object identifiers that stand in certificates of national providers.
var (
	oidCommonName   = der.NewOID("2.5.4.3")
	oidSurname      = der.NewOID("2.5.4.4")
	oidSerialNumber = der.NewOID("2.5.4.5")
	oidCountry      = der.NewOID("2.5.4.6")
	oidLocality     = der.NewOID("2.5.4.7")
	oidOrganization = der.NewOID("2.5.4.10")
	oidTitle        = der.NewOID("2.5.4.12")
	oidGivenName    = der.NewOID("2.5.4.42")
	oidOrgID        = der.NewOID("2.5.4.97")

	oidDirectoryAttributes = der.NewOID("2.5.29.9")
	oidSubjectKeyID        = der.NewOID("2.5.29.14")
	oidKeyUsage            = der.NewOID("2.5.29.15")
	oidBasicConstraints    = der.NewOID("2.5.29.19")
	oidCRLNumber           = der.NewOID("2.5.29.20")
	oidReasonCode          = der.NewOID("2.5.29.21")
	oidDeltaIndicator      = der.NewOID("2.5.29.27")
	oidCRLDistribution     = der.NewOID("2.5.29.31")
	oidPolicies            = der.NewOID("2.5.29.32")
	oidAuthorityKeyID      = der.NewOID("2.5.29.35")
	oidExtKeyUsage         = der.NewOID("2.5.29.37")
	oidFreshestCRL         = der.NewOID("2.5.29.46")
	oidAuthorityInfo       = der.NewOID("1.3.6.1.5.5.7.1.1")
	oidQCStatements        = der.NewOID("1.3.6.1.5.5.7.1.3")
	oidSubjectInfo         = der.NewOID("1.3.6.1.5.5.7.1.11")
	oidAccessOCSP          = der.NewOID("1.3.6.1.5.5.7.48.1")
	oidAccessTimeStamp     = der.NewOID("1.3.6.1.5.5.7.48.3")

	oidDRFO   = der.NewOID("1.2.804.2.1.1.1.11.1.4.1.1")
	oidEDRPOU = der.NewOID("1.2.804.2.1.1.1.11.1.4.2.1")
	oidUNZR   = der.NewOID("1.2.804.2.1.1.1.11.1.4.11.1")

	oidQCCompliance = der.NewOID("0.4.0.1862.1.1")
	oidQCSSCD       = der.NewOID("0.4.0.1862.1.4")
	oidQCUkraine    = der.NewOID("1.2.804.2.1.1.1.2.1")
	oidPolicy       = der.NewOID("1.2.804.2.1.1.1.2.2")

	oidSealUsage    = der.NewOID("1.2.804.2.1.1.1.3.9")
	oidOCSPSigning  = der.NewOID("1.3.6.1.5.5.7.3.9")
	oidTimeStamping = der.NewOID("1.3.6.1.5.5.7.3.8")
)

// Key usage bits, the first in the highest place (RFC 5280 4.2.1.3).
const (
	usageSign  = 0xc0 // digitalSignature, nonRepudiation
	usageAgree = 0x08
	usageCA    = 0x06 // keyCertSign, cRLSign
	usageTSP   = 0xc0
	usageOCSP  = 0x80
)

// A name is the attributes of a Name, in order.
type name []attribute

type attribute struct {
	oid   der.OID
	value string
}

// encode writes the Name, leaving out empty attributes.
func (n name) encode() []byte {
	var sets [][]byte
	for _, a := range n {
		if a.value == "" {
			continue
		}
		tag := der.UTF8String
		if a.oid == oidCountry || a.oid == oidSerialNumber {
			tag = der.PrintableString
		}
		sets = append(sets, der.Element(der.Set, der.EncodeSequence(der.EncodeOID(a.oid), der.EncodeString(tag, a.value))))
	}
	return der.EncodeSequence(sets...)
}

// A template is what a certificate says besides who signs it.
type template struct {
	serial              []byte // content octets
	subject             []byte
	key                 *Key
	notBefore, notAfter time.Time
	extensions          [][]byte
}

// certify signs t in the name of issuer.
func (t template) certify(issuer []byte, by *Key) ([]byte, error) {
	tbs := der.EncodeSequence(
		der.Element(der.Constructed(0), der.EncodeInt(2)),
		der.Element(der.Integer, t.serial),
		by.signature.Encode(),
		issuer,
		der.EncodeSequence(encodeTime(t.notBefore), encodeTime(t.notAfter)),
		t.subject,
		t.key.spki,
		der.Element(der.Constructed(3), der.EncodeSequence(t.extensions...)),
	)
	return by.signed(tbs)
}

// encodeTime writes Time as RFC 5280 4.1.2.5 wants it.
func encodeTime(t time.Time) []byte {
	t = t.UTC()
	if y := t.Year(); y >= 1950 && y < 2050 {
		return der.EncodeString(der.UTCTime, t.Format("060102150405Z"))
	}
	return encodeGeneralized(t)
}

func encodeGeneralized(t time.Time) []byte {
	return der.EncodeString(der.GeneralizedTime, t.UTC().Format("20060102150405Z"))
}

// extension writes one Extension.
func extension(oid der.OID, critical bool, value []byte) []byte {
	var flag []byte
	if critical {
		flag = der.EncodeBoolean(true)
	}
	return der.EncodeSequence(der.EncodeOID(oid), flag, der.EncodeOctetString(value))
}

func subjectKeyID(k *Key) []byte {
	return extension(oidSubjectKeyID, false, der.EncodeOctetString(k.ID()))
}

func authorityKeyID(k *Key) []byte { return encodeAuthorityKeyID(k.ID()) }

func encodeAuthorityKeyID(id []byte) []byte {
	return extension(oidAuthorityKeyID, false, der.EncodeSequence(der.Element(der.Context(0), id)))
}

// keyUsage writes the bits of the first octet; unused low bits are counted.
func keyUsage(bits byte) []byte {
	unused := byte(0)
	for b := bits; b&1 == 0 && unused < 7; b >>= 1 {
		unused++
	}
	return extension(oidKeyUsage, true, der.Element(der.BitString, []byte{unused, bits}))
}

func basicConstraints(isCA bool, pathLen int) []byte {
	if !isCA {
		return extension(oidBasicConstraints, true, der.EncodeSequence())
	}
	var length []byte
	if pathLen >= 0 {
		length = der.EncodeInt(pathLen)
	}
	return extension(oidBasicConstraints, true, der.EncodeSequence(der.EncodeBoolean(true), length))
}

func extKeyUsage(critical bool, usages ...der.OID) []byte {
	var list [][]byte
	for _, u := range usages {
		list = append(list, der.EncodeOID(u))
	}
	return extension(oidExtKeyUsage, critical, der.EncodeSequence(list...))
}

func policies() []byte {
	return extension(oidPolicies, true, der.EncodeSequence(der.EncodeSequence(der.EncodeOID(oidPolicy))))
}

func qcStatements(qualified, device bool) []byte {
	statement := func(oid der.OID) []byte { return der.EncodeSequence(der.EncodeOID(oid)) }
	var list [][]byte
	if qualified {
		list = append(list, statement(oidQCCompliance), statement(oidQCUkraine))
	}
	if device {
		list = append(list, statement(oidQCSSCD))
	}
	if len(list) == 0 {
		return nil
	}
	return extension(oidQCStatements, true, der.EncodeSequence(list...))
}

func access(extensionOID, method der.OID, url string) []byte {
	return extension(extensionOID, false, der.EncodeSequence(der.EncodeSequence(der.EncodeOID(method), uri(url))))
}

func uri(url string) []byte { return der.EncodeString(der.Context(6), url) }

// distribution writes CRLDistributionPoints or FreshestCRL.
func distribution(oid der.OID, url string) []byte {
	point := der.Element(der.Constructed(0), der.Element(der.Constructed(0), uri(url)))
	return extension(oid, false, der.EncodeSequence(der.EncodeSequence(point)))
}

// directoryAttributes writes subjectDirectoryAttributes with the numbers that are not empty; nil if all are.
func directoryAttributes(numbers ...attribute) []byte {
	var list [][]byte
	for _, n := range numbers {
		if n.value != "" {
			value := der.Element(der.Set, der.EncodeString(der.PrintableString, n.value))
			list = append(list, der.EncodeSequence(der.EncodeOID(n.oid), value))
		}
	}
	if list == nil {
		return nil
	}
	return extension(oidDirectoryAttributes, false, der.EncodeSequence(list...))
}
