package offline

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/tbs"
)

// report is the answer of "signature verify" in JSON. Every member is always there; "" is "not known".
type report struct {
	Indication    string            `json:"indication"`
	SubIndication string            `json:"sub_indication"`
	Code          string            `json:"code"`
	Signatures    []signatureReport `json:"signatures"`
}

type signatureReport struct {
	CommonName         string   `json:"common_name"`
	RNOKPP             string   `json:"rnokpp"`
	EDRPOU             string   `json:"edrpou"`
	UNZR               string   `json:"unzr"`
	Issuer             string   `json:"issuer"`
	Serial             string   `json:"serial"`
	SignatureAlgorithm string   `json:"signature_algorithm"`
	DigestAlgorithm    string   `json:"digest_algorithm"`
	ClaimedSigningTime string   `json:"claimed_signing_time"`
	Level              string   `json:"level"`
	SignatureValue     string   `json:"signature_value"`
	Indication         string   `json:"indication"`
	SubIndication      string   `json:"sub_indication"`
	Code               string   `json:"code"`
	BestSignatureTime  string   `json:"best_signature_time"`
	Warnings           []string `json:"warnings"`
	Documents          []string `json:"documents"` // of a container: what the signature covers
}

func newReport(d *qes.DocumentReport) report {
	r := report{Indication: d.Indication.String(), SubIndication: string(d.SubIndication), Code: string(d.Code), Signatures: []signatureReport{}}
	for _, s := range d.Signatures {
		out := signatureReport{
			Serial:             serialHex(s.Serial),
			SignatureAlgorithm: s.SignatureAlgorithm,
			DigestAlgorithm:    s.DigestAlgorithm,
			ClaimedSigningTime: timeText(s.UnverifiedSigningTime),
			Level:              s.Level,
			SignatureValue:     string(s.Value),
			Indication:         s.Indication.String(),
			SubIndication:      string(s.SubIndication),
			Code:               string(s.Code),
			BestSignatureTime:  timeText(s.BestTime),
			Warnings:           append([]string{}, s.Warnings...),
			Documents:          []string{},
		}
		if s.RawIssuer != nil {
			out.Issuer = nameOf(s.RawIssuer)
		}
		if c := s.Certificate; c != nil {
			out.Serial, out.Issuer = serialHex(c.Serial), nameOf(c.RawIssuer)
			out.describe(c)
		}
		r.Signatures = append(r.Signatures, out)
	}
	return r
}

// describe tells who the certificate names. Numbers that disagree are told by none of them.
func (r *signatureReport) describe(c *cert.Certificate) {
	subject, err := c.Subject()
	if err != nil {
		r.CommonName = printable(c.SubjectAttribute(tbs.OIDCommonName))
		r.Warnings = append(r.Warnings, err.Error())
		return
	}
	r.CommonName = subject.CommonName
	r.RNOKPP, r.EDRPOU, r.UNZR = subject.Identifier(cert.RNOKPP), subject.Identifier(cert.EDRPOU), subject.Identifier(cert.UNZR)
}

// nameOf is a name for people: the common name, else the organisation.
func nameOf(raw []byte) string {
	c := cert.Certificate{Certificate: &tbs.Certificate{RawIssuer: raw}}
	return c.IssuerName()
}

// serialHex writes the content octets of a serial number without the octet that only carries the sign.
func serialHex(serial []byte) string {
	if len(serial) > 1 && serial[0] == 0 {
		serial = serial[1:]
	}
	return strings.ToUpper(fmt.Sprintf("%x", serial))
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// printReport prints d and returns the exit code.
func (e *env) printReport(d *qes.DocumentReport, asJSON bool) int {
	return e.print(newReport(d), d.Indication, asJSON)
}

func (e *env) print(r report, indication qes.Indication, asJSON bool) int {
	if asJSON {
		e.printJSON(r)
	} else {
		e.printText(r)
	}
	switch indication {
	case qes.Passed:
		return ExitOK
	case qes.Failed:
		return ExitFailed
	default:
		return ExitIndeterminate
	}
}

func (e *env) printJSON(v any) {
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		e.errorf("%v", err)
	}
}

func (e *env) printText(r report) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(e.stdout, "  %-11s%s\n", name, printable(value))
		}
	}
	fmt.Fprintln(e.stdout, printable(verdict(r.Indication, r.SubIndication, r.Code)))
	for i, s := range r.Signatures {
		fmt.Fprintf(e.stdout, "\nsignature %d: %s\n", i+1, printable(verdict(s.Indication, s.SubIndication, s.Code)))
		line("signer", s.CommonName)
		line("РНОКПП", s.RNOKPP)
		line("ЄДРПОУ", s.EDRPOU)
		line("УНЗР", s.UNZR)
		line("issuer", s.Issuer)
		line("serial", s.Serial)
		line("algorithm", s.SignatureAlgorithm+", "+s.DigestAlgorithm)
		line("level", s.Level)
		line("value", s.SignatureValue)
		line("claimed", s.ClaimedSigningTime)
		for _, name := range s.Documents {
			line("document", name)
		}
		for _, w := range s.Warnings {
			line("warning", w)
		}
	}
}

func verdict(indication, sub, code string) string {
	for _, s := range []string{sub, code} {
		if s != "" {
			indication += " " + s
		}
	}
	return indication
}
