package cms

import (
	"brama/internal/der"
	"brama/internal/qes/spki"
)

// Content types (RFC 5652 4, 5.1, 6.1; RFC 3161 2.4.2).
const (
	OIDData          der.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
	OIDSignedData    der.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	OIDEnvelopedData der.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"
	OIDTSTInfo       der.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04"
)

// Attributes (RFC 5652 11; RFC 5035; RFC 5126 5, 6).
const (
	oidContentType          der.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"
	oidMessageDigest        der.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"
	oidSigningTime          der.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05"
	oidSigningCertificate   der.OID = oidSMIMEAttribute + "\x0c"
	oidSignatureTimeStamp   der.OID = oidSMIMEAttribute + "\x0e"
	oidSignaturePolicy      der.OID = oidSMIMEAttribute + "\x0f"
	oidCommitmentType       der.OID = oidSMIMEAttribute + "\x10"
	oidContentTimeStamp     der.OID = oidSMIMEAttribute + "\x14"
	oidCertificateRefs      der.OID = oidSMIMEAttribute + "\x15"
	oidRevocationRefs       der.OID = oidSMIMEAttribute + "\x16"
	oidCertificateValues    der.OID = oidSMIMEAttribute + "\x17"
	oidRevocationValues     der.OID = oidSMIMEAttribute + "\x18"
	oidSigningCertificateV2 der.OID = oidSMIMEAttribute + "\x2f"

	oidSMIMEAttribute = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02" // 1.2.840.113549.1.9.16.2
)

// oidCommitmentLogin is Brama's own commitment type "sign in, and nothing else": 2.25.UUID.1 (X.667), with the UUID
// a87a2946-b6d7-4daf-a3ab-3022032773d3, made for this once and for all.
var oidCommitmentLogin = der.NewOID("2.25.223944600689958799036406234678806672339.1")

// Signature algorithms of ДСТУ 4145 in the form that is written, and the SHA digests; [spki] has the rest.
var (
	OIDDSTUWithGOST34311 = spki.OIDDSTU4145
	OIDDSTUWithKupyna256 = der.NewOID("1.2.804.2.1.1.1.1.3.6.1.1")
	OIDDSTUWithKupyna384 = der.NewOID("1.2.804.2.1.1.1.1.3.6.2.1")
	OIDDSTUWithKupyna512 = der.NewOID("1.2.804.2.1.1.1.1.3.6.3.1")

	OIDSHA256 = der.NewOID("2.16.840.1.101.3.4.2.1")
	OIDSHA384 = der.NewOID("2.16.840.1.101.3.4.2.2")
	OIDSHA512 = der.NewOID("2.16.840.1.101.3.4.2.3")
)
