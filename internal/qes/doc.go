// Package qes validates qualified electronic signatures as the law asks (ETSI EN 319 102-1): it puts together what its
// neighbours know. cms reads the bytes, cert the certificate, trustlist and revocation answer for the outside world; this
// package decides, and does no I/O of its own.
package qes
