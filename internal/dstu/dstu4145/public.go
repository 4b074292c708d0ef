package dstu4145

import (
	"crypto"

	"brama/internal/dstu/internal/gf2m"
)

// A PublicKey is a point that was checked: on the curve, not O, of order n. It may be used by several goroutines.
type PublicKey struct {
	curve      *Curve
	point      gf2m.Affine
	compressed []byte
	windows    *fixedTable // after Precompute
	split      *splitTable // after PrecomputeSmall
}

// ParsePublicKey decompresses and checks a point of exactly PointSize bytes, little-endian (ДСТУ 4145-2002, clause
// 6.10). The errors are ErrPointSize, ErrPointEncoding, ErrPointZero, ErrNotOnCurve and ErrSubgroup.
func ParsePublicKey(c *Curve, compressed []byte) (*PublicKey, error) {
	k := &PublicKey{curve: c}
	if err := c.decompress(&k.point, compressed); err != nil {
		return nil, err
	}
	k.compressed = append([]byte(nil), compressed...)
	return k, nil
}

// Curve returns the curve of k.
func (k *PublicKey) Curve() *Curve { return k.curve }

// Bytes returns the compressed point, PointSize bytes, little-endian.
func (k *PublicKey) Bytes() []byte { return append([]byte(nil), k.compressed...) }

// Equal reports whether x is a *PublicKey of the same curve and point.
func (k *PublicKey) Equal(x crypto.PublicKey) bool {
	o, ok := x.(*PublicKey)
	return ok && o != nil && k.curve == o.curve && k.point == o.point
}

// Precompute returns a key with tables that make its verifications several times faster, for an issuer whose key is used
// again and again. The tables take 264 KiB (M257) to 756 KiB (M431) and the time of some tens of verifications.
// k is not changed.
func (k *PublicKey) Precompute() *PublicKey {
	if k.windows != nil {
		return k
	}
	return k.precompute(knownWidth)
}

func (k *PublicKey) precompute(width int) *PublicKey {
	p := *k
	p.split = nil
	p.windows = k.curve.newFixedTable(&k.point, width, k.curve.field.CheapInversion())
	return &p
}

// TableSize is the number of octets of the tables that Precompute or PrecomputeSmall made, 0 for a key without.
func (k *PublicKey) TableSize() int {
	switch {
	case k.windows != nil:
		return k.windows.points.Size()
	case k.split != nil:
		return k.split.points.Size()
	}
	return 0
}
