package wiring

import "crypto/tls"

// ServerTLS returns how the provider speaks TLS: 1.3, and of 1.2 what RFC 9325 section 4.2 (BCP 195) recommends, which
// FAPI 2.0 section 5.2.2 demands: ephemeral keys with AES-GCM.
func ServerTLS(certificate tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		},
		NextProtos: []string{"h2", "http/1.1"},
	}
}
