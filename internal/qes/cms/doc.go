// Package cms reads and writes SignedData (RFC 5652) with the attributes of CAdES (ETSI TS 101 733, EN 319 122-1): bytes
// in, bytes out. The reader checks form, never meaning: which key made a signature, whether it verifies and what it is
// worth are decided by package qes with the mathematics of package cert.
//
// EnvelopedData is here too, with key agreement over ДСТУ 4145: [ParseEnveloped], [EnvelopedData.Open] and [Seal]. What
// comes out of an envelope is as unproven as what went in.
//
// The whole package is light enough for the browser program, whose writer it is: it imports der, spki, tbs and the
// national algorithms; RSA, ECDSA and SHA come in through [Signer].
package cms
