package dev

import (
	"fmt"
	"os"
	"path/filepath"

	"brama/internal/qes/qestest"
	"brama/internal/qes/trustlist"
)

// writeTrust leaves the certificates of the test provider in a folder, for `brama signature verify --trust` and other
// programs: the roots one by one, and everything else as a bundle.
func writeTrust(dir string, services *qestest.Provider) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, authority := range []string{qestest.Main, qestest.Second, qestest.Kupyna, qestest.ECDSA} {
		name := filepath.Join(dir, fmt.Sprintf("root-%s.cer", authority))
		if err := os.WriteFile(name, services.RootCertificate(authority), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "certificates.p7b"), trustlist.EncodeBundle(services.Candidates()), 0o600)
}
