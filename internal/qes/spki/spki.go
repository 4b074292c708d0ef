package spki

import (
	"bytes"
	"errors"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost28147"
	"brama/internal/dstu/gost34311"
	"brama/internal/dstu/kupyna"
)

// MaxSize bounds a SubjectPublicKeyInfo: an RSA key of 16384 bits has 2.1 KB.
const MaxSize = 8 << 10

// Causes for which a ДСТУ 4145 key is not taken.
var (
	ErrMalformed   = errors.New("spki: malformed public key")
	ErrTooBig      = errors.New("spki: public key is too large")
	ErrBigEndian   = errors.New("spki: DSTU 4145 with big-endian fields is not supported")
	ErrNormalBasis = errors.New("spki: DSTU 4145 in normal basis is not supported")
	ErrCurve       = errors.New("spki: DSTU 4145 parameters are not those of a named curve")
)

// An Algorithm is an AlgorithmIdentifier (RFC 5280 4.1.1.2). Parameters is the whole element after the OID, nil if absent.
type Algorithm struct {
	OID        der.OID
	Parameters []byte
}

// Equal reports whether a and b are the same octet for octet.
func (a Algorithm) Equal(b Algorithm) bool {
	return a.OID == b.OID && bytes.Equal(a.Parameters, b.Parameters) && (a.Parameters == nil) == (b.Parameters == nil)
}

// IsDSTU reports whether a names a ДСТУ 4145 key, in whatever basis and byte order.
func (a Algorithm) IsDSTU() bool {
	return a.OID == OIDDSTU4145 || a.OID == OIDDSTU4145BigEndian || a.OID.HasPrefix(OIDDSTU4145NormalBasis)
}

// ParseAlgorithm reads an AlgorithmIdentifier from r; errors stay in r.
func ParseAlgorithm(r *der.Reader) Algorithm {
	seq := r.Sequence()
	a := Algorithm{OID: seq.OID()}
	if seq.More() {
		a.Parameters = seq.Next().Full
	}
	if err := seq.Done(); err != nil {
		r.Fail(err)
		return Algorithm{}
	}
	return a
}

// Encode writes an AlgorithmIdentifier.
func (a Algorithm) Encode() []byte { return der.EncodeSequence(der.EncodeOID(a.OID), a.Parameters) }

// Info is a SubjectPublicKeyInfo. All byte slices alias the input.
type Info struct {
	Algorithm Algorithm
	Key       []byte // content octets of the BIT STRING
	Raw       []byte
	// DSTU is the key if the algorithm is ДСТУ 4145 on a named curve, else nil; DSTUErr says why a ДСТУ key was not taken
	// and is nil for every other algorithm.
	DSTU    *dstu4145.PublicKey
	DSTUErr error
	SBox    []byte // packed ДКЕ of the parameters, 64 bytes, nil if absent; it serves the cipher and never the hash
}

// Parse reads a SubjectPublicKeyInfo. A key that is well-formed but cannot be used is no error: DSTUErr says why, and
// DSTU stays nil.
func Parse(b []byte) (*Info, error) {
	if len(b) > MaxSize {
		return nil, ErrTooBig
	}
	outer := der.NewReader(b)
	seq := outer.Sequence()
	info := &Info{Algorithm: ParseAlgorithm(seq), Raw: b}
	info.Key = seq.BitString()
	if err := errors.Join(seq.Done(), outer.Done()); err != nil {
		return nil, errors.Join(ErrMalformed, err)
	}
	if info.Algorithm.IsDSTU() {
		info.DSTU, info.SBox, info.DSTUErr = parseDSTU(info.Algorithm, info.Key)
	}
	return info, nil
}

func parseDSTU(a Algorithm, key []byte) (*dstu4145.PublicKey, []byte, error) {
	switch {
	case a.OID == OIDDSTU4145BigEndian:
		return nil, nil, ErrBigEndian
	case a.OID != OIDDSTU4145:
		return nil, nil, ErrNormalBasis
	}
	curve, sbox, err := ParseCurve(a.Parameters)
	if err != nil {
		return nil, nil, err
	}
	r := der.NewReader(key)
	point := r.OctetString()
	if err := r.Done(); err != nil {
		return nil, nil, errors.Join(ErrMalformed, err)
	}
	public, err := dstu4145.ParsePublicKey(curve, point)
	if err != nil {
		return nil, nil, err
	}
	return public, sbox, nil
}

// ParseCurve reads the parameters of a ДСТУ 4145 AlgorithmIdentifier: SEQUENCE { curve, dke OCTET STRING OPTIONAL }, where
// curve is the OID of a named curve, or explicit parameters, taken only if all of them equal a named curve.
func ParseCurve(params []byte) (curve *dstu4145.Curve, sbox []byte, err error) {
	if len(params) > MaxSize {
		return nil, nil, ErrTooBig
	}
	outer := der.NewReader(params)
	seq := outer.Sequence()
	if seq.Peek(der.ObjectID) {
		curve, err = namedCurve(seq.OID())
	} else {
		curve, err = explicitCurve(seq.Sequence())
	}
	if seq.Peek(der.OctetString) {
		sbox = seq.OctetString()
	}
	if form := errors.Join(seq.Done(), outer.Done()); form != nil {
		return nil, nil, errors.Join(ErrMalformed, form)
	}
	if err != nil {
		return nil, nil, err
	}
	if sbox != nil && len(sbox) != gost28147.SBoxSize {
		return nil, nil, ErrMalformed
	}
	return curve, sbox, nil
}

func namedCurve(o der.OID) (*dstu4145.Curve, error) {
	if o.HasPrefix(OIDDSTU4145NormalBasis) {
		return nil, ErrNormalBasis
	}
	curves := dstu4145.Curves()
	n := len(oidNamedCurves)
	if len(o) != n+1 || !o.HasPrefix(oidNamedCurves) || int(o[n]) >= len(curves) {
		return nil, ErrCurve
	}
	return curves[o[n]], nil
}

// explicitCurve reads ECBinary: { { m, k | {k1, k2, k3} }, a, b, n, base point }. The degree is looked up in the closed
// list of the ten curves before anything else is looked at (T16).
func explicitCurve(r *der.Reader) (*dstu4145.Curve, error) {
	field := r.Sequence()
	m := field.Int()
	var curve *dstu4145.Curve
	var want dstu4145.Params
	for _, c := range dstu4145.Curves() {
		if c.FieldBits() == m {
			curve, want = c, c.Params()
		}
	}
	if curve == nil || field.Err() != nil {
		return nil, ErrCurve
	}
	var k []int
	if field.Peek(der.Sequence) {
		for terms := field.Sequence(); ; {
			k = append(k, terms.Int())
			if len(k) == 3 || !terms.More() {
				field.Fail(terms.Done())
				break
			}
		}
	} else if field.Peek(der.Integer) {
		k = append(k, field.Int())
	}
	if field.Done() != nil {
		return nil, ErrCurve
	}
	a, b, n, base := r.Int(), r.OctetString(), r.Unsigned(), r.OctetString()
	if r.Done() != nil || !equalInts(k, want.K) || a != want.A || !bytes.Equal(b, want.B) || !bytes.Equal(n, want.N) ||
		!bytes.Equal(base, want.Base) {
		return nil, ErrCurve
	}
	return curve, nil
}

func equalInts(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// CurveAlgorithm returns the AlgorithmIdentifier of a ДСТУ 4145 key on curve c: the named curve, the ДКЕ left out, which
// means ДКЕ № 1.
func CurveAlgorithm(c *dstu4145.Curve) Algorithm {
	oid := oidNamedCurves + der.OID([]byte{byte(c.Index())})
	return Algorithm{OID: OIDDSTU4145, Parameters: der.EncodeSequence(der.EncodeOID(oid))}
}

// EncodePublicKey writes the SubjectPublicKeyInfo of a ДСТУ key: named curve, ДКЕ № 1 left out.
func EncodePublicKey(k *dstu4145.PublicKey) []byte {
	point := der.EncodeOctetString(k.Bytes())
	return der.EncodeSequence(CurveAlgorithm(k.Curve()).Encode(), der.EncodeBitString(point))
}

// KeyID is ГОСТ 34.311 over the DER OCTET STRING that holds the compressed point: the key identifier (SKI, AKI) in
// certificates signed with ГОСТ 34.311. 32 bytes.
func KeyID(k *dstu4145.PublicKey) []byte {
	id := gost34311.Sum(der.EncodeOctetString(k.Bytes()))
	return id[:]
}

// KeyIDKupyna is Купина-256 over the same: the key identifier in certificates signed with Купина. 32 bytes.
func KeyIDKupyna(k *dstu4145.PublicKey) []byte {
	id := kupyna.Sum256(der.EncodeOctetString(k.Bytes()))
	return id[:]
}
