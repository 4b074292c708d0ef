package keys

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A key signs, or is published only.
type key struct {
	id      string
	alg     string
	public  crypto.PublicKey
	private crypto.Signer // nil for a key that is published only
	// signsFrom is the time of its first signature, as its record says.
	signsFrom time.Time
	// external is a key outside this process, whose signatures are verified before anyone sees them.
	external bool
}

// coordinate is the length in bytes of each half of an ES256 signature (RFC 7518, 3.4).
const coordinate = 32

var errSignature = errors.New("the key gave no signature of its kind")

// sign appends a compact JWS (RFC 7515, 7.1) to dst. The header has no place for anything that comes from outside.
func (k *key) sign(dst []byte, typ string, payload []byte) ([]byte, error) {
	if k.private == nil || typ == "" || strings.ContainsFunc(typ, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '+' && r != '-' }) {
		return nil, errSignature
	}
	var scratch [192]byte
	header := append(append(scratch[:0], `{"alg":"`...), k.alg...)
	header = append(append(header, `","kid":"`...), k.id...)
	header = append(append(append(header, `","typ":"`...), typ...), `"}`...)
	b64 := base64.RawURLEncoding
	at := len(dst)
	dst = b64.AppendEncode(dst, header)
	dst = append(dst, '.')
	dst = b64.AppendEncode(dst, payload)
	signature, err := k.signature(dst[at:])
	if err != nil {
		return nil, err
	}
	dst = append(dst, '.')
	return b64.AppendEncode(dst, signature), nil
}

// signedSize is at least what sign appends for a payload of so many bytes.
func signedSize(payload int) int {
	return 192 + base64.RawURLEncoding.EncodedLen(payload) + base64.RawURLEncoding.EncodedLen(rsaBits/8)
}

// signature signs what stands before the second dot.
func (k *key) signature(input []byte) ([]byte, error) {
	if k.alg == EdDSA { // RFC 8037, 3.1: over the message itself
		return k.private.Sign(rand.Reader, input, crypto.Hash(0))
	}
	digest := sha256.Sum256(input)
	switch k.alg {
	case RS256:
		return k.private.Sign(rand.Reader, digest[:], crypto.SHA256)
	case PS256: // RFC 7518, 3.5: the salt is as long as the digest
		return k.private.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	case ES256:
		der, err := k.private.Sign(rand.Reader, digest[:], crypto.SHA256) // with randomness in the nonce
		if err != nil {
			return nil, err
		}
		var r, s []byte // without leading zeros
		all, both := cryptobyte.String(der), cryptobyte.String(nil)
		if !all.ReadASN1(&both, asn1.SEQUENCE) || !all.Empty() || !both.ReadASN1Integer(&r) || !both.ReadASN1Integer(&s) || !both.Empty() ||
			len(r) > coordinate || len(s) > coordinate || zero(r) || zero(s) {
			return nil, errSignature
		}
		out := make([]byte, 2*coordinate)
		copy(out[coordinate-len(r):], r)
		copy(out[2*coordinate-len(s):], s)
		return out, nil
	}
	return nil, ErrAlgorithm
}

func zero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// verify checks a token that k has just made, with code that has not made it.
func (k *key) verify(token string) ([]byte, error) {
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(k.alg)})
	if err != nil {
		return nil, err
	}
	return parsed.Verify(k.public)
}
