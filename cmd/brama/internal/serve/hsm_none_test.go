//go:build !pkcs11 || !cgo

package serve

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServeWithoutPKCS11: a program that cannot reach the keys of the configuration does not start with others.
func TestServeWithoutPKCS11(t *testing.T) {
	for field, text := range map[string]string{
		"keys.pkcs11": "keys: {pkcs11: {module: /m.so, token: t, pin_file: pin, signing: {ES256: a, RS256: b}}}\n",
		"connectors.idgov.keys[0].pkcs11": "connectors: {idgov: {url: 'https://id.gov.ua', client_id: i, client_secret_file: client, " +
			"keys: [{certificate: c, pkcs11: {module: /m.so, token: t, pin_file: pin, key: k}}]}}\n",
	} {
		name, _ := folder(t, good+text)
		var log bytes.Buffer
		if code := Run(t.Context(), []string{"--config", name}, &log); code != exitUsage || !strings.Contains(log.String(), field+": this brama is built without PKCS#11") {
			t.Errorf("exit code %d:\n%s", code, &log)
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(name), "data")); err == nil {
			t.Error("a store was made")
		}
	}
}
