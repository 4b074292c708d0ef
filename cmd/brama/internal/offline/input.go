package offline

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
)

// Limits of files.
const (
	maxDocument = 256 << 20
	maxTrust    = 16 << 20
)

var (
	errXML       = errors.New("this is XML (XAdES is not read)")
	errPDF       = errors.New("this is PDF (PAdES is not read)")
	errEncrypted = errors.New("this is an encrypted transport message")
	errTransport = errors.New("the transport wrapping is damaged or holds no signed message")
)

// signature takes the SignedData out of what people have it in: DER or BER, PEM, base64 by itself, the tax office's
// transport wrapping. What is none of these is returned as it is, for the reader to refuse.
func signature(b []byte) ([]byte, error) {
	if len(b) > 0 && b[0] == 0x30 {
		return b, nil
	}
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff")))
	switch {
	case bytes.HasPrefix(b, []byte("TRANSPORTABLE\x00")), bytes.HasPrefix(b, []byte("UA1_SIGN\x00")), bytes.HasPrefix(b, []byte("UA1_CRYPT\x00")), bytes.HasPrefix(b, []byte("CERTCRYPT\x00")):
		return unwrapTransport(b)
	case bytes.HasPrefix(trimmed, []byte("%PDF-")):
		return nil, errPDF
	case bytes.HasPrefix(trimmed, []byte("<")):
		return nil, errXML
	case bytes.HasPrefix(trimmed, []byte("-----BEGIN ")):
		block, rest := pem.Decode(trimmed)
		if block == nil || len(bytes.TrimSpace(rest)) > 0 {
			return nil, errors.New("the PEM armour is damaged, or holds several things")
		}
		return block.Bytes, nil
	}
	if decoded, ok := decodeBase64(trimmed); ok {
		return decoded, nil
	}
	return b, nil
}

// decodeBase64 takes base64 in lines that decodes to a SEQUENCE.
func decodeBase64(b []byte) ([]byte, bool) {
	joined := bytes.Join(bytes.Fields(b), nil)
	decoded, err := base64.StdEncoding.DecodeString(string(joined))
	if err != nil || len(decoded) == 0 || decoded[0] != 0x30 {
		return nil, false
	}
	return decoded, true
}

// unwrapTransport reads tag, NUL, 32-bit little-endian length, body, one after another: a TRANSPORTABLE part with headers,
// certificates, and the signed message, which may itself be wrapped.
func unwrapTransport(b []byte) ([]byte, error) {
	for parts := 0; len(b) > 0 && parts < 16; parts++ {
		tag, _, ok := bytes.Cut(b[:min(len(b), 16)], []byte{0})
		if !ok {
			return nil, errTransport
		}
		b = b[len(tag)+1:]
		if len(b) < 4 {
			return nil, errTransport
		}
		n := binary.LittleEndian.Uint32(b)
		if b = b[4:]; uint64(n) > uint64(len(b)) {
			return nil, errTransport
		}
		body := b[:n]
		b = b[n:]
		switch string(tag) {
		case "TRANSPORTABLE", "CERTCRYPT":
		case "UA1_SIGN":
			return body, nil
		case "UA1_CRYPT":
			return nil, errEncrypted
		default:
			return nil, errTransport
		}
	}
	return nil, errTransport
}
