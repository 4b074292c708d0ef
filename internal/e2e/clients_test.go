package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestCertifiedClient: a client with a certificate of its own, whose keys stand at a jwks_uri on this computer, gets a token
// from `brama dev --tls`, and nobody else does; a client registers itself there.
func TestCertifiedClient(t *testing.T) {
	t.Parallel()
	certificate, jwk := certifiedKey(t)
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"keys": []any{jwk}})
	}))
	defer keys.Close()
	file := filepath.Join(t.TempDir(), "clients.json")
	clients := fmt.Sprintf(`{"clients":[{"client_id":"machine","token_endpoint_auth_method":"self_signed_tls_client_auth","jwks_uri":%q,
		"grant_types":["client_credentials"],"api_scope":"register:read","tls_client_certificate_bound_access_tokens":true}]}`, keys.URL)
	if err := os.WriteFile(file, []byte(clients), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDev(t, "--tls", "--registration", "open", "--client", file)
	pem, err := os.ReadFile(filepath.Join(d.data, "tls.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	with := func(certificates ...tls.Certificate) *http.Client {
		return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certificates}}}
	}
	var about struct {
		Registration string            `json:"registration_endpoint"`
		MTLS         map[string]string `json:"mtls_endpoint_aliases"`
	}
	getJSON(t, with(), d.Issuer+"/.well-known/openid-configuration", &about)

	stranger, _ := certifiedKey(t)
	for name, c := range map[string]struct {
		client *http.Client
		status int
	}{"its own": {with(certificate), 200}, "of a stranger": {with(stranger), 401}, "none": {with(), 401}} {
		res, err := c.client.PostForm(about.MTLS["token_endpoint"], url.Values{"grant_type": {"client_credentials"}, "client_id": {"machine"}})
		if err != nil {
			t.Fatal(err)
		}
		var body map[string]any
		if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.status || (body["access_token"] != nil) != (c.status == 200) {
			t.Errorf("certificate %s: %d %v", name, res.StatusCode, body)
		}
	}

	res, err := with().Post(about.Registration, "application/json", bytes.NewReader([]byte(`{"redirect_uris":["https://new.example.ua/cb"]}`)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var registered map[string]any
	if err := json.NewDecoder(res.Body).Decode(&registered); err != nil || res.StatusCode != http.StatusCreated || registered["client_secret"] == nil {
		t.Errorf("%d %v %v", res.StatusCode, registered, err)
	}
}

// certifiedKey makes a self-signed certificate and the JWK that holds it (RFC 8705, 2.2.2).
func certifiedKey(t *testing.T) (tls.Certificate, map[string]any) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "machine"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:]), "x5c": []string{base64.StdEncoding.EncodeToString(der)}}
}

func getJSON(t *testing.T, client *http.Client, address string, into any) {
	t.Helper()
	res, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", address, res.StatusCode, err)
	}
}
