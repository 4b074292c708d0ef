package qes

import "errors"

// A Code is one stable cause. It is an error, so that errors.Is(err, qes.CertRevoked) works; the texts for people are in
// provider/web/locales under the same key.
type Code string

// Error returns the code itself.
func (c Code) Error() string { return string(c) }

// The codes of this engine. The list is closed; provider/web/locales has a text for each.
const (
	KeyIssuerUntrusted      Code = "KEY_ISSUER_UNTRUSTED"
	CertExpired             Code = "CERT_EXPIRED"
	CertNotYetValid         Code = "CERT_NOT_YET_VALID"
	CertRevoked             Code = "CERT_REVOKED"
	CertSuspended           Code = "CERT_SUSPENDED"
	CertStatusUnknown       Code = "CERT_STATUS_UNKNOWN"
	CertStatusUnreachable   Code = "CERT_STATUS_UNREACHABLE"
	CertSeal                Code = "CERT_SEAL"
	CertUsage               Code = "CERT_USAGE"
	CertNoTaxNo             Code = "CERT_NO_TAXNO"
	CertNotQualified        Code = "CERT_NOT_QUALIFIED"
	CertIdentifiersDisagree Code = "CERT_IDENTIFIERS_DISAGREE"
	CertMissing             Code = "KEY_CERT_NOT_FOUND"
	ChainNotFound           Code = "CHAIN_NOT_FOUND"
	TrustListStale          Code = "TRUST_LIST_STALE"
	SigInvalid              Code = "SIG_INVALID"
	CMSMalformed            Code = "CMS_MALFORMED"
	FormatUnsupported       Code = "FORMAT_UNSUPPORTED"
	Internal                Code = "INTERNAL"
)

// A SubIndication is one of ETSI EN 319 102-1, 5.1.3, table 6, e.g. "HASH_FAILURE".
type SubIndication string

// Sub-indications in use.
const (
	SubFormatFailure                  SubIndication = "FORMAT_FAILURE"
	SubHashFailure                    SubIndication = "HASH_FAILURE"
	SubSigCryptoFailure               SubIndication = "SIG_CRYPTO_FAILURE"
	SubRevoked                        SubIndication = "REVOKED"
	SubExpired                        SubIndication = "EXPIRED"
	SubNotYetValid                    SubIndication = "NOT_YET_VALID"
	SubSigConstraints                 SubIndication = "SIG_CONSTRAINTS_FAILURE"
	SubChainConstraints               SubIndication = "CHAIN_CONSTRAINTS_FAILURE"
	SubCryptoConstraints              SubIndication = "CRYPTO_CONSTRAINTS_FAILURE"
	SubNoSigningCertificate           SubIndication = "NO_SIGNING_CERTIFICATE_FOUND"
	SubNoChain                        SubIndication = "NO_CERTIFICATE_CHAIN_FOUND"
	SubRevokedNoPOE                   SubIndication = "REVOKED_NO_POE"
	SubOutOfBoundsNoPOE               SubIndication = "OUT_OF_BOUNDS_NO_POE"
	SubOutOfBoundsNotRevoked          SubIndication = "OUT_OF_BOUNDS_NOT_REVOKED"
	SubTryLater                       SubIndication = "TRY_LATER"
	SubSignedDataNotFound             SubIndication = "SIGNED_DATA_NOT_FOUND"
	SubCertificateChainGeneralFailure SubIndication = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
)

// An Error is a refusal: its code, its indication and what was being done.
type Error struct {
	Code          Code
	Indication    Indication // Failed or Indeterminate
	SubIndication SubIndication
	// Values fill the message's placeholders: "date", "issuer", "kind".
	Values map[string]string
	Err    error // what happened, for the operator; may be nil
}

// Error returns the code and the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Err.Error()
}

// Unwrap returns the code and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.Err}
}

// CodeOf returns the code of err: the one it wraps, or Internal.
func CodeOf(err error) Code {
	var c Code
	if errors.As(err, &c) {
		return c
	}
	return Internal
}
