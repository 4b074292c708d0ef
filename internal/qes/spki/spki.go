// Package spki reads and writes AlgorithmIdentifier and SubjectPublicKeyInfo of ДСТУ 4145 keys and knows the object
// identifiers of the national algorithms. It is light enough for the browser program.
package spki

import (
	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
)

// An Algorithm is an AlgorithmIdentifier (RFC 5280 4.1.1.2). Parameters is the whole element after the OID, nil if absent.
type Algorithm struct {
	OID        der.OID
	Parameters []byte
}

// Info is a SubjectPublicKeyInfo.
type Info struct {
	Algorithm Algorithm
	Key       []byte // content octets of the BIT STRING
	Raw       []byte
	// DSTU is the key if the algorithm is ДСТУ 4145 on a named curve, else nil; its error says why a ДСТУ key was not taken.
	DSTU    *dstu4145.PublicKey
	DSTUErr error
	SBox    []byte // packed ДКЕ of the parameters, nil if absent
}

// Parse reads a SubjectPublicKeyInfo.
func Parse(b []byte) (*Info, error) { panic("unimplemented") }

// ParseAlgorithm reads an AlgorithmIdentifier from r.
func ParseAlgorithm(r *der.Reader) Algorithm { panic("unimplemented") }

// Encode writes an AlgorithmIdentifier.
func (a Algorithm) Encode() []byte { panic("unimplemented") }

// EncodePublicKey writes the SubjectPublicKeyInfo of a ДСТУ key: named curve, ДКЕ № 1 left out.
func EncodePublicKey(k *dstu4145.PublicKey) []byte { panic("unimplemented") }

// ParseCurve reads DSTU parameters: SEQUENCE { curve (OID or explicit), dke OPTIONAL }; explicit only if equal to a named curve.
func ParseCurve(params []byte) (curve *dstu4145.Curve, sbox []byte, err error) {
	panic("unimplemented")
}

// KeyID is GOST 34.311 over the DER OCTET STRING that holds the compressed point; KeyIDKupyna is Kupyna-256 over the same.
func KeyID(k *dstu4145.PublicKey) []byte       { panic("unimplemented") }
func KeyIDKupyna(k *dstu4145.PublicKey) []byte { panic("unimplemented") }
