package main

import (
	"brama/internal/der"
	"brama/internal/qes/keystore"
	"brama/internal/qes/tbs"
)

// The answers are built of what syscall/js turns into JavaScript values: map[string]any, []any, string, int, float64,
// bool and nil. The fields are described in worker.js.

func (s *session) describe() map[string]any {
	keys := make([]any, len(s.container.Keys))
	for i, k := range s.container.Keys {
		keys[i] = map[string]any{
			"index": i, "alias": k.Alias, "algorithm": k.Algorithm, "curve": k.Curve, "usage": string(k.Usage),
			"keyId": hexadecimal(k.ID), "keyIdKupyna": hexadecimal(k.IDKupyna),
		}
	}
	certificates := make([]any, len(s.candidates))
	for i, c := range s.candidates {
		certificates[i] = describeCertificate(i, c)
	}
	answer := map[string]any{"format": string(s.container.Format), "keys": keys, "certificates": certificates, "suggested": nil}
	if i := keystore.Suggest(s.candidates); i >= 0 {
		answer["suggested"] = i
	}
	return answer
}

func describeCertificate(index int, candidate keystore.Candidate) map[string]any {
	c := candidate.Certificate
	return map[string]any{
		"index": index, "keyIndex": candidate.Key,
		"commonName":         c.SubjectAttribute(tbs.OIDCommonName),
		"organization":       c.SubjectAttribute(tbs.OIDOrganization),
		"title":              c.SubjectAttribute(tbs.OIDTitle),
		"serialNumber":       c.SubjectAttribute(tbs.OIDSerialNumber),
		"issuer":             c.IssuerAttribute(tbs.OIDCommonName),
		"issuerOrganization": c.IssuerAttribute(tbs.OIDOrganization),
		"serial":             hexadecimal(c.Serial),
		"notBefore":          float64(c.NotBefore.UnixMilli()),
		"notAfter":           float64(c.NotAfter.UnixMilli()),
		"kind":               kindOf(c),
		"usable":             candidate.Reason.Usable(),
		"reason":             string(candidate.Reason),
	}
}

var (
	oidDirectoryAttributes = der.NewOID("2.5.29.9")
	oidOrganizationID      = der.NewOID("2.5.4.97")
	oidDRFO                = der.NewOID("1.2.804.2.1.1.1.11.1.4.1.1")
	oidEDRPOU              = der.NewOID("1.2.804.2.1.1.1.11.1.4.2.1")
)

// kindOf is a word for the list in which a person chooses. What a certificate is worth the server decides.
func kindOf(c *tbs.Certificate) string {
	usage, _ := c.KeyUsage()
	switch {
	case usage&tbs.NonRepudiation == 0 && usage&tbs.KeyAgreement != 0:
		return "encryption"
	case usage&tbs.NonRepudiation == 0:
		return "other"
	case keystore.IsSeal(c):
		return "seal"
	}
	person, organization := directoryAttribute(c, oidDRFO), directoryAttribute(c, oidEDRPOU)
	if organization == "" {
		organization = c.SubjectAttribute(oidOrganizationID)
	}
	if organization != "" && organization != person { // a sole trader has one number for both
		return "employee"
	}
	return "person"
}

// directoryAttribute reads subjectDirectoryAttributes (RFC 5280 4.2.1.8).
func directoryAttribute(c *tbs.Certificate, oid der.OID) string {
	e := c.Extension(oidDirectoryAttributes)
	if e == nil {
		return ""
	}
	for list := der.NewReader(e.Value).Sequence(); list.More(); {
		attribute := list.Sequence()
		if attribute.OID() != oid {
			continue
		}
		if text, err := tbs.DecodeString(attribute.Set().Next()); err == nil {
			return text
		}
	}
	return ""
}

func hexadecimal(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(b))
	for _, o := range b {
		out = append(out, digits[o>>4], digits[o&15])
	}
	return string(out)
}
