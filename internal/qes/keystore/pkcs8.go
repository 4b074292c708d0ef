package keystore

import (
	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/spki"
)

// Attributes of a PKCS#8 by national providers: the second key of a pair, and the identifiers of both. Some files hold a
// sixth attribute, { ДКЕ, 8 octets, 32 octets }, of which nothing is published; it is not read and not written.
var (
	oidFirstID          = der.NewOID("1.3.6.1.4.1.19398.1.1.2.1")
	oidSecondParameters = der.NewOID("1.3.6.1.4.1.19398.1.1.2.2")
	oidSecondKey        = der.NewOID("1.3.6.1.4.1.19398.1.1.2.3")
	oidSecondID         = der.NewOID("1.3.6.1.4.1.19398.1.1.2.5")
)

// curveNames of ECDSA keys.
var curveNames = map[der.OID]string{spki.OIDP256: "P-256", spki.OIDP384: "P-384", spki.OIDP521: "P-521"}

// addPKCS8 reads a PrivateKeyInfo (RFC 5208 5; version 1 is RFC 5958) and adds its key, and the second key if its
// attributes hold one.
func (o *opener) addPKCS8(data []byte, alias string) error {
	outer := der.NewReader(data)
	r := outer.Sequence()
	version := r.Int()
	algorithm := spki.ParseAlgorithm(r)
	private := r.OctetString()
	attributes, _ := r.Optional(der.Constructed(0))
	r.Optional(der.Context(1)) // publicKey of RFC 5958: computed here, never believed
	if err := done(r, outer); err != nil {
		return err
	}
	if version > 1 {
		return ErrUnsupported
	}
	k := Key{Alias: alias}
	switch {
	case algorithm.IsDSTU():
		curve, _, err := spki.ParseCurve(algorithm.Parameters)
		if err != nil || algorithm.OID != spki.OIDDSTU4145 {
			return ErrUnsupported
		}
		first, err := dstuKey(curve, private)
		if err != nil {
			return err
		}
		second, err := secondKey(attributes.Bytes)
		if err != nil {
			return err
		}
		k = newDSTUKey(first, alias)
		if second != nil {
			k.Usage = UsageSigning
			if err := o.addKey(k); err != nil {
				return err
			}
			k = newDSTUKey(second, alias)
			k.Usage = UsageAgreement
		}
		return o.addKey(k)
	case algorithm.OID == spki.OIDRSA:
		public, err := rsaPublicKey(private)
		if err != nil {
			return err
		}
		k.Algorithm, k.Public = AlgorithmRSA, public
	case algorithm.OID == spki.OIDECPublicKey:
		curve := der.NewReader(algorithm.Parameters)
		named := curve.OID()
		if curve.Done() != nil {
			return ErrUnsupported
		}
		embedded, err := ecEmbeddedPoint(private)
		if err != nil {
			return err
		}
		k.Algorithm, k.Curve = AlgorithmECDSA, named.String()
		if name := curveNames[named]; name != "" {
			k.Curve = name
		}
		if k.Public, err = o.primitives.ECPublicKey(data); err != nil {
			k.Public = embedded // a curve that is not known here: the key can be listed but does not sign
		}
	default:
		k.Algorithm = algorithm.OID.String()
	}
	k.PKCS8 = append([]byte(nil), data...)
	if k.Public != nil {
		id, err := o.primitives.Digest("SHA-1", k.Public)
		if err != nil {
			return err
		}
		k.ID = id
	}
	return o.addKey(k)
}

// dstuKey takes d, little-endian, zero bytes at the end allowed. Some programs have written a d of n or more: it is taken
// modulo n, which is the same key.
func dstuKey(curve *dstu4145.Curve, d []byte) (*dstu4145.PrivateKey, error) {
	for len(d) > 0 && d[len(d)-1] == 0 {
		d = d[:len(d)-1]
	}
	n := reversed(curve.Params().N)
	if len(d) > len(n)+8 {
		return nil, ErrDamaged
	}
	if len(d) >= len(n) {
		d = reduce(d, n)
		defer clear(d)
	}
	key, err := dstu4145.NewPrivateKey(curve, d)
	if err != nil {
		return nil, ErrDamaged
	}
	return key, nil
}

// reduce returns d modulo n, both little-endian, in len(n) octets: shift and subtract, every step the same whatever the
// values are.
func reduce(d, n []byte) []byte {
	r, t := make([]byte, len(n)+1), make([]byte, len(n)+1)
	defer clear(t)
	for i := 8*len(d) - 1; i >= 0; i-- {
		carry := d[i/8] >> (i % 8) & 1
		for j, o := range r { // r = 2r + bit
			r[j] = o<<1 | carry
			carry = o >> 7
		}
		borrow := 0
		for j, o := range r { // t = r − n
			v := int(o) - borrow
			if j < len(n) {
				v -= int(n[j])
			}
			t[j], borrow = byte(v), v>>8&1
		}
		keep := byte(-borrow) // all ones: r was less than n and stays
		for j := range r {
			r[j] = r[j]&keep | t[j]&^keep
		}
	}
	return r[:len(n)]
}

func newDSTUKey(key *dstu4145.PrivateKey, alias string) Key {
	public := key.Public().(*dstu4145.PublicKey)
	return Key{
		Alias: alias, Algorithm: AlgorithmDSTU, Curve: public.Curve().Name(), DSTU: key,
		PKCS8: EncodePKCS8(key, nil), Public: der.EncodeOctetString(public.Bytes()),
		ID: spki.KeyID(public), IDKupyna: spki.KeyIDKupyna(public),
	}
}

// secondKey reads the second private key out of the content of the attributes, nil if there is none.
func secondKey(attributes []byte) (*dstu4145.PrivateKey, error) {
	var params, bits []byte
	for r := der.NewReader(attributes); ; {
		if !r.More() {
			if err := done(r); err != nil {
				return nil, err
			}
			break
		}
		attribute := r.Sequence()
		oid, values := attribute.OID(), attribute.Set()
		if err := done(attribute); err != nil {
			return nil, err
		}
		switch oid {
		case oidSecondParameters:
			params = values.Read(der.Sequence).Full
		case oidSecondKey:
			bits, _ = values.Bits() // the unused bits are zero, and the highest of d once turned round
		default:
			continue
		}
		if err := done(values); err != nil {
			return nil, err
		}
	}
	if params == nil || bits == nil {
		return nil, nil
	}
	curve, err := secondCurve(params)
	if err != nil {
		return nil, err
	}
	d := make([]byte, len(bits))
	defer clear(d)
	for i, o := range bits {
		d[i] = reverseBits(o)
	}
	return dstuKey(curve, d)
}

// reverseBits turns the octet round: BIT STRINGs of these programs number bits from the other end.
func reverseBits(o byte) byte {
	o = o>>4 | o<<4
	o = o>>2&0x33 | o&0x33<<2
	return o>>1&0x55 | o&0x55<<1
}

// secondCurve reads SEQUENCE { curve, dke, dke2 }. In the explicit form b and the base point stand with their octets in
// the opposite order to a SPKI and the terms of the pentanomial in another one; it is brought to the usual form and then
// held against the named curves as strictly as every other.
func secondCurve(params []byte) (*dstu4145.Curve, error) {
	outer := der.NewReader(params)
	r := outer.Sequence()
	var curve []byte
	if r.Peek(der.ObjectID) {
		curve = r.Next().Full
	} else {
		curve = swapExplicit(r.Sequence())
	}
	for r.Peek(der.OctetString) {
		r.Next()
	}
	if done(r, outer) != nil || curve == nil {
		return nil, ErrDamaged
	}
	c, _, err := spki.ParseCurve(der.EncodeSequence(curve))
	if err != nil {
		return nil, ErrUnsupported
	}
	return c, nil
}

func swapExplicit(r *der.Reader) []byte {
	field := r.Sequence()
	m := field.Int()
	var terms []byte
	if field.Peek(der.Sequence) {
		list := field.Sequence()
		k := []int{list.Int(), list.Int(), list.Int()}
		field.Fail(list.Done())
		for i := range k { // ascending, as in a SPKI
			for j := i; j > 0 && k[j] < k[j-1]; j-- {
				k[j], k[j-1] = k[j-1], k[j]
			}
		}
		terms = der.EncodeSequence(der.EncodeInt(k[0]), der.EncodeInt(k[1]), der.EncodeInt(k[2]))
	} else {
		terms = der.EncodeInt(field.Int())
	}
	a, b, n, base := r.Int(), reversed(r.OctetString()), r.Unsigned(), reversed(r.OctetString())
	if done(field, r) != nil {
		return nil
	}
	for len(base) > len(b) && base[len(base)-1] == 0 { // some stand with zeros in front
		base = base[:len(base)-1]
	}
	return der.EncodeSequence(der.EncodeSequence(der.EncodeInt(m), terms), der.EncodeInt(a),
		der.EncodeOctetString(b), der.EncodeUnsigned(n), der.EncodeOctetString(base))
}

func reversed(b []byte) []byte {
	out := make([]byte, len(b))
	for i, o := range b {
		out[len(b)-1-i] = o
	}
	return out
}

// rsaPublicKey takes RSAPublicKey out of RSAPrivateKey (RFC 8017 A.1.2).
func rsaPublicKey(private []byte) ([]byte, error) {
	outer := der.NewReader(private)
	r := outer.Sequence()
	r.Int()
	n, e := r.Unsigned(), r.Unsigned()
	for range 6 { // d, p, q and what is computed from them
		r.Unsigned()
	}
	if err := done(r, outer); err != nil {
		return nil, err
	}
	return der.EncodeSequence(der.EncodeUnsigned(n), der.EncodeUnsigned(e)), nil
}

// ecEmbeddedPoint checks the form of ECPrivateKey (RFC 5915 3) and returns the public key that it carries, nil if none.
func ecEmbeddedPoint(private []byte) ([]byte, error) {
	outer := der.NewReader(private)
	r := outer.Sequence()
	if r.Int() != 1 {
		return nil, ErrDamaged
	}
	r.OctetString()
	r.Optional(der.Constructed(0))
	var point []byte
	if v, ok := r.Optional(der.Constructed(1)); ok {
		bits := v.Reader()
		point = bits.BitString()
		r.Fail(bits.Done())
	}
	if err := done(r, outer); err != nil {
		return nil, err
	}
	return point, nil
}
