// Package revocation finds out whether a certificate is revoked: it asks the OCSP responder of its issuer (RFC 6960), reads
// a CRL (RFC 5280 5) where no answer can be had, and judges responses and CRLs that came inside a signature.
//
// It reports Good only on signed evidence that is fresh and that the issuer, or a delegate of the issuer's key, made about
// this very certificate. Everything else is a refusal or "cannot know now"; there is no soft failure. It takes the issuer
// and its addresses from package trustlist's verified paths, follows no address that the directory does not list for that
// issuer, and builds no paths itself. A responder's own certificate is not checked for revocation (RFC 6960 4.2.2.2.1
// leaves that to local policy): it is issued for months, directly by the key that vouches for the answer.
package revocation
