package keystore

import (
	"bytes"

	"brama/internal/der"
)

// content is a container without its armour, and the certificates that stood beside it.
type content struct {
	body         []byte
	certificates [][]byte
}

var (
	oidKey6       = der.NewOID("1.3.6.1.4.1.19398.1.1.1.2")
	oidPKCS7      = der.NewOID("1.2.840.113549.1.7")
	oidSignedData = der.NewOID("1.2.840.113549.1.7.2")
	oidPKCS5      = der.NewOID("1.2.840.113549.1.5")
	oidPKCS12PBE  = der.NewOID("1.2.840.113549.1.12.1")
)

func recognise(data []byte) (content, Format, error) {
	if len(data) > MaxSize {
		return content{}, "", ErrTooBig
	}
	switch {
	case len(data) < 16:
		return content{}, "", ErrDamaged
	case bytes.HasPrefix(data, jksMagic[:]):
		return content{body: data}, JKS, nil
	case bytes.HasPrefix(data, []byte("\xce\xce\xce\xce")): // JCEKS
		return content{}, "", ErrUnsupported
	}
	if err := foreign(data); err != nil {
		return content{}, "", err
	}
	// One accounting program puts six octets, the first of them 'Q', in front of a container.
	if data[0] == 'Q' && data[6] == byte(der.Sequence) {
		if _, whole := header(data[6:]); whole {
			data = data[6:]
		}
	}
	if data[0] == byte(der.Sequence) {
		format, err := recogniseDER(data)
		return content{body: data}, format, err
	}
	return recognisePEM(data)
}

// foreign tells archives and documents by their first bytes.
func foreign(data []byte) error {
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		// ASiC (ETSI EN 319 162): the first file of the zip is "mimetype", stored.
		if head := data[:min(len(data), 128)]; bytes.Contains(head, []byte("mimetypeapplication/vnd.etsi.asic")) {
			return ErrSigned
		}
		return ErrArchive
	case bytes.HasPrefix(data, []byte("PK\x05\x06")), bytes.HasPrefix(data, []byte("Rar!\x1a\x07")),
		bytes.HasPrefix(data, []byte("7z\xbc\xaf\x27\x1c")), bytes.HasPrefix(data, []byte("\x1f\x8b")),
		bytes.HasPrefix(data, []byte("BZh")), bytes.HasPrefix(data, []byte("\xfd7zXZ\x00")),
		len(data) > 262 && string(data[257:262]) == "ustar":
		return ErrArchive
	}
	return nil
}

// recogniseDER looks at the first elements. Lengths are not trusted here: a file that was cut off is still told for what
// it began to be, and is damaged.
func recogniseDER(data []byte) (Format, error) {
	body, whole := header(data)
	tag, first := child(body)
	var format Format
	err := ErrUnknown
	switch {
	case tag == der.Integer && len(first) == 1:
		second, rest := child(body[2+len(first):])
		switch {
		case first[0] == 3 && second == der.Sequence:
			format = PKCS12
		case first[0] <= 1 && second == der.Sequence && looksLikeAlgorithm(rest):
			format = PKCS8
		case first[0] <= 1 && (second == der.Integer || second == der.OctetString):
			err = ErrUnsupported // PKCS#1 RSAPrivateKey, SEC 1 ECPrivateKey: keys, but not in a form of people's files
		}
	case tag == der.ObjectID:
		if der.OID(first) == oidSignedData {
			err = signedData(data)
		} else if der.OID(first).HasPrefix(oidPKCS7) {
			err = ErrSigned // an envelope or another message: a document in any case
		}
	case tag == der.Sequence:
		inner, oid := child(first)
		switch {
		case inner == der.ObjectID && der.OID(oid) == oidKey6:
			format = Key6
		case inner == der.ObjectID && (der.OID(oid).HasPrefix(oidPKCS5) || der.OID(oid).HasPrefix(oidPKCS12PBE)):
			format = PKCS8Encrypted
		case inner == der.Constructed(0), inner == der.Integer:
			err = ErrCertificate // v3 and v1 certificates, requests
		}
	}
	if format != "" {
		if !whole {
			return "", ErrDamaged
		}
		return format, nil
	}
	return "", err
}

func looksLikeAlgorithm(b []byte) bool {
	tag, _ := child(b)
	return tag == der.ObjectID
}

// signedData tells a bundle of certificates from a signed document: it has no signer.
func signedData(data []byte) error {
	if certificates, signed, err := ReadBundle(data); err == nil && !signed && len(certificates) > 0 {
		return ErrCertificate
	}
	return ErrSigned
}

// header steps into the first element of b; whole is false if its length is not exactly that of b. An indefinite length
// counts as whole.
func header(b []byte) (body []byte, whole bool) {
	if len(b) < 2 {
		return nil, false
	}
	n := int(b[1])
	if n < 0x80 {
		return b[2:], len(b) == 2+n
	}
	octets := n & 0x7f
	if octets == 0 {
		return b[2:], true
	}
	if octets > 4 || len(b) < 2+octets {
		return nil, false
	}
	length := 0
	for _, o := range b[2 : 2+octets] {
		length = length<<8 | int(o)
	}
	return b[2+octets:], len(b)-2-octets == length
}

// child returns the tag of the first element of b and as much of its content as there is.
func child(b []byte) (der.Tag, []byte) {
	if len(b) < 2 {
		return 0, nil
	}
	body, _ := header(b)
	if n := int(b[1]); n < 0x80 {
		body = body[:min(n, len(body))]
	}
	return der.Tag(b[0]), body
}
