// Package keystore opens and writes key containers, the files in which people keep private keys: Key-6.dat (IIT), PKCS#12
// (RFC 7292), JKS, PKCS#8 (RFC 5208) plain and encrypted, DER or PEM. What a file is, is told from its bytes, never from
// its name. [Match] finds the certificates of a key.
//
// It runs on the server's side in the offline verbs and in the browser inside a worker, so it does no I/O, asks no clock
// and takes RSA, ECDSA, AES and SHA through [Primitives]. It does not verify certificates, does not sign and does not
// search for certificates elsewhere.
//
// Every file is hostile (T39): size, nesting, counts and iterations are limited before any work is done for them. Errors
// say what kind of thing is wrong and never quote what was read.
package keystore
