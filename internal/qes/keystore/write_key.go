package keystore

import (
	"slices"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost28147"
	"brama/internal/qes/spki"
)

// EncodePKCS8 writes the PrivateKeyInfo of a ДСТУ key as the containers of national providers have it: explicit curve
// parameters with the ДКЕ and d little-endian. With second, the key of agreement goes into the attributes. The long form
// is not for its own sake: there are readers who skip a header of fixed length before it, which is right only from 256
// octets on.
func EncodePKCS8(key, second *dstu4145.PrivateKey) []byte {
	algorithm := spki.Algorithm{OID: spki.OIDDSTU4145,
		Parameters: der.EncodeSequence(explicitCurve(key.Curve().Params()), der.EncodeOctetString(gost28147.DKE1().Bytes()))}
	d := key.Bytes()
	defer clear(d)
	parts := [][]byte{der.EncodeInt(0), algorithm.Encode(), der.EncodeOctetString(d)}
	if second != nil {
		parts = append(parts, der.Element(der.Constructed(0), secondAttributes(key, second)...))
	}
	return der.EncodeSequence(parts...)
}

// explicitCurve writes ECBinary: { { m, k | {k1, k2, k3} }, a, b, n, base point }.
func explicitCurve(p dstu4145.Params) []byte {
	var terms []byte
	for _, k := range p.K {
		terms = append(terms, der.EncodeInt(k)...)
	}
	if len(p.K) > 1 {
		terms = der.EncodeSequence(terms)
	}
	return der.EncodeSequence(der.EncodeSequence(der.EncodeInt(p.M), terms), der.EncodeInt(p.A),
		der.EncodeOctetString(p.B), der.EncodeUnsigned(p.N), der.EncodeOctetString(p.Base))
}

// secondAttributes are the attributes of a pair in the order of IIT. In them the curve stands the other way round, see
// secondCurve.
func secondAttributes(key, second *dstu4145.PrivateKey) [][]byte {
	attribute := func(oid der.OID, value []byte) []byte {
		return der.EncodeSequence(der.EncodeOID(oid), der.EncodeSetOf(value))
	}
	p := second.Curve().Params()
	slices.Reverse(p.K)
	p.B, p.Base = reversed(p.B), reversed(p.Base)
	dke := der.EncodeOctetString(gost28147.DKE1().Bytes())
	bits, unused := reversedBits(second)
	defer clear(bits)
	return [][]byte{
		attribute(oidFirstID, der.EncodeOctetString(spki.KeyID(key.PublicKey()))),
		attribute(oidSecondID, der.EncodeOctetString(spki.KeyID(second.PublicKey()))),
		attribute(oidSecondKey, der.Element(der.BitString, []byte{byte(unused)}, bits)),
		attribute(oidSecondParameters, der.EncodeSequence(explicitCurve(p), dke, dke)),
	}
}

// reversedBits is d as a BIT STRING from its lowest bit on. The programs of providers make keys one bit shorter than n
// (ДСТУ 4145 9.1) and count the bits so; a key of full length has one more.
func reversedBits(key *dstu4145.PrivateKey) (bits []byte, unused int) {
	bits = key.Bytes()
	for i, o := range bits {
		bits[i] = reverseBits(o)
	}
	n := key.Curve().Params().N
	unused = 8*(len(bits)-len(n)) + 1
	for top := n[0]; top < 0x80; top <<= 1 {
		unused++
	}
	if unused > 7 || bits[len(bits)-1]&(1<<unused-1) != 0 {
		unused--
	}
	return bits, unused
}
