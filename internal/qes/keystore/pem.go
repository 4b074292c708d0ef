package keystore

import (
	"bytes"
	"errors"

	"brama/internal/der"
)

// recognisePEM takes the textual encodings of RFC 7468, with text before, between and after the blocks: the one key and
// the certificates beside it. Bare base64 of a container is taken too.
func recognisePEM(data []byte) (content, Format, error) {
	if !bytes.Contains(data, []byte("-----BEGIN ")) {
		if b, err := decodeBase64(data); err == nil && len(b) > 16 && b[0] == byte(der.Sequence) {
			format, err := recogniseDER(b)
			return content{body: b}, format, err
		}
		return content{}, "", ErrUnknown
	}
	var found content
	var format Format
	err := ErrUnknown
	for rest := data; ; {
		label, body, tail, ok := nextPEM(rest)
		if !ok {
			break
		}
		rest = tail
		switch label {
		case "CERTIFICATE", "X509 CERTIFICATE", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
			if len(found.certificates) < MaxCertificates {
				found.certificates = append(found.certificates, body)
			}
			if errors.Is(err, ErrUnknown) {
				err = ErrCertificate
			}
		case "PKCS7", "CMS":
			if errors.Is(err, ErrUnknown) {
				err = ErrSigned
				if body != nil {
					err = signedData(body)
				}
			}
		case "PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
			if format != "" {
				return content{}, "", ErrUnsupported // several keys in one text: which one is meant?
			}
			if len(body) < 16 || body[0] != byte(der.Sequence) {
				return content{}, "", ErrDamaged
			}
			var fault error
			if format, fault = recogniseDER(body); fault != nil {
				return content{}, "", fault
			}
			found.body = body
		default:
			if bytes.HasSuffix([]byte(label), []byte("PRIVATE KEY")) {
				err = ErrUnsupported // RSA PRIVATE KEY and the like, with an encryption of their own
			}
		}
	}
	if format == "" {
		return content{}, "", err
	}
	return found, format, nil
}

// nextPEM takes the next block of data. A block whose base64 is broken has a nil body.
func nextPEM(data []byte) (label string, body, rest []byte, ok bool) {
	const begin, end, dashes = "-----BEGIN ", "-----END ", "-----"
	start := bytes.Index(data, []byte(begin))
	if start < 0 {
		return "", nil, nil, false
	}
	data = data[start+len(begin):]
	n := bytes.Index(data, []byte(dashes))
	if n < 0 || n > 64 {
		return "", nil, nil, false
	}
	label, data = string(data[:n]), data[n+len(dashes):]
	stop := bytes.Index(data, []byte(end))
	if stop < 0 {
		return label, nil, nil, true
	}
	body, err := decodeBase64(data[:stop])
	if err != nil {
		body = nil
	}
	return label, body, data[stop+len(end):], true
}

var errBase64 = errors.New("keystore: not base64")

// decodeBase64 reads base64 (RFC 4648 4) with white space anywhere. encoding/base64 would bring package reflect into the
// browser program.
func decodeBase64(data []byte) ([]byte, error) {
	out := make([]byte, 0, len(data)/4*3)
	var word uint32
	digits, padding := 0, 0
	for _, o := range data {
		var v byte
		switch {
		case o >= 'A' && o <= 'Z':
			v = o - 'A'
		case o >= 'a' && o <= 'z':
			v = o - 'a' + 26
		case o >= '0' && o <= '9':
			v = o - '0' + 52
		case o == '+':
			v = 62
		case o == '/':
			v = 63
		case o == '=':
			padding++
		case o == ' ' || o == '\t' || o == '\r' || o == '\n':
			continue
		default:
			return nil, errBase64
		}
		if padding > 2 || padding > 0 && o != '=' {
			return nil, errBase64
		}
		word = word<<6 | uint32(v)
		if digits++; digits == 4 {
			out = append(out, byte(word>>16), byte(word>>8), byte(word))
			word, digits = 0, 0
			out = out[:len(out)-padding]
		}
	}
	if digits != 0 {
		return nil, errBase64
	}
	return out, nil
}
