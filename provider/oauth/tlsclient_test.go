package oauth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// An authority issues client certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Portals CA"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue makes a client certificate; a nil authority makes a self-signed one.
func (a *authority) issue(t testing.TB, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse("urn:portal:1")
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Портал, перший", Organization: []string{"Установа"}, Country: []string{"UA"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		DNSNames: []string{"portal.example.ua"}, URIs: []*url.URL{u}, IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)}, EmailAddresses: []string{"it@example.ua"},
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, key
	if a != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const certifiedDN = `CN=Портал\, перший,O=Установа,C=UA`

func tlsPortal() Client {
	c := portal()
	c.ID, c.SecretHash, c.AuthMethod, c.TLSSubjectDN = "tls", nil, AuthTLS, certifiedDN
	return c
}

// proveTLS lets a client come with a certificate, nil for none.
func (f *fixture) proveTLS(id string, peer *x509.Certificate) string {
	f.t.Helper()
	form := url.Values{"client_id": {id}}
	r := tokenRequest(form)
	if peer != nil {
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{peer}}
	}
	c, err := f.p.authenticate(r, form)
	if err != nil {
		return publicError(err).Code
	}
	return c.ID
}

func TestTLSClientAuth(t *testing.T) {
	ours, foreign := newAuthority(t), newAuthority(t)
	byName := map[string]func(*Client){
		"dn":    func(c *Client) { c.TLSSubjectDN = certifiedDN },
		"dns":   func(c *Client) { c.TLSSANDNS = "Portal.example.ua" },
		"uri":   func(c *Client) { c.TLSSANURI = "urn:portal:1" },
		"ip":    func(c *Client) { c.TLSSANIP = "192.0.2.1" },
		"email": func(c *Client) { c.TLSSANEmail = "it@example.ua" },
	}
	other := map[string]func(*Client){
		"dn":    func(c *Client) { c.TLSSubjectDN = `CN=Портал\, другий,O=Установа,C=UA` },
		"dns":   func(c *Client) { c.TLSSANDNS = "example.ua" },
		"uri":   func(c *Client) { c.TLSSANURI = "urn:portal:11" },
		"ip":    func(c *Client) { c.TLSSANIP = "192.0.2.11" },
		"email": func(c *Client) { c.TLSSANEmail = "IT@example.ua" },
	}
	var clients []Client
	for name, set := range byName {
		c, o := tlsPortal(), tlsPortal()
		c.ID, c.TLSSubjectDN = name, ""
		set(&c)
		o.ID, o.TLSSubjectDN = "other-"+name, ""
		other[name](&o)
		clients = append(clients, c, o)
	}
	f := newFixture(t, memStore(t), append(clients, portal())...)
	good := ours.issue(t, nil)
	if got := f.proveTLS("dn", good); got != "invalid_client" {
		t.Errorf("without configured authorities: %s", got)
	}
	f.p.cfg.ClientCAs = x509.NewCertPool()
	f.p.cfg.ClientCAs.AddCert(ours.cert)
	for name := range byName {
		if got := f.proveTLS(name, good); got != name {
			t.Errorf("%s: %s", name, got)
		}
		if got := f.proveTLS("other-"+name, good); got != "invalid_client" {
			t.Errorf("another %s: %s", name, got)
		}
		for what, peer := range map[string]*x509.Certificate{
			"none": nil, "of another authority": foreign.issue(t, nil), "self-signed": (*authority)(nil).issue(t, nil),
			"expired":  ours.issue(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
			"server's": ours.issue(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
			"of nothing": ours.issue(t, func(c *x509.Certificate) {
				*c = x509.Certificate{SerialNumber: c.SerialNumber, NotBefore: c.NotBefore, NotAfter: c.NotAfter, ExtKeyUsage: c.ExtKeyUsage}
			}),
		} {
			if got := f.proveTLS(name, peer); got != "invalid_client" {
				t.Errorf("%s, certificate %s: %s", name, what, got)
			}
		}
	}
	if got := f.proveTLS("portal", good); got != "invalid_client" {
		t.Errorf("certificate in place of a secret: %s", got)
	}
}

func TestSelfSignedTLSClientAuth(t *testing.T) {
	own, foreign := (*authority)(nil).issue(t, nil), (*authority)(nil).issue(t, nil)
	late := (*authority)(nil).issue(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	client := func(id string, k jose.JSONWebKey) Client {
		c := portal()
		c.ID, c.SecretHash, c.AuthMethod, c.JWKS = id, nil, AuthSelfSignedTLS, keySetOf(t, k)
		return c
	}
	print := sha256.Sum256(own.Raw)
	f := newFixture(t, memStore(t),
		client("whole", jose.JSONWebKey{Key: own.PublicKey, Certificates: []*x509.Certificate{own}}),
		client("thumbprint", jose.JSONWebKey{Key: own.PublicKey, CertificateThumbprintSHA256: print[:]}),
		client("late", jose.JSONWebKey{Key: late.PublicKey, Certificates: []*x509.Certificate{late}}))
	for _, id := range []string{"whole", "thumbprint"} {
		if got := f.proveTLS(id, own); got != id {
			t.Errorf("%s: %s", id, got)
		}
		for name, peer := range map[string]*x509.Certificate{"none": nil, "foreign": foreign} {
			if got := f.proveTLS(id, peer); got != "invalid_client" {
				t.Errorf("%s, certificate %s: %s", id, name, got)
			}
		}
	}
	if got := f.proveTLS("late", late); got != "invalid_client" {
		t.Errorf("expired: %s", got)
	}
	c := client("bare", jose.JSONWebKey{Key: own.PublicKey})
	if err := c.Validate(); err == nil {
		t.Error("a key without a certificate was registered")
	}
}

func TestDistinguishedNames(t *testing.T) {
	subject := func(n pkix.Name) []byte {
		der, err := asn1.Marshal(n.ToRDNSequence())
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	tricky := pkix.Name{CommonName: ` a"b+c,d `, Organization: []string{"x\\y#"}, ExtraNames: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, Value: "ua"}}}
	multi := pkix.Name{CommonName: "a", OrganizationalUnit: []string{"one", "two"}}
	for _, c := range []struct {
		name string
		dn   string
		der  []byte
		want bool
	}{
		{"plain", "CN=a,C=UA", subject(pkix.Name{CommonName: "a", Country: []string{"UA"}}), true},
		{"spaces", "cn = a , c=UA", subject(pkix.Name{CommonName: "a", Country: []string{"UA"}}), true},
		{"numbers", "2.5.4.3=a,2.5.4.6=UA", subject(pkix.Name{CommonName: "a", Country: []string{"UA"}}), true},
		{"hex", "CN=#130161,C=UA", subject(pkix.Name{CommonName: "a", Country: []string{"UA"}}), true},
		{"other order", "C=UA,CN=a", subject(pkix.Name{CommonName: "a", Country: []string{"UA"}}), false},
		{"part missing", "CN=a", subject(pkix.Name{CommonName: "a", Country: []string{"UA"}}), false},
		{"part more", "CN=a,O=b,C=UA", subject(pkix.Name{CommonName: "a", Country: []string{"UA"}}), false},
		{"other case", "CN=A,C=UA", subject(pkix.Name{CommonName: "a", Country: []string{"UA"}}), false},
		{"other type", "OU=a,C=UA", subject(pkix.Name{CommonName: "a", Country: []string{"UA"}}), false},
		{"escapes", `DC=ua,CN=\ a\"b\+c\2cd\ ,O=x\\y\#`, subject(tricky), true},
		{"several", "CN=a,OU=two+OU=one", subject(multi), true},
		{"several, one twice", "CN=a,OU=one+OU=one", subject(multi), false},
	} {
		dn, err := parseDN(c.dn)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, err := readDN(c.der)
		if err != nil {
			t.Fatal(err)
		}
		if dn.equal(got) != c.want {
			t.Errorf("%s: %q is %v, want %v (%v, %v)", c.name, c.dn, !c.want, c.want, dn, got)
		}
	}
	for _, bad := range []string{"", "a", "CN=", "CN=a,", "CN=a+", "=a", "XX=a", "CN=a\\", "CN=a\\zz", `CN="a"`, "CN=a;O=b", "CN=#", "CN=#1", "1..2=a", "01.2=a", "CN=\xff", "CN=\\ff"} {
		if dn, err := parseDN(bad); err == nil {
			t.Errorf("%q: %v", bad, dn)
		}
	}
}

func FuzzDN(f *testing.F) {
	for _, seed := range []string{certifiedDN, "CN=a+OU=b, C=UA", "CN=#130161", `CN=\20a\ `, "2.5.4.3=a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		dn, err := parseDN(s)
		if err != nil {
			return
		}
		if len(dn) == 0 {
			t.Fatal("no parts")
		}
		for _, rdn := range dn {
			for _, a := range rdn {
				if a.oid == "" || a.text == "" && len(a.der) == 0 {
					t.Fatalf("%q: %+v", s, dn)
				}
			}
		}
	})
}
