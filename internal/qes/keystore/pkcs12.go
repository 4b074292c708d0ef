package keystore

import (
	"errors"

	"brama/internal/der"
	"brama/internal/dstu/gost34311"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

var (
	oidData            = der.NewOID("1.2.840.113549.1.7.1")
	oidEncryptedData   = der.NewOID("1.2.840.113549.1.7.6")
	oidKeyBag          = der.NewOID("1.2.840.113549.1.12.10.1.1")
	oidShroudedKeyBag  = der.NewOID("1.2.840.113549.1.12.10.1.2")
	oidCertBag         = der.NewOID("1.2.840.113549.1.12.10.1.3")
	oidSafeContentsBag = der.NewOID("1.2.840.113549.1.12.10.1.6")
	oidX509Certificate = der.NewOID("1.2.840.113549.1.9.22.1")
	oidFriendlyName    = der.NewOID("1.2.840.113549.1.9.20")
	oidLocalKeyID      = der.NewOID("1.2.840.113549.1.9.21")
	oidSHA1            = der.NewOID("1.3.14.3.2.26")
	oidSHA256          = der.NewOID("2.16.840.1.101.3.4.2.1")
	oidSHA384          = der.NewOID("2.16.840.1.101.3.4.2.2")
	oidSHA512          = der.NewOID("2.16.840.1.101.3.4.2.3")
	// oidUnknownMAC stands for the digest in files of one accounting program; nobody has published what it means. The MAC
	// is left unchecked there, and the keys have to prove themselves.
	oidUnknownMAC = der.NewOID("1.32.113549.1.7.1.524545")
)

// macDigests by their names in Primitives.
var macDigests = map[der.OID]string{
	oidSHA1: "SHA-1", oidSHA256: "SHA-256", oidSHA384: "SHA-384", oidSHA512: "SHA-512", spki.OIDGOST34311: hashGOST,
}

// openPKCS12 opens a PFX (RFC 7292 4). Java and Windows write it in BER, on every level of nesting apart.
func (o *opener) openPKCS12(data []byte) error {
	data, err := der.Normalize(data)
	if err != nil {
		return errors.Join(ErrDamaged, err)
	}
	outer := der.NewReader(data)
	pfx := outer.Sequence()
	if pfx.Int() != 3 {
		return ErrUnsupported
	}
	info := pfx.Sequence()
	contentType, explicit := info.OID(), info.Nested(der.Constructed(0))
	if contentType == oidSignedData {
		return ErrUnsupported // integrity by a public key
	}
	authSafe := explicit.OctetString()
	macData, hasMAC := pfx.Optional(der.Sequence)
	if err := done(explicit, info, pfx, outer); err != nil || contentType != oidData {
		return ErrDamaged
	}
	checked := false
	if hasMAC {
		if checked, err = o.checkMAC(macData.Reader(), authSafe); err != nil {
			return err
		}
	}
	if err := o.openAuthSafe(authSafe); err != nil {
		return err
	}
	switch {
	case !o.otherPassword:
	case len(o.container.Keys) > 0:
		o.container.Partial = true
	case checked:
		return ErrKeyPassword // the MAC says that the password is right, and that nothing was changed
	default:
		return ErrPassword
	}
	return nil
}

// checkMAC verifies MacData (RFC 7292 4); checked is false if its digest is the one nobody knows.
func (o *opener) checkMAC(r *der.Reader, content []byte) (checked bool, err error) {
	info := r.Sequence()
	digest, want := spki.ParseAlgorithm(info).OID, info.OctetString()
	salt, iterations := r.OctetString(), 1
	if r.Peek(der.Integer) {
		iterations = r.Int()
	}
	if err := done(info, r); err != nil {
		return false, err
	}
	if digest == oidUnknownMAC {
		return false, nil
	}
	alg, ok := macDigests[digest]
	if !ok {
		return false, ErrUnsupported
	}
	for _, password := range bmpPasswords(o.password) {
		if err := o.spend(iterations); err != nil {
			return false, err
		}
		key, err := o.pkcs12KDF(alg, 3, password, salt, iterations, blockSizes[alg].u)
		clear(password)
		if err != nil {
			return false, err
		}
		mac, err := o.hmac(alg, key, content)
		clear(key)
		if err != nil {
			return false, err
		}
		if equalMAC(mac, want) {
			return true, nil
		}
	}
	return false, ErrPassword
}

// hmac is RFC 2104 over a digest of Primitives or ГОСТ 34.311; the key is not longer than a block.
func (o *opener) hmac(alg string, key, data []byte) ([]byte, error) {
	if alg == hashGOST {
		h := gost34311.NewHMAC(key)
		h.Write(data)
		return h.Sum(nil), nil
	}
	inner, outer := make([]byte, blockSizes[alg].v), make([]byte, blockSizes[alg].v)
	for i := range inner {
		if i < len(key) {
			inner[i], outer[i] = key[i], key[i]
		}
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	sum, err := o.primitives.Digest(alg, concat(inner, data))
	if err != nil {
		return nil, err
	}
	return o.primitives.Digest(alg, concat(outer, sum))
}

func concat(a, b []byte) []byte { return append(append(make([]byte, 0, len(a)+len(b)), a...), b...) }

// openAuthSafe reads AuthenticatedSafe: plain and encrypted SafeContents. A part that nobody here can decrypt does not
// hide the rest.
func (o *opener) openAuthSafe(data []byte) error {
	safes, err := normalizedSequence(data)
	if err != nil {
		return err
	}
	for n := 0; safes.More(); n++ {
		if n == MaxKeys {
			return ErrDamaged
		}
		info := safes.Sequence()
		contentType, explicit := info.OID(), info.Nested(der.Constructed(0))
		switch contentType {
		case oidData:
			contents := explicit.OctetString()
			if err := done(explicit, info); err != nil {
				return err
			}
			if err := o.openSafeContents(contents, 0); err != nil {
				return err
			}
		case oidEncryptedData:
			contents, err := o.decryptContents(explicit)
			if err == nil {
				err = o.openSafeContents(contents, 0)
			}
			clear(contents)
			if err = o.pass(err); err != nil {
				return err
			}
		default:
			o.container.Partial = true // envelopedData: encrypted to a certificate
		}
	}
	return done(safes)
}

func normalizedSequence(data []byte) (*der.Reader, error) {
	data, err := der.Normalize(data)
	if err != nil {
		return nil, errors.Join(ErrDamaged, err)
	}
	v, err := der.Parse(data)
	if err != nil || v.Tag != der.Sequence {
		return nil, ErrDamaged
	}
	return v.Reader(), nil
}

// decryptContents opens EncryptedData (RFC 5652 8): { version, { data, algorithm, [0] IMPLICIT OCTET STRING } }.
func (o *opener) decryptContents(r *der.Reader) ([]byte, error) {
	encrypted := r.Sequence()
	encrypted.Int()
	info := encrypted.Sequence()
	info.OID()
	algorithm := spki.ParseAlgorithm(info)
	var ciphertext []byte
	if v, ok := info.Optional(der.Constructed(0)); ok { // BER: cut into segments
		for segments := v.Reader(); ; {
			if !segments.More() {
				info.Fail(segments.Done())
				break
			}
			ciphertext = append(ciphertext, segments.OctetString()...)
		}
	} else {
		ciphertext = info.Read(der.Context(0)).Bytes
	}
	if err := done(info, encrypted); err != nil {
		return nil, err
	}
	var last error = ErrPassword
	for _, password := range bytePasswords(o.password) {
		plain, err := o.decryptPBE(algorithm, ciphertext, password)
		if err == nil {
			if _, err = normalizedSequence(plain); err == nil {
				return plain, nil
			}
			err = ErrPassword
		}
		if last = err; !errors.Is(err, ErrPassword) {
			break
		}
	}
	return nil, last
}

// pass goes past what is encrypted in a way that is not known here, or under another password: Java lets each key have its
// own.
func (o *opener) pass(err error) error {
	switch {
	case errors.Is(err, ErrUnsupported):
		o.container.Partial = true
	case errors.Is(err, ErrPassword):
		o.otherPassword = true
	default:
		return err
	}
	return nil
}

// maxSafes bounds the nesting of safes in bags.
const maxSafes = 4

// openSafeContents reads the bags of one safe, which stands in depth others.
func (o *opener) openSafeContents(data []byte, depth int) error {
	bags, err := normalizedSequence(data)
	if err != nil {
		return err
	}
	for bags.More() {
		bag := bags.Sequence()
		bagType, value := bag.OID(), bag.Nested(der.Constructed(0))
		attributes, _ := bag.Optional(der.Set)
		content := value.Next()
		if err := done(value, bag); err != nil {
			return err
		}
		switch bagType {
		case oidKeyBag:
			err = o.addPKCS8(content.Full, friendlyName(attributes.Bytes))
		case oidShroudedKeyBag:
			var plain []byte
			plain, err = o.decryptPKCS8(content.Full, friendlyName(attributes.Bytes))
			clear(plain)
		case oidCertBag:
			err = o.addCertBag(content.Reader())
		case oidSafeContentsBag:
			if depth == maxSafes {
				return ErrDamaged
			}
			err = o.openSafeContents(content.Full, depth+1)
		default:
			o.container.Partial = true // CRL, secret: nothing that signs
		}
		if err = o.pass(err); err != nil {
			return err
		}
	}
	return done(bags)
}

func (o *opener) addCertBag(r *der.Reader) error {
	kind, value := r.OID(), r.Nested(der.Constructed(0))
	if kind != oidX509Certificate {
		o.container.Partial = true
		return nil
	}
	raw := value.OctetString()
	if err := done(value, r); err != nil {
		return err
	}
	o.addCertificate(raw)
	return nil
}

// friendlyName reads the name of a bag from the content of its attributes, "" if there is none that can be read.
func friendlyName(attributes []byte) string {
	for r := der.NewReader(attributes); r.More(); {
		attribute := r.Sequence()
		if attribute.OID() != oidFriendlyName {
			continue
		}
		if name, err := tbs.DecodeString(attribute.Set().Read(der.BMPString)); err == nil {
			return name
		}
	}
	return ""
}
