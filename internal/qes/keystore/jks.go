package keystore

import (
	"errors"
	"unicode/utf8"

	"brama/internal/der"
	"brama/internal/qes/spki"
)

var jksMagic = [4]byte{0xfe, 0xed, 0xfe, 0xed}

// oidJKSProtector is the only protection of keys that JKS has.
var oidJKSProtector = der.NewOID("1.3.6.1.4.1.42.2.17.1.1")

const (
	jksDigest = 20 // octets of SHA-1
	jksSalt   = "Mighty Aphrodite"
)

// A jksReader takes big-endian fields; the first fault sticks.
type jksReader struct {
	rest   []byte
	failed bool
}

func (r *jksReader) bytes(n int) []byte {
	if r.failed || n < 0 || n > len(r.rest) {
		r.failed = true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *jksReader) number(octets int) int {
	n := 0
	for _, o := range r.bytes(octets) {
		if n > 1<<22 { // beyond every limit here, far from overflow
			r.failed = true
		}
		n = n<<8 | int(o)
	}
	return n
}

// text is the modified UTF-8 of Java (JVM specification 4.4.7); a name with surrogates or zeros is dropped.
func (r *jksReader) text() string {
	b := r.bytes(r.number(2))
	if !utf8.Valid(b) {
		return ""
	}
	return string(b)
}

// A jksEntry is a private key as it stands.
type jksEntry struct {
	alias     string
	protected []byte
}

// openJKS opens a Java keystore of version 1 or 2. The passwords of the store and of a key may differ, and a form has one
// field: the password is tried for the keys whatever the store's own check says.
func (o *opener) openJKS(data []byte) error {
	if len(data) < 12+jksDigest {
		return ErrDamaged
	}
	r := &jksReader{rest: data[4 : len(data)-jksDigest]}
	version, count := r.number(4), r.number(4)
	if version != 1 && version != 2 {
		return ErrUnsupported
	}
	if count > MaxKeys {
		return ErrDamaged
	}
	var entries []jksEntry
	for range count {
		tag := r.number(4)
		alias := r.text()
		r.bytes(8) // time
		switch tag {
		case 1:
			entries = append(entries, jksEntry{alias, r.bytes(r.number(4))})
			chain := r.number(4)
			if chain > MaxKeys {
				return ErrDamaged
			}
			for range chain {
				o.addJKSCertificate(r, version)
			}
		case 2:
			o.addJKSCertificate(r, version)
		default:
			return ErrDamaged
		}
		if r.failed {
			return ErrDamaged
		}
	}
	if len(r.rest) != 0 {
		return ErrDamaged
	}
	if len(entries) == 0 {
		return ErrNoKey
	}
	return o.openJKSEntries(entries, data)
}

func (o *opener) addJKSCertificate(r *jksReader, version int) {
	kind := "X.509"
	if version == 2 {
		kind = r.text()
	}
	if raw := r.bytes(r.number(4)); kind == "X.509" && !r.failed {
		o.addCertificate(raw)
	}
}

func (o *opener) openJKSEntries(entries []jksEntry, data []byte) error {
	password := utf16BE(o.password)
	defer clear(password)
	for _, e := range entries {
		err := o.openJKSKey(e, password)
		switch {
		case errors.Is(err, ErrPassword), errors.Is(err, ErrUnsupported):
			o.container.Partial = true
		case err != nil:
			return err
		}
	}
	if len(o.container.Keys) > 0 {
		return nil
	}
	// Not one key: the store's check tells whose password this is.
	sum, err := o.jksSum(password, data[:len(data)-jksDigest])
	if err != nil {
		return err
	}
	if equalMAC(sum, data[len(data)-jksDigest:]) {
		return ErrKeyPassword
	}
	return ErrPassword
}

// jksSum is the check of the store: SHA-1 over password, a constant and everything before it.
func (o *opener) jksSum(password, data []byte) ([]byte, error) {
	in := append(append(append(make([]byte, 0, len(password)+16+len(data)), password...), jksSalt...), data...)
	defer clear(in[:len(password)])
	return o.primitives.Digest("SHA-1", in)
}

// openJKSKey opens the protection of Sun: a stream of SHA-1 digests over the password, and a digest of the plaintext.
func (o *opener) openJKSKey(e jksEntry, password []byte) error {
	outer := der.NewReader(e.protected)
	r := outer.Sequence()
	algorithm, protected := spki.ParseAlgorithm(r), r.OctetString()
	if err := done(r, outer); err != nil {
		return err
	}
	if algorithm.OID != oidJKSProtector {
		return ErrUnsupported
	}
	if len(protected) <= 2*jksDigest {
		return ErrDamaged
	}
	salt, want := protected[:jksDigest], protected[len(protected)-jksDigest:]
	plain, err := o.jksStream(password, salt, protected[jksDigest:len(protected)-jksDigest])
	if err != nil {
		return err
	}
	defer clear(plain)
	in := append(append([]byte(nil), password...), plain...)
	defer clear(in)
	sum, err := o.primitives.Digest("SHA-1", in)
	if err != nil {
		return err
	}
	if !equalMAC(sum, want) {
		return ErrPassword
	}
	return o.addPKCS8(plain, e.alias)
}

// jksStream adds W1 = SHA-1(password || salt), W2 = SHA-1(password || W1), … to data.
func (o *opener) jksStream(password, salt, data []byte) ([]byte, error) {
	out := append([]byte(nil), data...)
	w := salt
	for i := 0; i < len(out); i += jksDigest {
		var err error
		in := append(append(make([]byte, 0, len(password)+jksDigest), password...), w...)
		w, err = o.primitives.Digest("SHA-1", in)
		clear(in)
		if err != nil {
			return nil, err
		}
		for j := i; j < min(i+jksDigest, len(out)); j++ {
			out[j] ^= w[j-i]
		}
	}
	return out, nil
}
