package demokeys

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"brama/internal/qes/keystore"
	"brama/internal/qes/qestest"
)

// tokenPlans are the keys to be put onto test tokens, by file name: of each algorithm, the first two said to be in a
// qualified device.
func tokenPlans() map[string]qestest.Request {
	someone := func(sequence int, family, given, middle string, a qestest.Algorithm, device bool) qestest.Request {
		return qestest.Request{FamilyName: family, GivenName: given, MiddleName: middle, RNOKPP: taxNumber(sequence), UNZR: unzr(sequence),
			Algorithm: a, Device: device}
	}
	return map[string]qestest.Request{
		"dstu":  someone(201, "Карткова", "Леся", "Юріївна", qestest.M257, true),
		"rsa":   someone(202, "Чиповий", "Назар", "Богданович", qestest.RSA2048, true),
		"ecdsa": someone(203, "Ключник", "Дарина", "Назарівна", qestest.P256, false),
	}
}

// WriteTokens issues keys for tokens and writes each into dir as NAME.p8 (PKCS#8, DER, not encrypted: worth nothing) and
// NAME.cer (DER): dstu, ecdsa and rsa. A program of the token's maker, or pkcs11-tool, puts them onto a token.
func (s *Set) WriteTokens(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("demokeys: %w", err)
	}
	var errs error
	for name, request := range tokenPlans() {
		issued, err := s.provider.Issue(request)
		if err != nil {
			return fmt.Errorf("demokeys: issuing %s for a token: %w", name, err)
		}
		pkcs8, err := issued.Key.PKCS8()
		if issued.Key.DSTU != nil {
			pkcs8 = keystore.EncodePKCS8(issued.Key.DSTU, nil)
		}
		errs = errors.Join(errs, err,
			os.WriteFile(filepath.Join(dir, name+".p8"), pkcs8, 0o600),
			os.WriteFile(filepath.Join(dir, name+".cer"), issued.Certificate.Raw, 0o600))
	}
	return errs
}
