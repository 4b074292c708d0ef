// Package qestest is a trust service provider for tests and for `brama dev`: it issues certificates to invented people and
// answers for them over real HTTP as OCSP responder, time-stamp authority, certificate search (CMP) and CRL publisher,
// with ДСТУ, ECDSA and RSA keys. It can revoke, suspend, forget, be slow, be down, and talk nonsense.
//
// Its keys are made anew at each start, and its authorities bear (ТЕСТ) in their names, which a store that is not for tests
// refuses (package trustlist). Only the dev wiring of cmd/brama may link it. It does not import testing; what it writes is
// read by the same strict readers as everything else, and it shares no code with them but the DER of package der.
package qestest
