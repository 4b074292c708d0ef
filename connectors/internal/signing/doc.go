// Package signing is what every connector shares whose proof is a signature over the challenge: it has the signature
// validated, reads the person from the certificate that made it, and decides the level of assurance from one table.
//
// It does not know how the signature came here (that is the connector), what a challenge says (internal/challenge), nor
// who the person is for us (provider/authflow).
package signing
