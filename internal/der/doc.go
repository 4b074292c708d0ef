// Package der reads and writes the Distinguished Encoding Rules of ASN.1 (ITU-T X.690): strict, allocation-light,
// and small enough for the browser program (it imports only errors).
//
// It knows tags, lengths and the primitive types; it does not know certificates, CMS or any other structure, and it
// never interprets character strings: those who own a structure do.
package der
