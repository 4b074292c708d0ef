package spki

import "brama/internal/der"

// Object identifiers of the national algorithms: 1.2.804.2.1.1.1 and what stands below.
var (
	// OIDDSTU4145 is ДСТУ 4145 with ГОСТ 34.311 in polynomial basis, fields little-endian: both the algorithm of a key and
	// of a signature.
	OIDDSTU4145 = der.NewOID("1.2.804.2.1.1.1.1.3.1.1")
	// OIDDSTU4145BigEndian is the same with fields big-endian; it is known only to be refused by name.
	OIDDSTU4145BigEndian = der.NewOID("1.2.804.2.1.1.1.1.3.1.1.1.1")
	// OIDDSTU4145NormalBasis is the prefix of everything in optimal normal basis, refused by name.
	OIDDSTU4145NormalBasis = der.NewOID("1.2.804.2.1.1.1.1.3.1.2")
	// OIDDSTU4145WithKupyna is the prefix of signatures with ДСТУ 7564: .1, .2 and .3 below it are digests of 256, 384 and
	// 512 bits, with or without a last arc 1 (polynomial basis); without any arc below it is 256.
	OIDDSTU4145WithKupyna = der.NewOID("1.2.804.2.1.1.1.1.3.6")

	OIDGOST34311 = der.NewOID("1.2.804.2.1.1.1.1.2.1")
	OIDKupyna256 = der.NewOID("1.2.804.2.1.1.1.1.2.2.1")
	OIDKupyna384 = der.NewOID("1.2.804.2.1.1.1.1.2.2.2")
	OIDKupyna512 = der.NewOID("1.2.804.2.1.1.1.1.2.2.3")

	OIDHMACGOST34311 = der.NewOID("1.2.804.2.1.1.1.1.1.2")
	OIDGOST28147CFB  = der.NewOID("1.2.804.2.1.1.1.1.1.1.3")

	OIDRSA         = der.NewOID("1.2.840.113549.1.1.1")
	OIDECPublicKey = der.NewOID("1.2.840.10045.2.1")
	OIDP256        = der.NewOID("1.2.840.10045.3.1.7")
	OIDP384        = der.NewOID("1.3.132.0.34")
	OIDP521        = der.NewOID("1.3.132.0.35")
)

// oidNamedCurves is the prefix of the named curves in polynomial basis; the last arc is the index of the curve.
var oidNamedCurves = der.NewOID("1.2.804.2.1.1.1.1.3.1.1.2")

// SignatureDigest returns the digest that belongs to a ДСТУ 4145 signature algorithm, "" if o is none that is taken.
// An identifier of a signature fixes its digest: a value under another one is a refusal (T11).
func SignatureDigest(o der.OID) der.OID {
	if o == OIDDSTU4145 {
		return OIDGOST34311
	}
	if !o.HasPrefix(OIDDSTU4145WithKupyna) {
		return ""
	}
	switch o[len(OIDDSTU4145WithKupyna):] {
	case "", "\x01", "\x01\x01":
		return OIDKupyna256
	case "\x02", "\x02\x01":
		return OIDKupyna384
	case "\x03", "\x03\x01":
		return OIDKupyna512
	}
	return ""
}
