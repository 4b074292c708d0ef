package qes

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"testing"
)

// TestCertificateKinds: a certificate that was made for anything but a person's signature signs nobody in, whatever else it
// says too; one fixture per kind and its code (T20). Each is asked after only when it passes.
func TestCertificateKinds(t *testing.T) {
	usage := func(u x509.KeyUsage) func(*x509.Certificate) {
		return func(x *x509.Certificate) { x.KeyUsage = u }
	}
	extended := func(list ...x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(x *x509.Certificate) { x.ExtKeyUsage = list }
	}
	named := func(oids ...asn1.ObjectIdentifier) func(*x509.Certificate) {
		return func(x *x509.Certificate) { x.UnknownExtKeyUsage = oids }
	}
	seal := asn1.ObjectIdentifier{1, 2, 804, 2, 1, 1, 1, 3, 9}
	employee := func(x *x509.Certificate) {
		x.Subject.ExtraNames = []pkix.AttributeTypeAndValue{company("NTRUA-43395033")}
	}
	const both = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	for _, test := range []struct {
		name   string
		change func(*x509.Certificate)
		want   Code // "" is passed
	}{
		{"person", nil, ""},
		{"employee", employee, ""},
		{"nonRepudiation alone", usage(x509.KeyUsageContentCommitment), ""},
		{"e-mail protection", extended(x509.ExtKeyUsageEmailProtection), ""},
		{"client authentication", extended(x509.ExtKeyUsageClientAuth), ""},

		{"seal", named(seal), CertSeal},
		{"seal of an employee", func(x *x509.Certificate) { employee(x); named(seal)(x) }, CertSeal},
		{"company", func(x *x509.Certificate) {
			x.Subject = pkix.Name{CommonName: "ТОВ", ExtraNames: []pkix.AttributeTypeAndValue{company("NTRUA-43395033")}}
		}, CertSeal},

		{"no key usage", usage(0), CertUsage},
		{"digitalSignature alone", usage(x509.KeyUsageDigitalSignature), CertUsage},
		{"agreement", usage(x509.KeyUsageKeyAgreement), CertUsage},
		{"agreement and signature", usage(both | x509.KeyUsageKeyAgreement), CertUsage},
		{"encipherment", usage(x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment), CertUsage},
		{"CRL signer", usage(x509.KeyUsageCRLSign), CertUsage},
		{"certificate signer", usage(both | x509.KeyUsageCertSign), CertUsage},
		{"authority", func(x *x509.Certificate) { x.BasicConstraintsValid, x.IsCA = true, true }, CertUsage},

		{"OCSP server", extended(x509.ExtKeyUsageOCSPSigning), CertUsage},
		{"time-stamp server", extended(x509.ExtKeyUsageTimeStamping), CertUsage},
		{"web server", extended(x509.ExtKeyUsageServerAuth), CertUsage},
		{"web server and client", extended(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth), CertUsage},
		{"code", extended(x509.ExtKeyUsageCodeSigning), CertUsage},
		{"CMP server", named(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 27}), CertUsage},
		{"an unknown purpose", named(asn1.ObjectIdentifier{1, 2, 3, 4}), CertUsage},
		{"e-mail and OCSP", extended(x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageOCSPSigning), CertUsage},

		{"not qualified", func(x *x509.Certificate) { x.ExtraExtensions = nil }, CertNotQualified},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			key, c := w.person(t, test.change)
			res, err := w.validator(t, Policy{RequirePurpose: true}).Verify(t.Context(), login(t, key, c, nil), challenge)
			if test.want == "" && err != nil || test.want != "" && !errors.Is(err, test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if passed := res.Indication == Passed; passed != (test.want == "") || passed != (w.asked == 1) {
				t.Errorf("%v, and the responder was asked %d times", res.Indication, w.asked)
			}
		})
	}
}
