//go:build cgo

package pkcs11

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"io"
	"math/big"

	"brama/internal/der"
)

// Signer returns the key as a crypto.Signer: ECDSA on P-256 (DER) or RSA of 2048 bits or more (RSASSA-PKCS1-v1_5), over
// SHA-256, SHA-384 or SHA-512. ErrUnsupported for any other key, and where the token does not show the public half.
func (k *PoolKey) Signer() (crypto.Signer, error) {
	public, err := k.key.public()
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", k.label, err)
	}
	return &signer{key: k, public: public}, nil
}

type signer struct {
	key    *PoolKey
	public crypto.PublicKey
}

func (s *signer) Public() crypto.PublicKey { return s.public }

// Sign takes its randomness from the token.
func (s *signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	hashes := map[crypto.Hash]Hash{crypto.SHA256: SHA256, crypto.SHA384: SHA384, crypto.SHA512: SHA512}
	hash, ok := hashes[opts.HashFunc()]
	if _, pss := opts.(*rsa.PSSOptions); !ok || pss || len(digest) != opts.HashFunc().Size() {
		return nil, fmt.Errorf("%w: this padding or digest", ErrUnsupported)
	}
	return s.key.sign(Input{Hash: hash, Digest: digest})
}

const (
	minModulus = 2048 // bits
	maxModulus = 8192
)

// public reads the public half from what the token tells.
func (k *Key) public() (crypto.PublicKey, error) {
	switch k.Type {
	case ECDSA:
		// OBJECT IDENTIFIER prime256v1
		if !bytes.Equal(k.Params, []byte("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07")) {
			return nil, fmt.Errorf("%w: a curve that is not P-256", ErrUnsupported)
		}
		point := k.Point
		if r := der.NewReader(point); len(point) != 65 { // some give the point bare, without the OCTET STRING of the standard
			if point = r.OctetString(); r.Done() != nil {
				return nil, fmt.Errorf("%w: no public key object with the id of the key", ErrUnsupported)
			}
		}
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil {
			return nil, fmt.Errorf("%w: a point that is not on P-256", ErrUnsupported)
		}
		return public, nil
	case RSA:
		n, e := new(big.Int).SetBytes(k.Modulus), new(big.Int).SetBytes(k.Exponent)
		if n.BitLen() < minModulus || n.BitLen() > maxModulus {
			return nil, fmt.Errorf("%w: RSA of %d bits, want %d to %d", ErrUnsupported, n.BitLen(), minModulus, maxModulus)
		}
		if e.BitLen() > 31 || e.Bit(0) == 0 || e.Cmp(big.NewInt(3)) < 0 {
			return nil, fmt.Errorf("%w: the public exponent of the key", ErrUnsupported)
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
	}
	return nil, fmt.Errorf("%w: neither ECDSA nor RSA", ErrUnsupported)
}
