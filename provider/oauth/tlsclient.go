package oauth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// checkNamedCertificate is tls_client_auth (RFC 8705, 2.1): a certificate of an authority that the configuration names, with
// the one name that the client is registered under. Whether it was revoked is not asked: the authority is the operator's own,
// and taking the client out of the registration ends it.
func (p *Provider) checkNamedCertificate(c *Client, peer *x509.Certificate) error {
	if peer == nil {
		return errors.New("oauth: no client certificate")
	}
	if p.cfg.ClientCAs == nil {
		return errors.New("oauth: no authorities of client certificates are configured")
	}
	_, err := peer.Verify(x509.VerifyOptions{
		Roots: p.cfg.ClientCAs, CurrentTime: p.cfg.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return fmt.Errorf("oauth: client certificate: %w", err)
	}
	named := false
	switch {
	case c.TLSSubjectDN != "":
		want, err := parseDN(c.TLSSubjectDN)
		if err != nil {
			return err
		}
		got, err := readDN(peer.RawSubject)
		if err != nil {
			return err
		}
		named = want.equal(got)
	case c.TLSSANDNS != "":
		named = slices.ContainsFunc(peer.DNSNames, func(n string) bool { return strings.EqualFold(n, c.TLSSANDNS) })
	case c.TLSSANURI != "":
		for _, u := range peer.URIs {
			named = named || u.String() == c.TLSSANURI
		}
	case c.TLSSANIP != "":
		want, err := netip.ParseAddr(c.TLSSANIP)
		if err != nil {
			return err
		}
		for _, ip := range peer.IPAddresses {
			got, ok := netip.AddrFromSlice(ip)
			named = named || ok && got.Unmap() == want.Unmap()
		}
	case c.TLSSANEmail != "":
		named = slices.Contains(peer.EmailAddresses, c.TLSSANEmail)
	}
	if !named {
		return errors.New("oauth: client certificate has another name")
	}
	return nil
}

// checkOwnCertificate is self_signed_tls_client_auth (RFC 8705, 2.2): the very certificate that stands in the client's key set,
// whole (x5c) or by its SHA-256 (x5t#S256). No path is built.
func (p *Provider) checkOwnCertificate(ctx context.Context, c *Client, peer *x509.Certificate) error {
	if peer == nil {
		return errors.New("oauth: no client certificate")
	}
	if now := p.cfg.Now(); now.Before(peer.NotBefore) || now.After(peer.NotAfter) {
		return errors.New("oauth: client certificate is not valid now")
	}
	set, err := p.clientKeys(ctx, c, nil)
	if err != nil {
		return err
	}
	if ownCertificate(set.Keys, peer) {
		return nil
	}
	if c.JWKSURI != "" {
		newer, err := p.clientKeys(ctx, c, set)
		if err != nil {
			return err
		}
		if newer != set && ownCertificate(newer.Keys, peer) {
			return nil
		}
	}
	return errors.New("oauth: client certificate is not one of the client's")
}

func ownCertificate(keys []jose.JSONWebKey, peer *x509.Certificate) bool {
	print := sha256.Sum256(peer.Raw)
	return slices.ContainsFunc(keys, func(k jose.JSONWebKey) bool {
		if len(k.Certificates) != 0 {
			return bytes.Equal(k.Certificates[0].Raw, peer.Raw)
		}
		return subtle.ConstantTimeCompare(k.CertificateThumbprintSHA256, print[:]) == 1
	})
}
