package provider

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"strings"

	"brama/provider/oauth"
)

// MTLS says where client certificates come from (RFC 8705). The zero value takes none.
type MTLS struct {
	// Base is the address below which connections may bring certificates: the issuer, or another host of this server; "" if
	// none do.
	Base string
	// CAs issue the certificates of tls_client_auth; nil has no such clients.
	CAs *x509.CertPool
	// Header names the header in which a reverse proxy puts the certificate of its connection: Client-Cert (RFC 9440, 2.1, DER
	// in base64 between colons) or one with percent-encoded PEM. "" if the listener of this server sees the connections.
	Header string
	// Proxies are the addresses of which alone that header is believed.
	Proxies []netip.Prefix
}

// maxCertificateHeader bounds what a proxy sends, in bytes.
const maxCertificateHeader = 12 << 10

func (m *MTLS) check() error {
	switch {
	case m.Base == "" && (m.Header != "" || m.CAs != nil || len(m.Proxies) != 0):
		return errors.New("provider: client certificates without their address")
	case m.Base != "" && !strings.HasPrefix(m.Base, "https://"), strings.HasSuffix(m.Base, "/"):
		return fmt.Errorf("provider: address of client certificates %q is not https without a slash at the end", m.Base)
	case (m.Header == "") != (len(m.Proxies) == 0):
		return errors.New("provider: a header of client certificates needs the addresses of proxies, and they it")
	}
	return nil
}

// withPeer gives the certificate that a proxy saw to what stands behind. Whoever is no such proxy has said nothing, and a
// proxy's own certificate is never a client's.
func (p *Provider) withPeer(next http.Handler) http.Handler {
	m := p.cfg.MTLS
	if m.Header == "" {
		return next
	}
	name := textproto.CanonicalMIMEHeaderKey(m.Header)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		values := r.Header[name]
		if len(values) != 0 {
			r = r.Clone(r.Context())
			r.Header.Del(name)
		}
		if !m.trusts(r.RemoteAddr) {
			next.ServeHTTP(w, r)
			return
		}
		var peer *x509.Certificate
		if len(values) > 1 || len(values) == 1 && values[0] != "" {
			var err error
			if peer, err = readCertificateHeader(values); err != nil {
				report(r.Context(), "CLIENT_CERTIFICATE_HEADER", err)
				http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
				return
			}
		}
		next.ServeHTTP(w, r.WithContext(oauth.WithPeerCertificate(r.Context(), peer)))
	})
}

func (m *MTLS) trusts(remote string) bool {
	from, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	for _, proxy := range m.Proxies {
		if proxy.Contains(from.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// readCertificateHeader reads one certificate in either form.
func readCertificateHeader(values []string) (*x509.Certificate, error) {
	if len(values) != 1 || len(values[0]) > maxCertificateHeader {
		return nil, errors.New("provider: header of the client certificate stands twice or is too long")
	}
	var der []byte
	v := strings.Trim(values[0], " \t")
	if inner, ok := strings.CutPrefix(v, ":"); ok { // a byte sequence (RFC 8941, 3.3.5)
		inner, ok = strings.CutSuffix(inner, ":")
		b, err := base64.StdEncoding.Strict().DecodeString(inner)
		if !ok || err != nil {
			return nil, errors.New("provider: client certificate is not base64 between colons")
		}
		der = b
	} else {
		text, err := url.PathUnescape(v) // a plus is a character of base64
		if err != nil {
			return nil, errors.New("provider: client certificate is not percent-encoded")
		}
		block, rest := pem.Decode([]byte(text))
		if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
			return nil, errors.New("provider: client certificate is not one PEM certificate")
		}
		der = block.Bytes
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New("provider: client certificate cannot be read")
	}
	return c, nil
}
