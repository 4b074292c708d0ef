package wiring

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"
)

// TestWeakCipherRefused: a client that offers CBC suites only, or TLS 1.1, is not answered.
func TestWeakCipherRefused(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	server := ServerTLS(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key})
	shake := func(client *tls.Config) error {
		a, b := net.Pipe()
		defer a.Close()
		defer b.Close()
		client.InsecureSkipVerify = true
		go tls.Server(a, server).Handshake()
		return tls.Client(b, client).Handshake()
	}
	for name, c := range map[string]struct {
		client *tls.Config
		ok     bool
	}{
		"1.3":         {&tls.Config{}, true},
		"1.2 GCM":     {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}, true},
		"1.2 CBC":     {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, false},
		"version 1.1": {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
	} {
		if err := shake(c.client); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
