package cert

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	asn1tag "golang.org/x/crypto/cryptobyte/asn1"

	"brama/internal/der"
	"brama/internal/qes/tbs"
)

// confirm reads the certificate a second time, by cryptobyte, which is what crypto/x509 reads with, and compares every field
// of t, octet for octet (threat T26). What the second reader refuses is refused. It takes nothing out: it costs little and
// allocates nothing.
func confirm(t *tbs.Certificate) error {
	if field := differing(t); field != "" {
		return fmt.Errorf("%w: %s", ErrParsersDiffer, field)
	}
	return nil
}

// differing names the first field that the second reader finds otherwise, "" if there is none.
func differing(t *tbs.Certificate) string {
	input := cryptobyte.String(t.Raw)
	var outer, body, algorithm cryptobyte.String
	var signature []byte
	if !input.ReadASN1(&outer, asn1tag.SEQUENCE) || !input.Empty() ||
		!outer.ReadASN1Element(&body, asn1tag.SEQUENCE) ||
		!outer.ReadASN1(&algorithm, asn1tag.SEQUENCE) ||
		!outer.ReadASN1BitStringAsBytes(&signature) || !outer.Empty() {
		return "certificate"
	}
	switch {
	case !bytes.Equal(body, t.RawTBS):
		return "signed part"
	case !bytes.Equal(signature, t.Signature):
		return "signature"
	case !isAlgorithm(algorithm, t.SignatureAlgorithm.OID, t.SignatureAlgorithm.Parameters):
		return "signature algorithm"
	}
	return differingTBS(t, body)
}

// Context-specific tags (X.690 8.1.2.2).
const (
	contextPrimitive   asn1tag.Tag = 0x80
	contextConstructed asn1tag.Tag = 0xa0
)

func differingTBS(t *tbs.Certificate, element cryptobyte.String) string {
	const (
		versionTag    = 0 | contextConstructed
		issuerIDTag   = 1 | contextPrimitive
		subjectIDTag  = 2 | contextPrimitive
		extensionsTag = 3 | contextConstructed
	)
	var body, field, serial, inner, issuer, validity, subject, key cryptobyte.String
	version, has := int64(0), false
	if !element.ReadASN1(&body, asn1tag.SEQUENCE) || !body.ReadOptionalASN1(&field, &has, versionTag) {
		return "signed part"
	}
	if has && (!field.ReadASN1Int64WithTag(&version, asn1tag.INTEGER) || !field.Empty()) || version != int64(t.Version)-1 {
		return "version"
	}
	if !body.ReadASN1(&serial, asn1tag.INTEGER) || !bytes.Equal(serial, t.Serial) {
		return "serial number"
	}
	if !body.ReadASN1(&inner, asn1tag.SEQUENCE) { // tbs has compared it with the outer one
		return "signature algorithm"
	}
	if !body.ReadASN1Element(&issuer, asn1tag.SEQUENCE) || !bytes.Equal(issuer, t.RawIssuer) || !sameName(issuer, t.RawIssuer) {
		return "issuer"
	}
	if !body.ReadASN1(&validity, asn1tag.SEQUENCE) || !isTime(&validity, t.NotBefore) || !isTime(&validity, t.NotAfter) || !validity.Empty() {
		return "validity"
	}
	if !body.ReadASN1Element(&subject, asn1tag.SEQUENCE) || !bytes.Equal(subject, t.RawSubject) || !sameName(subject, t.RawSubject) {
		return "subject"
	}
	if !body.ReadASN1Element(&key, asn1tag.SEQUENCE) || !bytes.Equal(key, t.PublicKey.Raw) || !isKey(key, t) {
		return "public key"
	}
	if !body.SkipOptionalASN1(issuerIDTag) || !body.SkipOptionalASN1(subjectIDTag) {
		return "unique identifiers"
	}
	if !body.ReadOptionalASN1(&field, &has, extensionsTag) || !body.Empty() {
		return "extensions"
	}
	if !has {
		field = nil
	}
	return differingExtensions(t, field, has)
}

func differingExtensions(t *tbs.Certificate, field cryptobyte.String, has bool) string {
	var list cryptobyte.String
	if has && (!field.ReadASN1(&list, asn1tag.SEQUENCE) || !field.Empty()) {
		return "extensions"
	}
	for _, e := range t.Extensions {
		var extension, oid, value cryptobyte.String
		critical := false
		if !list.ReadASN1(&extension, asn1tag.SEQUENCE) || !extension.ReadASN1(&oid, asn1tag.OBJECT_IDENTIFIER) ||
			extension.PeekASN1Tag(asn1tag.BOOLEAN) && !extension.ReadASN1Boolean(&critical) ||
			!extension.ReadASN1(&value, asn1tag.OCTET_STRING) || !extension.Empty() ||
			string(oid) != string(e.OID) || critical != e.Critical || !bytes.Equal(value, e.Value) {
			return "extension " + e.OID.String()
		}
		same := true
		switch e.OID {
		case oidKeyUsage:
			same = sameUsage(t, value)
		case oidBasicConstraints:
			same = sameConstraints(&Certificate{Certificate: t}, value)
		}
		if !same {
			return "extension " + e.OID.String()
		}
	}
	if !list.Empty() {
		return "extensions"
	}
	return ""
}

func isAlgorithm(seq cryptobyte.String, oid der.OID, parameters []byte) bool {
	var id cryptobyte.String
	return seq.ReadASN1(&id, asn1tag.OBJECT_IDENTIFIER) && string(id) == string(oid) && bytes.Equal(seq, parameters)
}

func isKey(element cryptobyte.String, t *tbs.Certificate) bool {
	var info, algorithm cryptobyte.String
	var key []byte
	return element.ReadASN1(&info, asn1tag.SEQUENCE) && info.ReadASN1(&algorithm, asn1tag.SEQUENCE) &&
		isAlgorithm(algorithm, t.PublicKey.Algorithm.OID, t.PublicKey.Algorithm.Parameters) &&
		info.ReadASN1BitStringAsBytes(&key) && info.Empty() && bytes.Equal(key, t.PublicKey.Key)
}

// sameName compares the attributes of a Name, in order: type, kind of string and octets.
func sameName(element cryptobyte.String, raw []byte) bool {
	var seq, set cryptobyte.String
	if !element.ReadASN1(&seq, asn1tag.SEQUENCE) {
		return false
	}
	ours := tbs.ReadName(raw)
	for a, ok := ours.Next(); ok; a, ok = ours.Next() {
		var pair, oid, value cryptobyte.String
		var tag asn1tag.Tag
		if set.Empty() && !seq.ReadASN1(&set, asn1tag.SET) ||
			!set.ReadASN1(&pair, asn1tag.SEQUENCE) || !pair.ReadASN1(&oid, asn1tag.OBJECT_IDENTIFIER) ||
			!pair.ReadAnyASN1(&value, &tag) || !pair.Empty() ||
			string(oid) != string(a.OID) || byte(tag) != byte(a.Value.Tag) || !bytes.Equal(value, a.Value.Bytes) {
			return false
		}
	}
	return ours.Done() == nil && set.Empty() && seq.Empty()
}

// isTime compares a time by writing ours in the form that the certificate has.
func isTime(s *cryptobyte.String, ours time.Time) bool {
	var value cryptobyte.String
	var tag asn1tag.Tag
	if !s.ReadAnyASN1(&value, &tag) {
		return false
	}
	form := "20060102150405Z"
	if tag == asn1tag.UTCTime {
		if form = form[2:]; ours.Year() < 1950 || ours.Year() > 2049 { // RFC 5280 4.1.2.5.1
			return false
		}
	} else if tag != asn1tag.GeneralizedTime {
		return false
	}
	var written [len("20060102150405Z")]byte
	return bytes.Equal(ours.UTC().AppendFormat(written[:0], form), value)
}

// sameUsage compares key usage bit by bit. Both may find it unreadable: then it names no usage.
func sameUsage(t *tbs.Certificate, value cryptobyte.String) bool {
	ours, _ := t.KeyUsage()
	var theirs asn1.BitString
	readable := value.ReadASN1BitString(&theirs) && value.Empty() && len(theirs.Bytes) <= 2
	var bits uint16
	for i := 0; readable && i < 16; i++ {
		bits |= uint16(theirs.At(i)) << i
	}
	if bits > tbs.DecipherOnly<<1-1 {
		bits = 0
	}
	return ours == bits
}

// sameConstraints compares basicConstraints: whether it is an authority's, and how many may stand below.
func sameConstraints(c *Certificate, value cryptobyte.String) bool {
	isCA, pathLen := c.BasicConstraints()
	var seq cryptobyte.String
	theirs, below := false, int64(-1)
	readable := value.ReadASN1(&seq, asn1tag.SEQUENCE) && value.Empty() &&
		(!seq.PeekASN1Tag(asn1tag.BOOLEAN) || seq.ReadASN1Boolean(&theirs)) &&
		(!seq.PeekASN1Tag(asn1tag.INTEGER) || seq.ReadASN1Int64WithTag(&below, asn1tag.INTEGER) && below >= 0) && seq.Empty()
	if !readable {
		theirs, below = false, -1
	}
	return isCA == theirs && int64(pathLen) == below
}
