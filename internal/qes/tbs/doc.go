// Package tbs reads the fields of an X.509 certificate (RFC 5280 4.1) by internal/der: strictly, without interpreting
// extensions beyond key usage, and light enough for the browser program. It takes some old certificates that
// crypto/x509 refuses.
//
// It checks no signature, no date and no path, and does not know what the attributes of a subject mean: package cert
// builds on it.
package tbs
