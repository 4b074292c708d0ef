package qes_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
	"brama/internal/qes/qestest"
	"brama/internal/qes/revocation"
	"brama/internal/qes/spki"
)

var contract = []byte("договір про купівлю")

// A desk validates documents of a site's people.
type desk struct {
	*site
	online, offline *qes.DocumentValidator
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{site: newSite(t, qes.Policy{})}
	store, err := d.TrustStore()
	if err != nil {
		t.Fatal(err)
	}
	client, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return d.now }
	checker, err := revocation.New(revocation.Config{Do: client.Do, Responders: store.Responders, AllowsHost: store.AllowsHost, CacheFor: -1, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		to  **qes.DocumentValidator
		cfg qes.DocumentConfig
	}{
		{&d.online, qes.DocumentConfig{Trust: store, Revocation: checker, Evidence: revocation.Evidence{}, Now: clock}},
		{&d.offline, qes.DocumentConfig{Trust: store, Evidence: revocation.Evidence{}, Now: clock}},
	} {
		if *v.to, err = qes.NewDocumentValidator(v.cfg); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// servers are the certificates that tokens and responses come without.
func (d *desk) servers(t *testing.T) []*cert.Certificate {
	t.Helper()
	var list []*cert.Certificate
	for _, b := range d.Candidates() {
		c, err := cert.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

func document(t *testing.T, i *qestest.Issued, change func(*cms.Options)) []byte {
	t.Helper()
	o := cms.Options{Certificate: i.Certificate.Raw, Content: contract, SigningTime: time.Now()}
	if change != nil {
		change(&o)
	}
	b, err := cms.Sign(i.Key, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// edit rewrites a message's SignedData: its certificates and its SignerInfos.
func edit(t *testing.T, message []byte, change func(certificates *[][]byte, infos *[][]byte)) []byte {
	t.Helper()
	r := der.NewReader(message).Sequence()
	r.OID()
	sd := r.Nested(der.Constructed(0)).Sequence()
	version, digests, content := sd.Next().Full, sd.Next().Full, sd.Next().Full
	var certificates, infos [][]byte
	for list := sd.Nested(der.Constructed(0)); list.More(); {
		certificates = append(certificates, list.Next().Full)
	}
	for list := sd.Set(); list.More(); {
		infos = append(infos, list.Next().Full)
	}
	if sd.Err() != nil {
		t.Fatal(sd.Err())
	}
	change(&certificates, &infos)
	var set []byte
	if certificates != nil {
		set = der.Element(der.Constructed(0), certificates...)
	}
	return der.EncodeSequence(der.EncodeOID(cms.OIDSignedData), der.Element(der.Constructed(0),
		der.EncodeSequence(version, digests, content, set, der.Element(der.Set, infos...))))
}

// unsigned adds an unsigned attribute to the one signer.
func unsigned(t *testing.T, message []byte, oid string, value []byte) []byte {
	t.Helper()
	return edit(t, message, func(_, infos *[][]byte) {
		r := der.NewReader((*infos)[0]).Sequence()
		attribute := der.EncodeSequence(der.EncodeOID(der.NewOID(oid)), der.Element(der.Set, value))
		(*infos)[0] = der.EncodeSequence(r.Rest(), der.Element(der.Constructed(1), attribute))
	})
}

const signatureTimeStamp = "1.2.840.113549.1.9.16.2.14"

func (d *desk) stamped(t *testing.T, message []byte, at time.Time) []byte {
	t.Helper()
	sd, err := cms.Parse(message, cms.DocumentLimits)
	if err != nil {
		t.Fatal(err)
	}
	token, err := d.TimeStamp(qestest.Main, sd.Signers[0].Signature, at)
	if err != nil {
		t.Fatal(err)
	}
	return unsigned(t, message, signatureTimeStamp, token)
}

func TestDocuments(t *testing.T) {
	d := newDesk(t)
	person := func(change func(*qestest.Request)) *qestest.Issued {
		r := qestest.Request{RNOKPP: "1234567899"}
		if change != nil {
			change(&r)
		}
		return d.issue(t, r)
	}
	good := person(nil)
	revoked := person(func(r *qestest.Request) { r.Status = qestest.Revoked })
	suspended := person(func(r *qestest.Request) { r.Status = qestest.Suspended })
	seal := person(func(r *qestest.Request) { r.Kind, r.EDRPOU = qestest.Seal, "12345678" })
	encryption := person(func(r *qestest.Request) { r.Kind = qestest.Encryption })
	small := person(func(r *qestest.Request) { r.Algorithm = qestest.M191 })
	expired := person(func(r *qestest.Request) { r.NotBefore, r.NotAfter = d.now.AddDate(0, 0, -30), d.now.AddDate(0, 0, -10) })
	stranger := person(func(r *qestest.Request) { r.Authority = qestest.Stranger })
	ec := person(func(r *qestest.Request) { r.Authority, r.Algorithm = qestest.ECDSA, qestest.P256 })
	servers := d.servers(t)
	bare := func(b []byte) []byte {
		return edit(t, b, func(certificates, _ *[][]byte) { *certificates = nil })
	}
	two := func(a, b []byte) []byte {
		return edit(t, a, func(certificates, infos *[][]byte) {
			edit(t, b, func(moreCertificates, moreInfos *[][]byte) {
				*certificates, *infos = append(*certificates, *moreCertificates...), append(*infos, *moreInfos...)
			})
		})
	}
	broken := document(t, good, nil)
	broken[len(broken)-1] ^= 1
	for _, test := range []struct {
		name    string
		message []byte
		change  func(*qes.Document)
		offline bool
		want    qes.Indication
		sub     qes.SubIndication
		code    qes.Code
		value   qes.ValueState
		level   string
		warning string
	}{
		{name: "passed", message: document(t, good, nil), want: qes.Passed, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "ECDSA", message: document(t, ec, nil), want: qes.Passed, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "seal", message: document(t, seal, nil), want: qes.Passed, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "small curve", message: document(t, small, nil), want: qes.Passed, value: qes.ValueValid, level: "CAdES-BES", warning: "M191"},
		{name: "offline", message: document(t, good, nil), offline: true, want: qes.Indeterminate, sub: qes.SubTryLater, code: qes.CertStatusUnreachable, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "detached", message: document(t, good, func(o *cms.Options) { o.Detached = true }), change: func(q *qes.Document) { q.Content = contract },
			want: qes.Passed, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "detached, no content", message: document(t, good, func(o *cms.Options) { o.Detached = true }),
			want: qes.Indeterminate, sub: qes.SubSignedDataNotFound, code: qes.SignedDataNotFound, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "detached, other content", message: document(t, good, func(o *cms.Options) { o.Detached = true }), change: func(q *qes.Document) { q.Content = []byte("x") },
			want: qes.Failed, sub: qes.SubHashFailure, code: qes.SigInvalid, value: qes.ValueInvalid, level: "CAdES-BES"},
		{name: "detached, empty content", message: document(t, good, func(o *cms.Options) { o.Detached = true }), change: func(q *qes.Document) { q.Content = []byte{} },
			want: qes.Failed, sub: qes.SubSigConstraints, code: qes.SigInvalid, value: qes.ValueNotChecked, level: "CAdES-BES"},
		{name: "broken", message: broken, want: qes.Failed, sub: qes.SubSigCryptoFailure, code: qes.SigInvalid, value: qes.ValueInvalid, level: "CAdES-BES"},
		{name: "revoked", message: document(t, revoked, nil), want: qes.Indeterminate, sub: qes.SubRevokedNoPOE, code: qes.CertRevoked, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "revoked, judged before", message: document(t, revoked, nil), change: func(q *qes.Document) { q.At = d.now.AddDate(0, 0, -5) },
			want: qes.Passed, value: qes.ValueValid, level: "CAdES-BES", warning: "later"},
		{name: "revoked, stamped before", message: d.stamped(t, document(t, revoked, nil), d.now.AddDate(0, 0, -5)),
			want: qes.Passed, value: qes.ValueValid, level: "CAdES-T", warning: "later"},
		{name: "suspended", message: document(t, suspended, nil), want: qes.Indeterminate, sub: qes.SubTryLater, code: qes.CertSuspended, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "expired", message: document(t, expired, nil), want: qes.Indeterminate, sub: qes.SubOutOfBoundsNoPOE, code: qes.CertExpired, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "expired, judged inside", message: document(t, expired, nil), change: func(q *qes.Document) { q.At = d.now.AddDate(0, 0, -20) },
			want: qes.Indeterminate, sub: qes.SubTryLater, code: qes.CertStatusUnreachable, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "expired, stamped after", message: d.stamped(t, document(t, expired, nil), d.now.AddDate(0, 0, -5)),
			want: qes.Failed, sub: qes.SubExpired, code: qes.CertExpired, value: qes.ValueValid, level: "CAdES-T"},
		{name: "judged before it was issued", message: document(t, good, nil), change: func(q *qes.Document) { q.At = d.now.AddDate(-2, 0, 0) },
			want: qes.Failed, sub: qes.SubNotYetValid, code: qes.CertNotYetValid, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "stranger", message: document(t, stranger, nil), want: qes.Indeterminate, sub: qes.SubNoChain, code: qes.KeyIssuerUntrusted, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "encryption", message: document(t, encryption, nil), want: qes.Indeterminate, sub: qes.SubChainConstraints, code: qes.CertUsage, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "no certificate", message: bare(document(t, good, nil)), want: qes.Indeterminate, sub: qes.SubNoSigningCertificate, code: qes.CertMissing, value: qes.ValueNotChecked, level: "CAdES-BES"},
		{name: "certificate given", message: bare(document(t, good, nil)), change: func(q *qes.Document) { q.Candidates = append(q.Candidates, good.Certificate) },
			want: qes.Passed, value: qes.ValueValid, level: "CAdES-BES"},
		{name: "two signers", message: two(document(t, good, nil), document(t, ec, nil)), want: qes.Passed, value: qes.ValueValid, level: "CAdES-BES", warning: "several"},
		{name: "a good and a broken one", message: two(document(t, good, nil), broken), want: qes.Failed, sub: qes.SubSigCryptoFailure, code: qes.SigInvalid, value: qes.ValueValid, level: "CAdES-BES", warning: "several"},
		{name: "a good one and a stranger's", message: two(document(t, good, nil), document(t, stranger, nil)), want: qes.Indeterminate, sub: qes.SubNoChain, code: qes.KeyIssuerUntrusted, value: qes.ValueValid, level: "CAdES-BES", warning: "several"},
		{name: "stamped", message: d.stamped(t, document(t, good, nil), d.now.Add(-time.Hour)), want: qes.Passed, value: qes.ValueValid, level: "CAdES-T"},
		{name: "another's time-stamp", message: unsigned(t, document(t, good, nil), signatureTimeStamp, mustStamp(t, d, []byte("x"))),
			want: qes.Passed, value: qes.ValueValid, level: "CAdES-BES", warning: "other octets"},
		{name: "no time-stamp in its place", message: unsigned(t, document(t, good, nil), signatureTimeStamp, der.EncodeSequence()),
			want: qes.Passed, value: qes.ValueValid, level: "CAdES-BES", warning: "malformed"},
		{name: "plain", message: plain(t, good, contract), want: qes.Passed, value: qes.ValueValid, level: "CMS", warning: "plain CMS"},
		{name: "plain, over attributes", message: plain(t, good, der.Element(der.Set, der.EncodeSequence(der.EncodeOID(cms.OIDData), der.Element(der.Set)))),
			want: qes.Failed, sub: qes.SubSigConstraints, code: qes.SigInvalid, value: qes.ValueNotChecked, level: "CMS", warning: "does not name"},
		{name: "no signed message", message: contract, want: qes.Failed, sub: qes.SubFormatFailure, code: qes.CMSMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := qes.Document{Signature: test.message, Candidates: slices.Clone(servers)}
			if test.change != nil {
				test.change(&q)
			}
			v := d.online
			if test.offline {
				v = d.offline
			}
			r := v.Validate(t.Context(), q)
			if r.Indication != test.want || r.SubIndication != test.sub || r.Code != test.code {
				t.Errorf("%s %s %s, want %s %s %s", r.Indication, r.SubIndication, r.Code, test.want, test.sub, test.code)
			}
			if test.level == "" {
				return
			}
			s := r.Signatures[0]
			if s.Value != test.value || s.Level != test.level {
				t.Errorf("value %s, level %s; want %s, %s", s.Value, s.Level, test.value, test.level)
			}
			all := strings.Join(s.Warnings, "; ")
			if test.warning != "" && !strings.Contains(all, test.warning) || test.warning == "" && all != "" {
				t.Errorf("warnings %q, want %q", all, test.warning)
			}
		})
	}
}

func mustStamp(t *testing.T, d *desk, data []byte) []byte {
	t.Helper()
	token, err := d.TimeStamp(qestest.Main, data, d.now)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// plain is a SignedData without signed attributes (RFC 5652 5.4, the second case).
func plain(t *testing.T, i *qestest.Issued, content []byte) []byte {
	t.Helper()
	value, err := i.Key.Sign(content)
	if err != nil {
		t.Fatal(err)
	}
	digest, algorithm := i.Key.DigestAlgorithm().Encode(), i.Key.SignatureAlgorithm().Encode()
	info := der.EncodeSequence(der.EncodeInt(1), der.EncodeSequence(i.Certificate.RawIssuer, der.Element(der.Integer, i.Certificate.Serial)), digest, algorithm, der.EncodeOctetString(value))
	return der.EncodeSequence(der.EncodeOID(cms.OIDSignedData), der.Element(der.Constructed(0), der.EncodeSequence(
		der.EncodeInt(1), der.Element(der.Set, digest),
		der.EncodeSequence(der.EncodeOID(cms.OIDData), der.Element(der.Constructed(0), der.EncodeOctetString(content))),
		der.Element(der.Constructed(0), i.Certificate.Raw), der.Element(der.Set, info))))
}

// TestUntrustedTimeStamp: a time-stamp of an authority that nobody vouches for proves no time, whatever it says.
func TestUntrustedTimeStamp(t *testing.T) {
	d := newDesk(t)
	i := d.issue(t, qestest.Request{RNOKPP: "1234567899", Status: qestest.Revoked})
	message := document(t, i, nil)
	sd, err := cms.Parse(message, cms.DocumentLimits)
	if err != nil {
		t.Fatal(err)
	}
	token, err := d.TimeStamp(qestest.Stranger, sd.Signers[0].Signature, d.now.AddDate(0, 0, -5))
	if err != nil {
		t.Fatal(err)
	}
	r := d.online.Validate(t.Context(), qes.Document{Signature: unsigned(t, message, signatureTimeStamp, token), Candidates: d.servers(t)})
	if r.Indication != qes.Indeterminate || r.SubIndication != qes.SubRevokedNoPOE || !strings.Contains(strings.Join(r.Signatures[0].Warnings, " "), "trusted root") {
		t.Errorf("%s %s, %q", r.Indication, r.SubIndication, r.Signatures[0].Warnings)
	}
}

// TestNewSigner: the server's signer takes the keys that are validated here.
func TestNewSigner(t *testing.T) {
	for _, a := range []qestest.Algorithm{qestest.M257, qestest.P256} {
		k, err := qestest.NewKey(a)
		if err != nil {
			t.Fatal(err)
		}
		if k.DSTU == nil {
			continue
		}
		s, err := qes.NewSigner(k.DSTU)
		if err != nil || s.DigestAlgorithm().OID != spki.OIDGOST34311 {
			t.Errorf("%s: %v", a, err)
		}
	}
	if _, err := qes.NewSigner(nil); err == nil {
		t.Error("no key taken")
	}
}

func TestIsLoginText(t *testing.T) {
	for s, want := range map[string]bool{
		string(challenge):                  true,
		"brama-":                           true,
		"Brama-Document-v9":                true,
		"\ufeff brama-login":               true,
		"\r\n\t\u00a0\u2028\u200bbrama-x":  true,
		strings.Repeat(" ", 5000):          true,
		"":                                 false,
		"   ":                              false,
		"brama":                            false,
		"x brama-login-v1":                 false,
		"%PDF-1.7":                         false,
		"\xff\xfebrama-":                   false,
		strings.Repeat("a", 5000):          false,
		strings.Repeat("\u200b", 5) + "бр": false,
	} {
		if got := qes.IsLoginText([]byte(s)); got != want {
			t.Errorf("%.20q: %v", s, got)
		}
	}
}
