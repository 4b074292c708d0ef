package keystore

import (
	"errors"

	"brama/internal/der"
)

// ReadCertificates takes the certificates out of what a person or a search hands over: one certificate, a PKCS#7 bundle
// (.p7b) or a signed message with certificates in it, DER or PEM. They are not parsed: the elements are handed out as they
// stand.
func ReadCertificates(data []byte) ([][]byte, error) {
	if len(data) > MaxSize {
		return nil, ErrTooBig
	}
	if len(data) > 0 && data[0] == byte(der.Sequence) {
		return readCertificates(data)
	}
	var list [][]byte
	if b, err := decodeBase64(data); err == nil && len(b) > 0 {
		return readCertificates(b)
	}
	for rest := data; ; {
		_, body, tail, ok := nextPEM(rest)
		if !ok {
			break
		}
		rest = tail
		if found, err := readCertificates(body); err == nil {
			list = append(list, found...)
		}
	}
	if len(list) == 0 {
		return nil, ErrUnknown
	}
	return list, nil
}

func readCertificates(b []byte) ([][]byte, error) {
	if len(b) == 0 || b[0] != byte(der.Sequence) {
		return nil, ErrUnknown
	}
	if body, _ := header(b); len(body) > 0 && der.Tag(body[0]) == der.Sequence {
		if _, err := recogniseDER(b); !errors.Is(err, ErrCertificate) {
			return nil, ErrUnknown
		}
		if _, err := der.Parse(b); err != nil {
			return nil, ErrDamaged
		}
		return [][]byte{b}, nil
	}
	list, _, err := ReadBundle(b)
	return list, err
}

// ReadBundle takes the certificates out of a SignedData (RFC 5652 5.1), BER or DER; signed reports whether it has signers.
func ReadBundle(data []byte) (certificates [][]byte, signed bool, err error) {
	data, err = der.Normalize(data)
	if err != nil {
		return nil, false, ErrUnknown
	}
	info := der.NewReader(data).Sequence()
	if info.OID() != oidSignedData {
		return nil, false, ErrUnknown
	}
	body := info.Nested(der.Constructed(0)).Sequence()
	body.Int()
	body.Set()
	body.Sequence()
	if list, ok := body.Optional(der.Constructed(0)); ok {
		for r := list.Reader(); r.More(); {
			v := r.Next()
			if v.Tag == der.Sequence {
				certificates = append(certificates, v.Full)
			}
		}
	}
	body.Optional(der.Constructed(1)) // crls
	signers := body.Set()
	signed = signers.More()
	if body.Err() != nil {
		return nil, false, ErrUnknown
	}
	return certificates, signed, nil
}
