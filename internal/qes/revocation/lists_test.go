package revocation

import (
	"context"
	"errors"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/qestest"
)

// Whatever is wrong with the responder, Good needs a CRL inside its own freshness.
func TestOCSPDown(t *testing.T) {
	down := func(t *testing.T, change func(*qestest.List)) (*world, *Checker) {
		w := newWorld(t)
		w.SetDown(qestest.ServiceOCSP, true)
		w.OnCRL(change)
		return w, w.checker(t)
	}
	t.Run("noCRL", func(t *testing.T) {
		w, c := down(t, nil)
		w.SetDown(qestest.ServiceCRL, true)
		if _, err := w.check(t, c, w.issue(t, qestest.Request{})); err == nil {
			t.Error("got a status")
		}
	})
	t.Run("staleCRL", func(t *testing.T) {
		for name, change := range map[string]func(*world, *qestest.List){
			"nextUpdate past": func(w *world, l *qestest.List) { l.NextUpdate = w.Now().Add(-time.Second) },
			"no nextUpdate":   func(_ *world, l *qestest.List) { l.NextUpdate = time.Time{} },
			"two days old, no delta": func(w *world, l *qestest.List) {
				l.ThisUpdate, l.Freshest = w.Now().Add(-48*time.Hour), ""
			},
			"of the future": func(w *world, l *qestest.List) { l.ThisUpdate = w.Now().Add(time.Hour) },
		} {
			var w *world
			w, c := down(t, func(l *qestest.List) { change(w, l) })
			if _, err := w.check(t, c, w.issue(t, qestest.Request{})); !errors.Is(err, ErrNotFresh) {
				t.Errorf("%s: got %v, want ErrNotFresh", name, err)
			}
		}
	})
	t.Run("freshCRL", func(t *testing.T) {
		w, c := down(t, nil)
		for status, want := range map[qestest.Status]qes.RevocationStatus{
			qestest.Good: qes.StatusGood, qestest.Revoked: qes.StatusRevoked, qestest.Suspended: qes.StatusSuspended,
		} {
			leaf := w.issue(t, qestest.Request{Status: status})
			w.advance(recheck)
			got, err := w.check(t, c, leaf)
			if err != nil || got.Status != want || got.Source != "crl" {
				t.Errorf("got %v from %q, %v, want %v", got.Status, got.Source, err, want)
			}
			if judged, err := JudgeCRL(got.Evidence, leaf, w.issuer(t, leaf).Certificate, w.Now()); err == nil && judged.Status != want {
				t.Errorf("judged %v, %v, want %v", judged.Status, err, want)
			}
		}
	})
	t.Run("garbage", func(t *testing.T) {
		w, c := down(t, nil)
		w.SetFault(qestest.ServiceOCSP, qestest.Fault{Garbage: true})
		if _, err := w.check(t, c, w.issue(t, qestest.Request{})); !errors.Is(err, ErrMalformed) {
			t.Errorf("got %v, want ErrMalformed", err)
		}
	})
	t.Run("slow", func(t *testing.T) {
		w, _ := down(t, nil)
		w.SetFault(qestest.ServiceOCSP, qestest.Fault{Delay: time.Minute})
		w.SetDown(qestest.ServiceCRL, true)
		c := w.checker(t, func(c *Config) { c.Timeout = 100 * time.Millisecond })
		start := time.Now()
		if _, err := w.check(t, c, w.issue(t, qestest.Request{})); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a deadline", err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("took %s", d)
		}
	})
}

func TestCRLRefusals(t *testing.T) {
	issuingPoint := func(content []byte) [][]byte {
		return [][]byte{der.EncodeSequence(der.EncodeOID(oidIssuingPoint), der.EncodeBoolean(true), der.EncodeOctetString(der.EncodeSequence(content)))}
	}
	yes := []byte{0xff}
	for name, test := range map[string]struct {
		change func(*qestest.List)
		want   error
	}{
		"TestDeltaAloneIsIndeterminate": {func(l *qestest.List) { l.Delta = true }, ErrScope},
		"other CA's key":                {func(l *qestest.List) { l.Signer = qestest.Second }, ErrResponder},
		"other CA's name":               {func(l *qestest.List) { l.Issuer = qestest.Second }, ErrScope},
		"broken signature":              {func(l *qestest.List) { l.BreakValue = true }, ErrResponder},
		"only CA certificates":          {func(l *qestest.List) { l.Extensions = issuingPoint(der.Element(der.Context(2), yes)) }, ErrScope},
		"some reasons":                  {func(l *qestest.List) { l.Extensions = issuingPoint(der.Element(der.Context(3), []byte{1, 0x40})) }, ErrScope},
		"indirect":                      {func(l *qestest.List) { l.Extensions = issuingPoint(der.Element(der.Context(4), yes)) }, ErrScope},
		"attribute certificates":        {func(l *qestest.List) { l.Extensions = issuingPoint(der.Element(der.Context(5), yes)) }, ErrScope},
		"another part": {func(l *qestest.List) {
			point := der.Element(der.Constructed(0), der.EncodeString(der.Context(6), "http://127.0.0.1/part2.crl"))
			l.Extensions = issuingPoint(der.Element(der.Constructed(0), point))
		}, ErrScope},
		"unknown critical extension": {func(l *qestest.List) {
			l.Extensions = [][]byte{der.EncodeSequence(der.EncodeOID(der.NewOID("1.3.6.1.4.1.99999.2")), der.EncodeBoolean(true), der.EncodeOctetString(nil))}
		}, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.SetDown(qestest.ServiceOCSP, true)
			w.OnCRL(test.change)
			if _, err := w.check(t, w.checker(t), w.issue(t, qestest.Request{})); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestDeltaWithItsBase(t *testing.T) {
	w := newWorld(t)
	w.SetDown(qestest.ServiceOCSP, true)
	revoked := w.issue(t, qestest.Request{Status: qestest.Revoked})
	held := w.issue(t, qestest.Request{Status: qestest.Suspended})
	good := w.issue(t, qestest.Request{})
	setup := func(change func(*qestest.List)) {
		w.OnCRL(func(l *qestest.List) {
			if !l.Delta { // three days old: of use only with a delta
				l.ThisUpdate, l.Number = w.Now().Add(-72*time.Hour), 10
				l.Entries = []qestest.ListEntry{{Serial: held.Serial, Since: w.Now(), Reason: 6}}
				return
			}
			l.Number, l.Base = 15, 10
			l.Entries = []qestest.ListEntry{{Serial: revoked.Serial, Since: w.Now(), Reason: 1}, {Serial: held.Serial, Since: w.Now(), Reason: reasonRemove}}
			if change != nil {
				change(l)
			}
		})
	}
	setup(nil)
	for leaf, want := range map[*cert.Certificate]qes.RevocationStatus{
		revoked: qes.StatusRevoked, held: qes.StatusGood, good: qes.StatusGood,
	} {
		if got, err := w.check(t, w.checker(t), leaf); err != nil || got.Status != want {
			t.Errorf("got %v, %v, want %v", got.Status, err, want)
		}
	}
	for name, change := range map[string]func(*qestest.List){
		"of a later base":   func(l *qestest.List) { l.Base = 11 },
		"older than base":   func(l *qestest.List) { l.Number = 9; l.Base = 8 },
		"past nextUpdate":   func(l *qestest.List) { l.NextUpdate = w.Now().Add(-time.Second) },
		"by another CA":     func(l *qestest.List) { l.Signer = qestest.Second },
		"not a delta":       func(l *qestest.List) { l.Delta = false },
		"too old in itself": func(l *qestest.List) { l.ThisUpdate = w.Now().Add(-25 * time.Hour) },
	} {
		setup(change)
		if got, err := w.check(t, w.checker(t), good); err == nil {
			t.Errorf("%s: got %v, want unavailable", name, got.Status)
		}
	}
}

func TestCRLNumberNeverFalls(t *testing.T) {
	w := newWorld(t)
	w.SetDown(qestest.ServiceOCSP, true)
	leaf := w.issue(t, qestest.Request{})
	c := w.checker(t)
	number := 20
	w.OnCRL(func(l *qestest.List) { l.Number, l.Freshest = number, "" })
	if _, err := w.check(t, c, leaf); err != nil {
		t.Fatal(err)
	}
	number = 19
	w.advance(recheck)
	if _, err := w.check(t, c, leaf); !errors.Is(err, ErrNotFresh) {
		t.Errorf("got %v, want ErrNotFresh", err)
	}
	number = 21
	w.advance(time.Minute)
	if _, err := w.check(t, c, leaf); err != nil {
		t.Errorf("a later one: %v", err)
	}
}
