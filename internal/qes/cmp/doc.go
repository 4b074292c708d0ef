// Package cmp finds the certificates of a key at the CMP service of the issuer that gave them out: most Ukrainian key
// containers hold no certificate. The protocol is the one of the issuers' own software, a small fixed record inside a
// ContentInfo over plain http, and not RFC 4210.
//
// Only key identifiers leave this program. What comes back is public and unsigned as a message: a certificate is kept only
// if its public key has one of the identifiers that were asked for, and what it is worth is decided elsewhere. How often a
// person may search is the login flow's business (three times).
package cmp
