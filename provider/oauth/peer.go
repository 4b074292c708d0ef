package oauth

import (
	"context"
	"crypto/x509"
	"net/http"
)

type peerKey struct{}

// WithPeerCertificate returns a context whose requests come with the client certificate c, nil for none, whatever their own
// TLS connection says: a reverse proxy in front of us saw it.
func WithPeerCertificate(ctx context.Context, c *x509.Certificate) context.Context {
	return context.WithValue(ctx, peerKey{}, c)
}

// PeerCertificate returns the client certificate of a request, nil if it has none. That the client holds the key was proven
// in the TLS handshake; nothing else is proven: neither a path nor validity.
func PeerCertificate(r *http.Request) *x509.Certificate {
	if c, ok := r.Context().Value(peerKey{}).(*x509.Certificate); ok {
		return c
	}
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}
