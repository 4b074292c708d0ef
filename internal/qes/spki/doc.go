// Package spki reads and writes AlgorithmIdentifier and SubjectPublicKeyInfo (RFC 5280 4.1) of ДСТУ 4145 keys and knows
// the object identifiers of the national algorithms. It is light enough for the browser program.
//
// It takes explicit curve parameters only where every number of them equals a named curve, so that nothing after it
// meets parameters of a stranger's making. It knows RSA and ECDSA keys by their identifiers only, and does not decide
// which algorithm is acceptable for what: package qes does. Private keys are package keystore's.
package spki
