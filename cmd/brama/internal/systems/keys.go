package systems

import (
	"errors"
	"fmt"

	"brama/cmd/brama/internal/config"
	"brama/cmd/brama/internal/wiring"
	"brama/connectors/idgov"
	"brama/internal/qes/cert"
	"brama/internal/qes/keystore"
	"brama/internal/qes/tbs"
)

// keys opens the keys for key agreement of one system.
func (c *Config) keys(field string, list []config.EnvelopeKey) ([]idgov.Key, error) {
	var keys []idgov.Key
	for i, k := range list {
		at := fmt.Sprintf("%s[%d].", field, i)
		certificate, err := c.agreementCertificate(at+"certificate", k.Certificate)
		if err != nil {
			return nil, err
		}
		open := c.inContainer
		if k.PKCS11 != nil {
			open = c.inToken
		}
		private, err := open(at, k, certificate)
		if err != nil {
			return nil, err
		}
		keys = append(keys, idgov.Key{Private: private, Certificate: certificate})
	}
	return keys, nil
}

// agreementCertificate reads the one certificate for key agreement of a file, in which others may be too.
func (c *Config) agreementCertificate(field, file string) (*tbs.Certificate, error) {
	list, err := c.certificates(field, []string{file})
	if err != nil {
		return nil, err
	}
	var found *tbs.Certificate
	for _, k := range list {
		if usage, ok := k.KeyUsage(); !ok || usage&tbs.KeyAgreement == 0 || k.PublicKey.DSTU == nil {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%s: %s holds several certificates for key agreement", field, file)
		}
		found = k
	}
	if found == nil {
		return nil, fmt.Errorf("%s: %s holds no certificate for key agreement with ДСТУ 4145", field, file)
	}
	return found, nil
}

// inContainer opens the container and takes the key of the certificate.
func (c *Config) inContainer(at string, k config.EnvelopeKey, certificate *tbs.Certificate) (idgov.EnvelopeKey, error) {
	password, err := c.Settings.Credential(at+"password", k.PasswordFile, k.PasswordEnv)
	if err != nil {
		return nil, err
	}
	b, err := c.Settings.ReadSecretFile(at+"container", k.Container)
	if err != nil {
		return nil, err
	}
	container, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte(password))
	if err != nil {
		return nil, fmt.Errorf("%scontainer: %s: %w", at, k.Container, err)
	}
	for i := range container.Keys {
		if key := &container.Keys[i]; key.DSTU != nil && key.Fits(certificate) {
			return key.DSTU, nil
		}
	}
	return nil, fmt.Errorf("%scontainer: %s has no key of the certificate %s", at, k.Container, k.Certificate)
}

// inToken finds the key of the certificate in a token.
func (c *Config) inToken(at string, k config.EnvelopeKey, certificate *tbs.Certificate) (idgov.EnvelopeKey, error) {
	if c.Agreement == nil {
		return nil, fmt.Errorf("%spkcs11: %w", at, errors.New("no tokens here"))
	}
	key, err := c.Agreement(wiring.AgreementKey{Module: k.PKCS11.Module, Token: k.PKCS11.Token, Label: k.PKCS11.Key, Public: certificate.PublicKey.DSTU,
		PIN: func() ([]byte, error) { return c.Settings.PINOf(at+"pkcs11.pin_file", k.PKCS11.PINFile) }})
	if err != nil {
		return nil, fmt.Errorf("%spkcs11: %w", at, err)
	}
	return key, nil
}

// certificates reads the certificates of files.
func (c *Config) certificates(field string, files []string) (list []*tbs.Certificate, err error) {
	for _, name := range files {
		b, err := c.Settings.ReadFile(field, name)
		if err != nil {
			return nil, err
		}
		raw, err := keystore.ReadCertificates(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", field, name, err)
		}
		for _, r := range raw {
			k, err := tbs.Parse(r)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", field, name, err)
			}
			list = append(list, k)
		}
	}
	return list, nil
}

// fingerprints pins the certificates of files: one in each, so that nothing is pinned that came along.
func (c *Config) fingerprints(field string, files []string) (pins []idgov.Fingerprint, err error) {
	for i, name := range files {
		list, err := c.certificates(fmt.Sprintf("%s[%d]", field, i), []string{name})
		if err != nil {
			return nil, err
		}
		if len(list) != 1 {
			return nil, fmt.Errorf("%s[%d]: %s holds %d certificates, want one", field, i, name, len(list))
		}
		k, err := cert.Parse(list[0].Raw)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %s: %w", field, i, name, err)
		}
		pins = append(pins, k.Fingerprint())
	}
	return pins, nil
}
