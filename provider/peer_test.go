package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"brama/provider/oauth"
)

func clientCertificate(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A certificate in a header is a certificate only if the configured proxy says so; a stranger could write any.
func TestCertificateHeader(t *testing.T) {
	c, proxys := clientCertificate(t, "portal"), clientCertificate(t, "proxy")
	sequence := ":" + base64.StdEncoding.EncodeToString(c.Raw) + ":"
	escaped := url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})))
	p := &Provider{cfg: Config{MTLS: MTLS{Base: "https://mtls.example.ua", Header: "client-cert", Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32")}}}}
	const proxy, stranger = "10.0.0.5:1234", "10.0.0.6:1234"
	for _, one := range []struct {
		name   string
		from   string
		values []string
		status int
		want   string
	}{
		{"RFC 9440", proxy, []string{sequence}, 200, "portal"},
		{"PEM", proxy, []string{escaped}, 200, "portal"},
		{"mapped address", "[::ffff:10.0.0.5]:1", []string{sequence}, 200, "portal"},
		{"none", proxy, nil, 200, ""},
		{"empty", proxy, []string{""}, 200, ""},
		{"stranger", stranger, []string{sequence}, 200, "proxy"}, // of its own connection
		{"no address", "", []string{sequence}, 200, "proxy"},
		{"twice", proxy, []string{sequence, sequence}, 400, ""},
		{"list", proxy, []string{sequence + ", " + sequence}, 400, ""},
		{"not DER", proxy, []string{":AAAA:"}, 400, ""},
		{"not base64", proxy, []string{":*:"}, 400, ""},
		{"half", proxy, []string{sequence[:len(sequence)-1]}, 400, ""},
		{"a key", proxy, []string{url.PathEscape("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")}, 400, ""},
		{"two PEM", proxy, []string{escaped + escaped}, 400, ""},
		{"garbage", proxy, []string{"%zz"}, 400, ""},
		{"large", proxy, []string{":" + strings.Repeat("A", maxCertificateHeader) + ":"}, 400, ""},
	} {
		got := ""
		h := p.withPeer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if peer := oauth.PeerCertificate(r); peer != nil {
				got = peer.Subject.CommonName
			}
			if r.Header.Get("Client-Cert") != "" {
				t.Errorf("%s: the header goes on", one.name)
			}
		}))
		r := httptest.NewRequest("POST", "/token", nil)
		r.RemoteAddr = one.from
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{proxys}}
		for _, v := range one.values {
			r.Header.Add("Client-Cert", v)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != one.status || got != one.want {
			t.Errorf("%s: %d %q, want %d %q", one.name, w.Code, got, one.status, one.want)
		}
	}
}

func TestMTLSRules(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32")}
	for name, m := range map[string]MTLS{
		"no address": {Header: "Client-Cert", Proxies: proxies}, "http": {Base: "http://a.ua"}, "slash": {Base: "https://a.ua/"},
		"header alone": {Base: "https://a.ua", Header: "Client-Cert"}, "proxies alone": {Base: "https://a.ua", Proxies: proxies},
	} {
		if m.check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzCertificateHeader(f *testing.F) {
	c := clientCertificate(f, "portal")
	f.Add(":" + base64.StdEncoding.EncodeToString(c.Raw) + ":")
	f.Add(url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))))
	f.Fuzz(func(t *testing.T, v string) {
		if c, err := readCertificateHeader([]string{v}); (c == nil) == (err == nil) {
			t.Fatal("certificate and error together")
		}
	})
}
