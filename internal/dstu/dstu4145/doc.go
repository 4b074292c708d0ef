// Package dstu4145 is the signature of ДСТУ 4145-2002 over the ten named curves in polynomial basis: keys, point
// compression, signing and verification.
//
// It does not own ASN.1 (neither keys nor signatures nor parameters), the hash, or the rule which curves and hashes are
// acceptable for what: it takes a digest of any hash, and all ten curves. The field is package internal/gf2m.
//
// Notation is the standard's: a base point P of prime order n, a private key d, a public key Q = −dP, a signature (r, s).
// Integers and field elements from outside are little-endian, except where a comment says otherwise.
//
// Timing: signing and making a public key take constant time: no branch and no index depends on d or on the nonce.
// (The number of nonces tried and refused shows, but a refused nonce is thrown away.) Verification takes variable time;
// all that it sees is public. A statistical check stands in timing_test.go, behind the build tag timing.
//
// Speed: M257 and M431 have assembler on amd64 (see package gf2m); the build tag purego leaves it out. `go run
// ./internal/tools/bench` prints what is reached beside other implementations.
//
// Nonces are hedged: see [PrivateKey.Sign].
package dstu4145
