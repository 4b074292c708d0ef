package trustlist

import (
	"encoding/pem"
	"errors"
	"fmt"

	"brama/internal/der"
)

// Limits of a bundle. The largest public one has 827 certificates in 1.3 MB.
const (
	MaxBundle             = 8 << 20
	MaxBundleCertificates = 4000
)

// ErrBundle says that the bytes are no certificate bundle.
var ErrBundle = errors.New("trustlist: not a PKCS#7 certificate bundle")

var (
	oidData       = der.NewOID("1.2.840.113549.1.7.1")
	oidSignedData = der.NewOID("1.2.840.113549.1.7.2")
)

// ParseBundle returns the certificates of a degenerate SignedData (RFC 5652 5.1: no signers), DER or BER, or in PEM, in
// the order found. They are candidates and prove nothing: whoever made the file vouches for none of them. The
// certificates themselves are not parsed here.
func ParseBundle(b []byte) ([][]byte, error) {
	if len(b) > MaxBundle {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrBundle, MaxBundle)
	}
	if block, _ := pem.Decode(b); block != nil && (block.Type == "PKCS7" || block.Type == "CMS") {
		b = block.Bytes
	}
	b, err := der.Normalize(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	return readBundle(b)
}

func readBundle(b []byte) ([][]byte, error) {
	r := der.NewReader(b)
	info := r.Sequence()
	kind := info.OID()
	wrapped := info.Nested(der.Constructed(0))
	if err := errors.Join(r.Done(), info.Done()); err != nil || kind != oidSignedData {
		return nil, errors.Join(ErrBundle, err)
	}
	signed := wrapped.Sequence()
	signed.Int() // version: 1 in every bundle, and it decides nothing
	signed.Set() // digestAlgorithms: empty
	content := signed.Sequence()
	if content.OID(); content.More() {
		content.Nested(der.Constructed(0))
	}
	var out [][]byte
	if list, ok := signed.Optional(der.Constructed(0)); ok {
		for certs := list.Reader(); certs.More(); {
			v := certs.Next()
			if err := certs.Err(); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrBundle, err)
			}
			if v.Tag != der.Sequence { // attribute and other certificates (CertificateChoices) have context tags
				continue
			}
			if out = append(out, v.Full); len(out) > MaxBundleCertificates {
				return nil, fmt.Errorf("%w: more than %d certificates", ErrBundle, MaxBundleCertificates)
			}
		}
	}
	signed.Optional(der.Constructed(1)) // CRLs
	signed.Set()                        // signerInfos: ignored, a bundle's signature decides nothing
	if err := errors.Join(wrapped.Done(), signed.Done(), content.Done()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	return out, nil
}

// EncodeBundle writes a degenerate SignedData that holds the given certificates in the given order.
func EncodeBundle(certificates [][]byte) []byte {
	return der.EncodeSequence(
		der.EncodeOID(oidSignedData),
		der.Element(der.Constructed(0), der.EncodeSequence(
			der.EncodeInt(1),
			der.Element(der.Set),
			der.EncodeSequence(der.EncodeOID(oidData)),
			der.Element(der.Constructed(0), certificates...),
			der.Element(der.Set),
		)),
	)
}
