package keystore

import (
	"bytes"
	"testing"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost28147"
	"brama/internal/dstu/gost34311"
	"brama/internal/vectors"
)

// shrouded decrypts the keys of a real PKCS#12 and returns them as they stand there.
func shrouded(t *testing.T, name, password string) (plain [][]byte, keys []*dstu4145.PrivateKey) {
	t.Helper()
	o := &opener{primitives: NewStdPrimitives(), password: []byte(password), budget: MaxIterations}
	bag := der.EncodeOID(oidShroudedKeyBag)
	for _, rest := range bytes.Split(vectors.Read(t, name), bag)[1:] {
		p, err := o.decryptPKCS8(der.NewReader(rest).Nested(der.Constructed(0)).Next().Full, "")
		if err != nil {
			t.Fatal(err)
		}
		plain = append(plain, p)
	}
	for _, k := range o.container.Keys {
		keys = append(keys, k.DSTU)
	}
	return plain, keys
}

// TestWritesKeysAsProviders: the keys of real PKCS#12 are written again octet for octet.
func TestWritesKeysAsProviders(t *testing.T) {
	for name, password := range map[string]string{"keys/diia-test.p12": "testpassword", "keys/testplat2021.pfx": "testplat2021"} {
		plain, keys := shrouded(t, name, password)
		if len(plain) != 2 || len(keys) != 2 {
			t.Fatalf("%s: %d keys", name, len(plain))
		}
		for i := range plain {
			if got := EncodePKCS8(keys[i], nil); !bytes.Equal(got, plain[i]) {
				t.Errorf("%s: key %d on %s is written otherwise", name, i, keys[i].Curve().Name())
			}
		}
	}
}

// TestWritesPairsAsIIT: the pair of a real Key-6.dat is written again octet for octet, but for the attribute of which
// nothing is known, the last.
func TestWritesPairsAsIIT(t *testing.T) {
	b := vectors.Read(t, "keys/iit-test4-Key-6.dat")
	r := der.NewReader(b).Sequence()
	check := r.Sequence()
	check.OID()
	pad := check.Sequence()
	pad.OctetString()
	key := gost34311.ContainerKey([]byte("tect4"), key6Rounds)
	cipher, err := gost28147.NewCipher(key[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	body := r.OctetString()
	plain := concat(body, pad.OctetString())
	for i := 0; i < len(plain); i += gost28147.BlockSize {
		cipher.Decrypt(plain[i:], plain[i:])
	}
	plain = plain[:len(body)]
	c, err := Open(NewStdPrimitives(), b, []byte("tect4"))
	if err != nil || len(c.Keys) != 2 {
		t.Fatal(err)
	}
	// split returns what stands before the attributes, and each of them.
	split := func(pkcs8 []byte) (list [][]byte) {
		r := der.NewReader(pkcs8).Sequence()
		for range 3 {
			list = append(list, r.Next().Full)
		}
		for a := r.Nested(der.Constructed(0)); a.More(); {
			list = append(list, a.Next().Full)
		}
		return list
	}
	want, got := split(plain), split(EncodePKCS8(c.Keys[0].DSTU, c.Keys[1].DSTU))
	if len(want) != 8 || len(got) != 7 {
		t.Fatalf("%d elements there, %d here", len(want), len(got))
	}
	for i := range got {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("element %d is written otherwise", i)
		}
	}
}

// TestReversedBits: a key is never cut, whatever its length and curve.
func TestReversedBits(t *testing.T) {
	for _, c := range dstu4145.Curves() {
		n := c.Params().N
		for _, top := range []byte{0, 1} { // one bit shorter than n, or as long
			d := make([]byte, c.ScalarSize())
			d[0] = 1
			bits := 8 * len(n)
			for b := n[0]; b < 0x80; b <<= 1 {
				bits--
			}
			d[(bits-1)/8] |= top << ((bits - 1) % 8)
			key, err := dstu4145.NewPrivateKey(c, d)
			if err != nil {
				t.Fatalf("%s: %v", c.Name(), err)
			}
			got, unused := reversedBits(key)
			if size := 8*len(got) - unused; unused > 7 || size != bits && size != bits-1 || top == 1 && size != bits {
				t.Errorf("%s: %d bits of %d, %d unused", c.Name(), size, bits, unused)
			}
			second, err := secondKey(der.EncodeSequence(secondAttributes(key, key)...)[4:])
			if err != nil || !second.Equal(key) {
				t.Errorf("%s, top bit %d: read back as another key: %v", c.Name(), top, err)
			}
		}
	}
}
