package keystore_test

import (
	"bytes"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost34311"
	"brama/internal/qes/keystore"
	"brama/internal/qes/spki"
	"brama/internal/vectors"
)

func TestRecognise(t *testing.T) {
	key, cert := std(t, "ECDSA")
	armour := func(kind string, b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}) }
	tar := make([]byte, 512)
	copy(tar[257:], "ustar")
	asic := append([]byte("PK\x03\x04\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x2f\x00\x00\x00\x2f\x00\x00\x00\x08\x00\x00\x00"),
		"mimetypeapplication/vnd.etsi.asic-e+zip"...)
	pfx := vectors.Read(t, "keys/testplat2021.pfx")
	for _, test := range []struct {
		name string
		data []byte
		want keystore.Format
		err  error
	}{
		{"named .dat and PKCS#12", vectors.Read(t, "keys/GovAuction-Key-6.dat"), keystore.PKCS12, nil},
		{"Key-6.dat", vectors.Read(t, "keys/iit-test4-Key-6.dat"), keystore.Key6, nil},
		{"JKS", vectors.Read(t, "keys/rsa-one-key.jks"), keystore.JKS, nil},
		{"PKCS#8", key, keystore.PKCS8, nil},
		{"PKCS#8, PEM", armour("PRIVATE KEY", key), keystore.PKCS8, nil},
		{"PKCS#8 after text and a certificate", append([]byte("Bag Attributes\r\n"), append(armour("CERTIFICATE", cert), armour("PRIVATE KEY", key)...)...), keystore.PKCS8, nil},
		{"PKCS#8 encrypted, PEM", vectors.Read(t, "keys/pkcs8-enc-aes-private2.pem"), keystore.PKCS8Encrypted, nil},
		{"bare base64", bytes.TrimSuffix(bytes.TrimPrefix(armour("X", pfx), []byte("-----BEGIN X-----\n")), []byte("-----END X-----\n")), keystore.PKCS12, nil},
		{"six octets in front", append([]byte("Q\x01\x02\x03\x04\x05"), pfx...), keystore.PKCS12, nil},
		{"certificate", cert, "", keystore.ErrCertificate},
		{"certificate, PEM", armour("CERTIFICATE", cert), "", keystore.ErrCertificate},
		{"certificate of a national CA", vectors.Read(t, "certs/pki-root.cer"), "", keystore.ErrCertificate},
		{"bundle of certificates", vectors.ReadTrust(t, "CACertificates.Test.p7b"), "", keystore.ErrCertificate},
		{"signed document", vectors.Read(t, "cms/bes-attached.p7s"), "", keystore.ErrSigned},
		{"signed document, PEM", vectors.Read(t, "cms/bes-tax-doublewrap.pem"), "", keystore.ErrSigned},
		{"envelope", vectors.Read(t, "cms/env-ephemeral.p7e"), "", keystore.ErrSigned},
		{"ASiC", asic, "", keystore.ErrSigned},
		{"zip", []byte("PK\x03\x04aaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "", keystore.ErrArchive},
		{"rar", []byte("Rar!\x1a\x07\x01\x00aaaaaaaaaaaaaaaaa"), "", keystore.ErrArchive},
		{"7z", []byte("7z\xbc\xaf\x27\x1caaaaaaaaaaaaaaaaaaaaaaaa"), "", keystore.ErrArchive},
		{"gzip", []byte("\x1f\x8b\x08aaaaaaaaaaaaaaaaaaaaaaaaaaa"), "", keystore.ErrArchive},
		{"tar", tar, "", keystore.ErrArchive},
		{"JCEKS", []byte("\xce\xce\xce\xce\x00\x00\x00\x02\x00\x00\x00\x01aaaaaaaa"), "", keystore.ErrUnsupported},
		{"SEC 1 key", armour("EC PRIVATE KEY", key), "", keystore.ErrUnsupported},
		{"two keys", append(armour("PRIVATE KEY", key), armour("PRIVATE KEY", key)...), "", keystore.ErrUnsupported},
		{"public key", vectors.Read(t, "keys/pkcs8-enc-aes-public2.pem"), "", keystore.ErrUnknown},
		{"OCSP request", vectors.Read(t, "ocsp/request.der"), "", nil},
		{"text", []byte("пароль від ключа: 12345678"), "", keystore.ErrUnknown},
		{"PDF", []byte("%PDF-1.7\n%aaaaaaaaaaaaaaaaa"), "", keystore.ErrUnknown},
		{"raw octets", vectors.Read(t, "keys/raw-userfiz.bin"), "", keystore.ErrUnknown},
		{"nothing", nil, "", keystore.ErrDamaged},
		{"half a PKCS#12", pfx[:600], "", keystore.ErrDamaged},
		{"PKCS#12 with a tail", append(bytes.Clone(pfx), 0), "", keystore.ErrDamaged},
		{"too big", make([]byte, keystore.MaxSize+1), "", keystore.ErrTooBig},
	} {
		got, err := keystore.Recognise(test.data)
		if test.name == "OCSP request" { // something else in DER: only not a key
			if err == nil {
				t.Error("an OCSP request is a key")
			}
			continue
		}
		if got != test.want || !errors.Is(err, test.err) || test.err == nil && err != nil {
			t.Errorf("%s: %q, %v; want %q, %v", test.name, got, err, test.want, test.err)
		}
	}
}

// counting counts iterations instead of doing them.
type counting struct {
	keystore.Primitives
	iterations int
}

func (c *counting) PBKDF2(_ string, _, _ []byte, iterations, size int) ([]byte, error) {
	c.iterations += iterations
	return make([]byte, size), nil
}

// kdf writes PBES2 with ГОСТ and the given iterations, around a ciphertext of nothing.
func kdf(iterations []byte) []byte { return kdfWith(spki.OIDHMACGOST34311, iterations) }

func kdfWith(prf der.OID, iterations []byte) []byte {
	derivation := spki.Algorithm{OID: der.NewOID("1.2.840.113549.1.5.12"), Parameters: der.EncodeSequence(der.EncodeOctetString(make([]byte, 32)),
		iterations, spki.Algorithm{OID: prf, Parameters: der.EncodeNull()}.Encode())}
	encryption := spki.Algorithm{OID: spki.OIDGOST28147CFB, Parameters: der.EncodeSequence(der.EncodeOctetString(make([]byte, 8)))}
	algorithm := spki.Algorithm{OID: der.NewOID("1.2.840.113549.1.5.13"), Parameters: der.EncodeSequence(derivation.Encode(), encryption.Encode())}
	return der.EncodeSequence(algorithm.Encode(), der.EncodeOctetString(make([]byte, 200)))
}

// TestHostileContainers: what would cost much is refused before it is done (T39).
func TestHostileContainers(t *testing.T) {
	jks := func(count string, rest string) []byte {
		return append([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02"+count+rest), make([]byte, 40)...)
	}
	deep := bytes.Repeat([]byte{0x30, 0x80}, 100_000)
	pfx := func(key []byte, bags int) []byte {
		var list [][]byte
		for range bags {
			list = append(list, der.EncodeSequence(der.EncodeOID(der.NewOID("1.2.840.113549.1.12.10.1.2")), der.Element(der.Constructed(0), key)))
		}
		data := func(b []byte) []byte {
			return der.EncodeSequence(der.EncodeOID(der.NewOID("1.2.840.113549.1.7.1")), der.Element(der.Constructed(0), der.EncodeOctetString(b)))
		}
		return der.EncodeSequence(der.EncodeInt(3), data(der.EncodeSequence(data(der.EncodeSequence(list...)))))
	}
	huge := der.EncodeUnsigned([]byte{0x7f, 0xff, 0xff, 0xff})
	for _, test := range []struct {
		name string
		data []byte
		want error
	}{
		{"2³¹ iterations", kdf(huge), keystore.ErrUnsupported},
		{"2⁶⁴ iterations", kdf(der.EncodeUnsigned([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0})), keystore.ErrDamaged},
		{"no iterations", kdf(der.EncodeInt(0)), keystore.ErrUnsupported},
		{"negative iterations", kdf([]byte{2, 1, 0xff}), keystore.ErrDamaged},
		{"2³¹ iterations in a bag", pfx(kdf(huge), 1), keystore.ErrUnsupported},
		{"JKS of 2³²−1 entries", jks("\xff\xff\xff\xff", ""), keystore.ErrDamaged},
		{"JKS of 65 entries", jks("\x00\x00\x00\x41", strings.Repeat("\x00\x00\x00\x02\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05X.509\x00\x00\x00\x01x", 65))[:12+65*27+20], keystore.ErrDamaged},
		{"JKS of 64 entries", jks("\x00\x00\x00\x40", strings.Repeat("\x00\x00\x00\x02\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05X.509\x00\x00\x00\x01x", 64))[:12+64*27+20], keystore.ErrNoKey},
		{"JKS key of 2³¹ octets", jks("\x00\x00\x00\x01", "\x00\x00\x00\x01\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00\x00"), keystore.ErrDamaged},
		{"JKS chain of 2³²−1", jks("\x00\x00\x00\x01", "\x00\x00\x00\x01\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01x\xff\xff\xff\xff"), keystore.ErrDamaged},
		{"JKS version 3", []byte("\xfe\xed\xfe\xed\x00\x00\x00\x03\x00\x00\x00\x00aaaaaaaaaaaaaaaaaaaaaaaa"), keystore.ErrUnsupported},
		{"JKS without keys", jks("\x00\x00\x00\x00", "")[:32], keystore.ErrNoKey},
		{"deep indefinite nesting", append([]byte{0x30, 0x80, 2, 1, 3}, deep...), keystore.ErrDamaged},
		{"deep nesting", append([]byte{0x30, 0x80, 2, 1, 3, 0x30, 0x80}, deep...), keystore.ErrDamaged},
	} {
		_, err := keystore.Open(keystore.NewStdPrimitives(), test.data, []byte("x"))
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	// Every bag alone is within the limit; together they are not.
	c := &counting{Primitives: keystore.NewStdPrimitives()}
	sha256 := kdfWith(der.NewOID("1.2.840.113549.2.9"), der.EncodeInt(150_000))
	if _, err := keystore.Open(c, pfx(sha256, 60), []byte("x")); err == nil || c.iterations == 0 || c.iterations > keystore.MaxIterations {
		t.Errorf("60 bags of 150,000 iterations: %v, after %d", err, c.iterations)
	}
	if _, err := keystore.Open(keystore.NewStdPrimitives(), vectors.Read(t, "keys/testplat2021.pfx"), make([]byte, keystore.MaxPassword+1)); !errors.Is(err, keystore.ErrPassword) {
		t.Errorf("long password: %v", err)
	}
}

// TestGarbageIsNoKey: with a wrong password PBES2 without a check value gives octets; they are no key but by luck, and the
// form of PrivateKeyInfo leaves luck nothing.
func TestGarbageIsNoKey(t *testing.T) {
	data := vectors.Read(t, "keys/pkcs8-enc-a040.der")
	for i := range 200 {
		if i%2 == 1 && testing.Short() {
			continue
		}
		if _, err := keystore.Open(keystore.NewStdPrimitives(), data, []byte{'a' + byte(i%26), byte('A' + i/26)}); !errors.Is(err, keystore.ErrPassword) {
			t.Fatalf("password %d: %v", i, err)
		}
	}
}

// TestPasswordInWindows1251: a container whose program took the letters in that code page opens with what a person types.
func TestPasswordInWindows1251(t *testing.T) {
	typed, old := "Їжак-є1", []byte{0xaf, 0xe6, 0xe0, 0xea, '-', 0xba, '1'}
	b, err := keystore.WriteKey6(old, generate(t, dstu4145.M257()), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, password := range map[string][]byte{"typed": []byte(typed), "octets": old} {
		if _, err := keystore.Open(keystore.NewStdPrimitives(), b, password); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	b, err = keystore.WritePKCS8(keystore.NewStdPrimitives(), rand.Reader, keystore.SchemeGOST, keystore.EncodePKCS8(generate(t, dstu4145.M257()), nil), old)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte(typed)); err != nil {
		t.Errorf("PKCS#8: %v", err)
	}
}

// openPFX is a PKCS#12 without any protection: the fuzzer gets to the bags.
func openPFX(key, certificate []byte) []byte {
	explicit := func(b []byte) []byte { return der.Element(der.Constructed(0), b) }
	oid := func(s string) []byte { return der.EncodeOID(der.NewOID(s)) }
	data := func(b []byte) []byte {
		return der.EncodeSequence(oid("1.2.840.113549.1.7.1"), explicit(der.EncodeOctetString(b)))
	}
	name := der.EncodeSequence(oid("1.2.840.113549.1.9.20"), der.EncodeSetOf(der.EncodeString(der.BMPString, "\x00k\x04\x56")))
	bags := der.EncodeSequence(
		der.EncodeSequence(oid("1.2.840.113549.1.12.10.1.1"), explicit(key), der.EncodeSetOf(name)),
		der.EncodeSequence(oid("1.2.840.113549.1.12.10.1.3"), explicit(der.EncodeSequence(oid("1.2.840.113549.1.9.22.1"), explicit(der.EncodeOctetString(certificate))))))
	return der.EncodeSequence(der.EncodeInt(3), data(der.EncodeSequence(data(bags))))
}

func TestUnprotectedPKCS12(t *testing.T) {
	data := openPFX(vectors.Read(t, "keys/pkcs8-priv1.der"), vectors.Read(t, "certs/selfsigned1.cer"))
	c, err := keystore.Open(keystore.NewStdPrimitives(), data, []byte("whatever"))
	if err != nil || len(c.Keys) != 1 || len(c.Certificates) != 1 || c.Keys[0].Alias != "kі" {
		t.Fatalf("%+v, %v", c, err)
	}
}

func FuzzContainer(f *testing.F) {
	for _, c := range containers {
		f.Add(vectors.Read(f, "keys/"+c.file), []byte(c.password))
	}
	f.Add(kdf(der.EncodeInt(1000)), []byte("x"))
	f.Add(openPFX(vectors.Read(f, "keys/pkcs8-priv1.der"), vectors.Read(f, "certs/selfsigned1.cer")), []byte(nil))
	f.Fuzz(func(t *testing.T, data, password []byte) {
		if len(data) > 64<<10 {
			return
		}
		before := gost34311.Sum(data)
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		allocated, start := memory.TotalAlloc, time.Now()
		c, err := keystore.Open(limited{keystore.NewStdPrimitives()}, data, password)
		runtime.ReadMemStats(&memory)
		if d := time.Since(start); d > 10*time.Second {
			t.Fatalf("took %v", d)
		}
		if n := memory.TotalAlloc - allocated; n > 64<<20+200*uint64(len(data)) {
			t.Fatalf("allocated %d for %d", n, len(data))
		}
		if (c == nil) == (err == nil) || gost34311.Sum(data) != before {
			t.Fatalf("%v, %v", c, err)
		}
		if err != nil {
			return
		}
		for _, k := range c.Keys {
			if k.DSTU != nil && (len(k.ID) != 32 || len(k.Public) == 0 || len(k.PKCS8) == 0) {
				t.Fatalf("incomplete key %+v", k.Curve)
			}
		}
	})
}

// limited leaves the derivations that the fuzzer makes long to the budget, and runs at most a thousand of them: what is
// looked for is in the parsers.
type limited struct{ keystore.Primitives }

func (l limited) PBKDF2(alg string, password, salt []byte, iterations, size int) ([]byte, error) {
	return l.Primitives.PBKDF2(alg, password, salt, min(iterations, 1000), size)
}

func BenchmarkOpenContainer(b *testing.B) {
	for _, c := range []struct{ name, file, password string }{
		{"pkcs12", "diia-test.p12", "testpassword"},
		{"key6", "iit-test4-Key-6.dat", "tect4"},
		{"jks", "privatbank-test-boss.jks", "1111111111"},
	} {
		b.Run(c.name, func(b *testing.B) {
			data := vectors.Read(b, "keys/"+c.file)
			for b.Loop() {
				if _, err := keystore.Open(keystore.NewStdPrimitives(), data, []byte(c.password)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
