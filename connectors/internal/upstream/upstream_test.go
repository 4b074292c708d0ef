package upstream_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/connectors/internal/upstream"
	"brama/connectors/internal/upstreamtest"
	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/qestest"
)

func code(err error) string {
	var r *connectors.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

func client(t *testing.T) *upstream.Client {
	t.Helper()
	c, err := upstream.NewClient(upstream.Config{Name: "X", BaseURL: "https://x.example", Do: func(context.Context, fetch.Request) (*fetch.Response, error) { return nil, errors.New("asked") }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// verdict is a validator whose answer is fixed, but for the certificate.
type verdict struct{ report *qes.DocumentReport }

func (v verdict) Validate(context.Context, qes.Document) *qes.DocumentReport { return v.report }

// TestOldSignature: a signature that a time-stamp puts at another time than the answer's was made for another answer, and what
// is not passed does not pass, whatever else the validator says.
func TestOldSignature(t *testing.T) {
	a := connectortest.NewAuthority(t)
	seal := a.Person(t, func(r *qestest.Request) { r.Kind, r.Organization, r.EDRPOU = qestest.Seal, "Банк", "10000201" })
	message, now := connectortest.Sign(t, seal, []byte(`{}`), ""), time.Now()
	system, err := upstreamtest.NewSystem(a.Provider, "Банк", "10000201")
	if err != nil {
		t.Fatal(err)
	}
	good := func() *qes.DocumentReport {
		return &qes.DocumentReport{Indication: qes.Passed, Signatures: []qes.SignatureReport{{
			Result: qes.Result{Indication: qes.Passed, Signer: seal.Certificate, CheckedAt: now}, Value: qes.ValueValid, BestTime: now,
		}}}
	}
	if _, err := client(t).Verify(t.Context(), verdict{good()}, message, nil); code(err) != upstream.CodeInvalid {
		t.Errorf("a signature without its content: %v", err)
	}
	attached := attach(t, a, system)
	if s, err := client(t).Verify(t.Context(), verdict{good()}, attached, nil); err != nil || !s.By("10000201", nil) || s.By("10000202", nil) || s.By("", nil) {
		t.Errorf("the good one: %v", err)
	}
	for what, v := range map[string]struct {
		change func(*qes.DocumentReport)
		code   string
	}{
		"stamped an hour ago": {func(r *qes.DocumentReport) { r.Signatures[0].BestTime = now.Add(-time.Hour) }, upstream.CodeInvalid},
		"stamped tomorrow":    {func(r *qes.DocumentReport) { r.Signatures[0].BestTime = now.Add(time.Hour) }, upstream.CodeInvalid},
		"certificate expired since": {func(r *qes.DocumentReport) {
			r.Signatures[0].CheckedAt = seal.Certificate.NotAfter.Add(time.Minute)
			r.Signatures[0].BestTime = r.Signatures[0].CheckedAt
		}, upstream.CodeInvalid},
		"value not checked": {func(r *qes.DocumentReport) { r.Signatures[0].Value = qes.ValueNotChecked }, upstream.CodeInvalid},
		"no signer":         {func(r *qes.DocumentReport) { r.Signatures[0].Signer = nil }, upstream.CodeInvalid},
		"indeterminate":     {func(r *qes.DocumentReport) { r.Indication = qes.Indeterminate }, upstream.CodeInvalid},
		"status unreachable": {func(r *qes.DocumentReport) {
			r.Indication, r.Code = qes.Indeterminate, qes.CertStatusUnreachable
		}, "CERT_STATUS_UNREACHABLE"},
		"list stale":     {func(r *qes.DocumentReport) { r.Indication, r.Code = qes.Indeterminate, qes.TrustListStale }, "TRUST_LIST_STALE"},
		"two signatures": {func(r *qes.DocumentReport) { r.Signatures = append(r.Signatures, r.Signatures[0]) }, upstream.CodeInvalid},
	} {
		report := good()
		v.change(report)
		if _, err := client(t).Verify(t.Context(), verdict{report}, attached, nil); code(err) != v.code {
			t.Errorf("%s: %v, want %s", what, err, v.code)
		}
	}
	if _, err := client(t).Verify(t.Context(), verdict{}, attached, nil); code(err) != upstream.CodeInvalid {
		t.Errorf("no report: %v", err)
	}
}

// attach makes an attached signature, as it comes in an answer.
func attach(t *testing.T, a *connectortest.Authority, s *upstreamtest.System) []byte {
	t.Helper()
	ours := a.Person(t, func(r *qestest.Request) { r.Kind = qestest.Encryption })
	keys, err := upstream.NewKeys([]upstream.Key{{Private: ours.Key.DSTU, Certificate: ours.Certificate.Certificate}})
	if err != nil {
		t.Fatal(err)
	}
	message, _, err := s.Seal([]byte(`{"a":"b"}`), ours.Certificate.Raw, upstreamtest.Form{Signed: true})
	if err != nil {
		t.Fatal(err)
	}
	object, signed, err := keys.Open(message, nil)
	if err != nil || object != nil {
		t.Fatalf("%v, %s", err, object)
	}
	return signed
}

// TestKeyRotation: the certificate that is shown is the newest that is valid, and what was sealed to the one before opens.
func TestKeyRotation(t *testing.T) {
	a := connectortest.NewAuthority(t)
	now := time.Now()
	key := func(algorithm qestest.Algorithm, from, until time.Time) upstream.Key {
		i := a.Person(t, func(r *qestest.Request) {
			r.Kind, r.Algorithm, r.NotBefore, r.NotAfter = qestest.Encryption, algorithm, from, until
		})
		return upstream.Key{Private: i.Key.DSTU, Certificate: i.Certificate.Certificate}
	}
	next := key(qestest.M431, now.AddDate(0, 0, 1), now.AddDate(1, 0, 0))
	current := key(qestest.M257, now.AddDate(0, -1, 0), now.AddDate(0, 1, 0))
	former := key(qestest.M431, now.AddDate(-2, 0, 0), now.AddDate(0, 0, -1))
	stranger := key(qestest.M257, now.AddDate(0, -1, 0), now.AddDate(0, 1, 0))
	keys, err := upstream.NewKeys([]upstream.Key{next, current, former})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := keys.Certificate(now); err != nil || string(b) != string(current.Certificate.Raw) {
		t.Errorf("another certificate is shown, %v", err)
	}
	if _, err := keys.Certificate(now.AddDate(3, 0, 0)); code(err) != upstream.CodeInternal {
		t.Errorf("no certificate is valid: %v", err)
	}
	system, err := upstreamtest.NewSystem(a.Provider, "Система", "10000108")
	if err != nil {
		t.Fatal(err)
	}
	for name, k := range map[string]upstream.Key{"next": next, "current": current, "former": former, "stranger": stranger} {
		for form, f := range map[string]upstreamtest.Form{"ephemeral": {}, "static": {Static: true, Attach: true, ByKeyID: true}, "ctr": {CTR: true, ByKeyID: true}} {
			message, _, err := system.Seal([]byte(`{"a":"b"}`), k.Certificate.Raw, f)
			if err != nil {
				t.Fatal(err)
			}
			object, _, err := keys.Open(message, nil)
			if (err == nil) != (name != "stranger") || err == nil && string(object) != `{"a":"b"}` {
				t.Errorf("%s, %s: %q, %v", name, form, object, err)
			}
		}
	}
}

func TestObject(t *testing.T) {
	o, err := upstream.ParseObject([]byte(`{"a":" x ","n":7,"t":true,"f":false,"no":"N/A","no2":"n\\a","z":null,"l":[1],"b":"bW\nFh"}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": "x", "n": "7", "t": "1", "f": "0", "no": "", "no2": "", "z": "", "l": "", "absent": ""} {
		if got := o.Text(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if b, err := o.Bytes("b"); err != nil || string(b) != "maa" {
		t.Errorf("base64 with a line break: %q, %v", b, err)
	}
	for _, bad := range []string{"", "null", "[]", `"a"`, "7", `{"a":1}{}`, `{"a":1} x`, `{"a":1,"a":1}`, `{"a"}`, "{\"a\":\"\xff\"}", strings.Repeat(`{"a":`, 20000)} {
		if o, err := upstream.ParseObject([]byte(bad)); err == nil || o != nil {
			t.Errorf("%.20q is an object", bad)
		}
	}
}

func TestDate(t *testing.T) {
	for in, want := range map[string]string{"19.02.1982": "1982-02-19", "1982-02-19": "1982-02-19", "": "", "31.02.1982": "!", "19.02.82": "!", "01.01.0001": "!", "вчора": "!"} {
		d, err := upstream.Date(in)
		got := ""
		if err != nil {
			got = "!"
		} else if !d.IsZero() {
			got = d.Format(time.DateOnly)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
