package offline

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"slices"
	"time"

	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/revocation"
	"brama/internal/qes/trustlist"
)

// Trust is what the files of --trust say. A CA certificate given by itself is an anchor; all else is a candidate for
// something that must prove itself.
type trust struct {
	pins       []trustlist.Pin
	candidates [][]byte
	directory  []trustlist.Provider
	own        bool // an anchor was given beside the national ones
}

// newTrust begins with the national roots, whose certificates must still come from somewhere.
func newTrust() *trust { return &trust{pins: trustlist.NationalPins()} }

// add takes one file: a CA list in JSON, a certificate, or a bundle.
func (t *trust) add(b []byte) error {
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff")))
	if len(trimmed) > 0 && (trimmed[0] == '[' || trimmed[0] == '{') {
		list, err := trustlist.ParseList(trimmed)
		if err != nil {
			return err
		}
		t.directory = append(t.directory, list...)
		return nil
	}
	if decoded, ok := decodeBase64(trimmed); ok {
		b = decoded
	}
	list, err := trustlist.ParseCertificates(b)
	if err != nil {
		return err
	}
	t.candidates = append(t.candidates, list...)
	if len(list) != 1 || isBundle(b) {
		return nil
	}
	c, err := cert.Parse(list[0])
	if err != nil {
		return err
	}
	if isCA, _ := c.BasicConstraints(); isCA {
		t.pins = append(t.pins, trustlist.Pin{Fingerprint: trustlist.FingerprintOf(c.Raw), Name: c.SubjectAttribute("\x55\x04\x03"),
			NotBefore: c.NotBefore, NotAfter: c.NotAfter, Origin: "--trust"})
		t.own = true
	}
	return nil
}

// isBundle reports whether b is a PKCS #7, whose certificates are candidates even where there is only one.
func isBundle(b []byte) bool {
	if block, _ := pem.Decode(b); block != nil {
		return block.Type != "CERTIFICATE"
	}
	list, err := trustlist.ParseBundle(b)
	return err == nil && len(list) > 0
}

// store puts all together with the certificates that a message brought.
func (t *trust) store(message [][]byte, now func() time.Time) (*trustlist.Store, error) {
	// A list of the person's own comes first; of the shipped directory what does not name the same issuers again.
	directory := slices.Clone(t.directory)
	names, ids := make(map[string]bool), make(map[string]bool)
	for _, p := range directory {
		ids[p.ID()] = true
		for _, cn := range p.IssuerCNs {
			names[cn] = true
		}
	}
	for _, p := range trustlist.Directory() {
		if !ids[p.ID()] && !slices.ContainsFunc(p.IssuerCNs, func(cn string) bool { return names[cn] }) {
			directory = append(directory, p)
		}
	}
	return trustlist.New(trustlist.Config{
		Pins:          t.pins,
		Candidates:    append(slices.Clone(t.candidates), message...),
		Directory:     directory,
		AllowUnlisted: true,
		AllowTest:     true, // only under an anchor that the person gave
		Now:           now,
	})
}

// certificates parses the candidates; what cannot be read is left out.
func (t *trust) certificates() []*cert.Certificate {
	var list []*cert.Certificate
	for _, b := range t.candidates {
		if c, err := cert.Parse(b); err == nil {
			list = append(list, c)
		}
	}
	return list
}

// checker asks responders over the network. The address in a certificate is followed where the directory lists its host for
// the issuer, or where the path ends at an anchor that the person gave.
func (t *trust) checker(store *trustlist.Store, now func() time.Time) (qes.RevocationChecker, error) {
	client, err := fetch.New(fetch.Config{AllowLoopback: t.own})
	if err != nil {
		return nil, err
	}
	national := make(map[trustlist.Fingerprint]bool)
	for _, p := range trustlist.NationalPins() {
		national[p.Fingerprint] = true
	}
	return revocation.New(revocation.Config{
		Do:         client.Do,
		Responders: store.Responders,
		AllowsHost: func(issuer *cert.Certificate, host string) bool {
			return store.AllowsHost(issuer, host) || t.own && !t.underNational(store, national, issuer, now())
		},
		Now: now,
	})
}

// underNational reports whether issuer stands under a national root.
func (t *trust) underNational(store *trustlist.Store, national map[trustlist.Fingerprint]bool, issuer *cert.Certificate, at time.Time) bool {
	if national[trustlist.FingerprintOf(issuer.Raw)] {
		return true
	}
	services, err := store.Services(qes.ServiceRoot, issuer, at)
	if err != nil {
		return true
	}
	return slices.ContainsFunc(services, func(s qes.Service) bool { return national[trustlist.FingerprintOf(s.Anchor.Raw)] })
}

// readTrust reads all files of --trust.
func (e *env) readTrust(files []string) (*trust, error) {
	t := newTrust()
	for _, name := range files {
		b, err := e.read(name, maxTrust)
		if err != nil {
			return nil, err
		}
		if err := t.add(b); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return t, nil
}
