package dev

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"brama/internal/fetch"
	"brama/provider"
	"brama/provider/oauth"
)

// claims are all that a client of dev may get.
var claims = []string{"rnokpp", "unzr", "birthdate", "edrpou", "organization", "title", "email"}

// maxClientFile bounds a file of --client and one of certificates, in bytes.
const maxClientFile = 1 << 20

// readClients reads a --client file: oauth.ReadClients says its form. A client that says nothing of claims may get all there
// are.
func readClients(name string) ([]oauth.Registration, error) {
	b, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	list, err := oauth.ReadClients(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for i := range list {
		if list[i].Claims == nil {
			list[i].Claims, list[i].Certificate, list[i].VerifiedClaims = claims, true, true
		}
	}
	return list, nil
}

func readSmall(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if err == nil && len(b) > maxClientFile {
		err = fmt.Errorf("%s is larger than 1 MiB", name)
	}
	return b, err
}

// readPool reads certificates in PEM.
func readPool(name string, into *x509.CertPool) (*x509.CertPool, error) {
	b, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	if !into.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("%s: no certificate in PEM", name)
	}
	return into, nil
}

// clientAccess is how clients come and are reached, beside what they are.
type clientAccess struct {
	fetch        *fetch.Client
	mtls         provider.MTLS
	registration *oauth.RegistrationConfig
	algorithms   []string
}

// access makes it from the options. Servers of clients may stand on this computer.
func (o *options) access(issuer string) (clientAccess, error) {
	a := clientAccess{algorithms: o.algorithms}
	cfg := fetch.Config{AllowLoopback: true}
	if o.trust != "" {
		roots, err := x509.SystemCertPool()
		if err != nil {
			return a, err
		}
		if roots, err = readPool(o.trust, roots); err != nil {
			return a, err
		}
		cfg.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	var err error
	if a.fetch, err = fetch.New(cfg); err != nil {
		return a, err
	}
	if o.tls {
		a.mtls.Base = issuer
	}
	if o.clientCA != "" {
		if !o.tls {
			return a, errors.New("--client-ca needs --tls: certificates come with TLS only")
		}
		if a.mtls.CAs, err = readPool(o.clientCA, x509.NewCertPool()); err != nil {
			return a, err
		}
	}
	switch o.registration {
	case "":
	case "open":
		a.registration = &oauth.RegistrationConfig{Open: true}
	default:
		return a, fmt.Errorf("--registration %q: only open is known", o.registration)
	}
	return a, nil
}
