package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"brama/cmd/brama/internal/config"
	"brama/provider/oauth"
)

func selfSigned(t *testing.T, name string, hosts ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), DNSNames: hosts, BasicConstraintsValid: true, IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// A browser at the issuer is never asked for a certificate; a client at the address for certificates brings any, or none.
func TestCertificatesAtTheirAddress(t *testing.T) {
	server := selfSigned(t, "server", "id.example.gov.ua", "mtls.example.gov.ua")
	roots := x509.NewCertPool()
	roots.AddCert(server.Leaf)
	portal := selfSigned(t, "portal")
	for _, tt := range []struct {
		name    string
		mtls    *config.MTLS
		host    string
		present bool
		want    string
		asked   bool
	}{
		{"off", nil, "id.example.gov.ua", true, "", false},
		{"issuer beside another address", &config.MTLS{Address: "https://mtls.example.gov.ua"}, "id.example.gov.ua", true, "", false},
		{"other address", &config.MTLS{Address: "https://mtls.example.gov.ua:8443/x"}, "mtls.example.gov.ua", true, "portal", true},
		{"other address, none", &config.MTLS{Address: "https://mtls.example.gov.ua"}, "mtls.example.gov.ua", false, "", true},
		{"the issuer itself", &config.MTLS{}, "id.example.gov.ua", true, "portal", true},
	} {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c := oauth.PeerCertificate(r); c != nil {
				io.WriteString(w, c.Subject.CommonName)
			}
		})
		s := httptest.NewUnstartedServer(handler)
		s.Listener = tls.NewListener(s.Listener, tlsConfig(&config.Config{Issuer: "https://id.example.gov.ua", MTLS: tt.mtls}, server))
		s.Start()
		asked := false
		client := &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: tt.host, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				asked = true
				if tt.present {
					return &portal, nil
				}
				return &tls.Certificate{}, nil
			}},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
			},
		}}
		res, err := client.Get("https://" + tt.host + "/")
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		got, _ := io.ReadAll(res.Body)
		res.Body.Close()
		client.CloseIdleConnections()
		s.Close()
		if string(got) != tt.want || asked != tt.asked {
			t.Errorf("%s: %q, asked %v; want %q, %v", tt.name, got, asked, tt.want, tt.asked)
		}
	}
}
