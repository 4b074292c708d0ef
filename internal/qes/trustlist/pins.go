package trustlist

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"
)

// A Fingerprint is SHA-256 over a whole certificate, DER.
type Fingerprint [sha256.Size]byte

// String returns lower-case hexadecimal.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// ParseFingerprint reads 64 hexadecimal digits, of either case, with or without colons or spaces.
func ParseFingerprint(s string) (Fingerprint, error) {
	b, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(s))
	if err != nil || len(b) != sha256.Size {
		return Fingerprint{}, errors.New("trustlist: a fingerprint is 64 hexadecimal digits of SHA-256")
	}
	return Fingerprint(b), nil
}

// FingerprintOf returns the fingerprint of a certificate in DER.
func FingerprintOf(der []byte) Fingerprint { return sha256.Sum256(der) }

// A Pin is one root, chosen by its fingerprint. What stands beside the fingerprint is for people.
type Pin struct {
	Fingerprint         Fingerprint
	Name                string // common name in the certificate
	NotBefore, NotAfter time.Time
	Algorithm           string // of its own signature
	Origin              string // where the certificate was taken from
}

func pin(fingerprint, name, notBefore, notAfter, algorithm string) Pin {
	f, err := ParseFingerprint(fingerprint)
	from, err1 := time.Parse(time.DateOnly, notBefore)
	to, err2 := time.Parse(time.DateOnly, notAfter)
	if err := errors.Join(err, err1, err2); err != nil {
		panic("trustlist: internal error: " + err.Error())
	}
	return Pin{Fingerprint: f, Name: name, NotBefore: from, NotAfter: to, Algorithm: algorithm, Origin: pinOrigin}
}

// pinOrigin is where the fingerprints were read: one public bundle, so an operator compares them with what the authorities
// publish themselves (czo.gov.ua, zc.bank.gov.ua) before production.
const pinOrigin = "CA bundle of a public web signing library, February 2026, SHA-256 " + ComparedBundle

// NationalPins returns the self-signed certificates of the central certification authority (Центральний засвідчувальний
// орган) and of the National Bank's certification centre, expired ones included: they end paths of old signatures.
func NationalPins() []Pin {
	return []Pin{
		pin("810faa0088c3ffd9faed3315ea5ed8b059337134885e8f473b04b88920913b5e",
			"Центральний засвідчувальний орган", "2012-09-28", "2022-09-28", "DSTU 4145"),
		pin("17fa4da8bfb22c443225ad75011aa1adea5d9c00476ea4c2d662b4fdfbc07bba",
			"Засвідчувальний центр Національного банку України", "2016-11-21", "2021-11-21", "SHA1-RSA"),
		pin("ec3524a1229cb318961fd394dbe3b024946f979c9f5f4390497fad7fe4f73de9",
			"Центральний засвідчувальний орган", "2017-09-22", "2027-09-22", "DSTU 4145"),
		pin("f5dc4b0b909734a2806ddb29b7e8122b8d1a9563b73397940be8ebde40603744",
			"Central certification authority", "2017-12-20", "2027-12-20", "ECDSA-SHA256"),
		pin("1be62bf6c4bd4d5cbe6f71c9fb61a8112483c61d31adfa176f41173902a99156",
			"Central certification authority", "2017-12-20", "2027-12-20", "SHA256-RSA"),
		pin("d74db94404607b3681f36711e1dbffb7caa649ea9ffd1f0b498b6b0140fc0593",
			"Засвідчувальний центр", "2019-10-20", "2029-10-20", "DSTU 4145"),
		pin("457c53b812098d4a7450d22ab1f26e6fea1921e0c6ed69dab247a8e17c4ee820",
			"Banking and payment ECDSA central CA of Ukraine", "2019-10-20", "2029-10-20", "ECDSA-SHA256"),
		pin("50f57b8bbbd0f9d58ff16fc1b232cd80015630eb3aabdf6069c36d203b724cf7",
			"Banking and payment RSA central CA of Ukraine", "2019-10-20", "2029-10-20", "SHA256-RSA"),
		pin("96b44a350208c5e404c3638b82d335a10a9f670887f6ba519b0063b6621de0ea",
			"Центральний засвідчувальний орган", "2020-01-16", "2030-01-16", "DSTU 4145"),
		pin("944f1e01408f0fd0a20820bcb92044971e5f15ac5dc69871149bfcd0bbf3016d",
			"Central certification authority", "2020-01-21", "2030-01-21", "ECDSA-SHA256"),
		pin("1745d0a348f2081300b9e9cfce4128456b66f3387aa613a34f4579d8e38d5509",
			"Central certification authority", "2020-01-21", "2030-01-21", "SHA256-RSA"),
		pin("f23eb04f63ddc7f38baaacc78cbef26e62a506865d98bfcb3e5089164408a2cf",
			"Центральний засвідчувальний орган", "2025-01-08", "2035-01-08", "DSTU 4145"),
		pin("7b3b7d03b2af284774fd8a46722defcb38eee6771c65ae5cb113e936386ebdd4",
			"Central certification authority", "2025-01-08", "2035-01-08", "ECDSA-SHA256"),
		pin("c790641435e0a6c9bf0820ec7646b342e67559a313b7a133b0922151c5262393",
			"Central certification authority", "2025-01-08", "2035-01-08", "SHA256-RSA"),
		pin("f66beb7240ec89fe38cf425d09bc9a898d430288c7a6bebf7b893c0053f127c9",
			"Засвідчувальний центр", "2025-02-03", "2035-02-02", "DSTU 4145"),
		pin("5e92784399964955fd1f400e364a755116a8b2cbb31990099938ec865dd00dbd",
			"Banking and payment ECDSA central CA of Ukraine", "2025-02-03", "2035-02-02", "ECDSA-SHA256"),
		pin("4c4a78364d93cb02b11442e3e4ce5b6c30743001a174c4724d338260fa871397",
			"Banking and payment RSA central CA of Ukraine", "2025-02-03", "2035-02-02", "SHA256-RSA"),
		pin("9db1740aa0cbe1da0b26fd7243653f85220ec2e7f6aff0927d190efd62f51878",
			"Центральний засвідчувальний орган", "2026-01-27", "2036-01-27", "DSTU 4145"),
	}
}

// testPins returns the roots of known test authorities. Some of them stand in the public bundles among the real ones; a
// store that is not for dev refuses them by fingerprint, whatever the configuration says.
func testPins() []Pin {
	return []Pin{
		pin("8c55b018b77d096f8a23dab8f7bc897e5e2e392dad94879196112f19e521c214",
			"Тестовий ЦСК АТ \"ІІТ\"", "2013-01-25", "2028-01-25", "DSTU 4145"),
		pin("7b09a37f4e3dc61340b74050b51d3bba301c6f465de0fc15de3307e5a28d901c",
			"Центральний засвідчувальний орган (ROOT TEST)", "2021-12-30", "2031-12-30", "DSTU 4145"),
		pin("8e290cacf30388ea027072e52e6ddaee1048afb8163f21c14033df356fd75404",
			"Central certification authority (ROOT TEST)", "2021-12-30", "2031-12-30", "ECDSA-SHA512"),
		pin("5bee585a33b2e6747d3c84d3e1f773f51557d917b6a7d02ed15439a9c058000d",
			"Central certification authority (ROOT TEST)", "2021-12-30", "2031-12-30", "SHA256-RSA"),
		pin("b6aa7c3f5018f01b820a2d96918972a55a3b3e368fe956b42dcff7d27f09abf6",
			"Налогоджувальний ЦСК ДСТУ", "2023-04-21", "2028-04-21", "DSTU 4145"),
		pin("a9feaae7a84ee2e6fff07d68a8627a75e6031ce8bec1b09196880665fbe20482",
			"Центральний засвідчувальний орган (ROOT TEST)", "2025-12-30", "2035-12-30", "DSTU 4145"),
		pin("dd105409e9a37233572c10f590e362496f8d62e9cff804b93d4a858c567d894a",
			"Central certification authority (ROOT TEST)", "2025-12-30", "2035-12-30", "ECDSA-SHA512"),
		pin("0e182ddd3c1e2fc81e41ae9e14c93e56a6e7b55583e263fc5a036294260b561b",
			"Central certification authority (ROOT TEST)", "2025-12-30", "2035-12-30", "SHA256-RSA"),
	}
}

// testNames are parts of common names that only test authorities bear: such a certificate is no issuer outside dev even
// under another fingerprint (a test root is made anew every few years).
var testNames = []string{"TEST)", "ТЕСТ)", "Тестовий", "ТЕСТОВИЙ", "Тестова", "Налогоджувальний", "Налагоджувальний", "Test CA", "TEST CA"}

// isTestName reports whether cn is the name of a test authority.
func isTestName(cn string) bool {
	for _, part := range testNames {
		if strings.Contains(cn, part) {
			return true
		}
	}
	return false
}
