package revocation

import (
	"errors"
	"testing"
	"time"

	"brama/internal/qes"
	"brama/internal/qes/qestest"
)

// TestClockSkewStopsLogin: while our clock is more than five minutes off what responders sign for us, no answer is taken, of
// an issuer that says nothing of the time either; and it ends with the fault (T25). The half of it at /readyz is in
// cmd/brama/internal/wiring.
func TestClockSkewStopsLogin(t *testing.T) {
	w := newWorld(t)
	leaf := w.issue(t, qestest.Request{})
	silent := w.issue(t, qestest.Request{Authority: qestest.Second})
	var off time.Duration
	w.OnOCSP(func(a *qestest.Answer) {
		// As of a responder whose clock is right; nextUpdate keeps the answer fresh by any of them.
		a.ProducedAt, a.ThisUpdate, a.NextUpdate = w.now.Add(-off), w.now.Add(-off), w.now.Add(time.Hour)
		if string(a.Serial) == string(silent.Serial) {
			a.Nonce = nil
		}
	})
	for _, test := range []struct {
		off  time.Duration
		want bool
	}{{0, true}, {5 * time.Minute, true}, {5*time.Minute + time.Second, false}, {time.Minute, true}, {24 * time.Hour, false}, {-6 * time.Minute, false}, {0, true}} {
		clock := new(Clock)
		c := w.checker(t, func(c *Config) { c.Clock = clock })
		off = 0
		if _, err := w.check(t, c, leaf); err != nil {
			t.Fatalf("clocks agree: %v", err)
		}
		off = test.off
		if got, err := w.check(t, c, leaf); (err == nil) != test.want || test.want != (got.Status == qes.StatusGood) || (clock.Err(w.Now()) == nil) != test.want {
			t.Errorf("off by %s: %v; the clock says %v", test.off, err, clock.Err(w.Now()))
		}
		off = 0 // the second responder repeats no nonce, so what it says of the time is nothing
		if _, err := w.check(t, c, silent); (err == nil) != test.want || err != nil && !errors.Is(err, ErrClock) {
			t.Errorf("another issuer, off by %s: %v", test.off, err)
		}
		if _, err := w.check(t, c, leaf); err != nil || clock.Err(w.Now()) != nil {
			t.Errorf("mended: %v", err)
		}
	}
}

// One provider with a wrong clock stops its own answers and nobody else's; what was seen is forgotten in time; what was not
// made for us says nothing.
func TestClockOfOneIssuer(t *testing.T) {
	w := newWorld(t)
	right, wrong, second := w.issue(t, qestest.Request{}), w.issue(t, qestest.Request{Authority: qestest.Second}), w.issue(t, qestest.Request{Authority: qestest.Kupyna})
	clock := new(Clock)
	c := w.checker(t, func(c *Config) { c.Clock = clock })
	w.check(t, c, right)
	w.OnOCSP(func(a *qestest.Answer) {
		a.ProducedAt, a.ThisUpdate = w.now.Add(-6*time.Minute), w.now.Add(-6*time.Minute)
	})
	if _, err := w.check(t, c, wrong); !errors.Is(err, ErrClock) {
		t.Errorf("the wrong one: %v", err)
	}
	w.OnOCSP(nil)
	if _, err := w.check(t, c, right); err != nil || clock.Err(w.Now()) != nil {
		t.Errorf("one of two is wrong: %v", err)
	}
	w.OnOCSP(func(a *qestest.Answer) { a.ProducedAt, a.BreakValue = w.now.Add(-time.Hour), true })
	w.check(t, c, right)
	w.check(t, c, second)
	w.OnOCSP(func(a *qestest.Answer) { a.ProducedAt, a.Nonce = w.now.Add(-time.Hour), nil })
	w.check(t, c, right)
	w.check(t, c, second)
	if err := clock.Err(w.Now()); err != nil {
		t.Errorf("of answers that prove nothing: %v", err)
	}
	w.OnOCSP(func(a *qestest.Answer) { a.ProducedAt = w.now.Add(-6 * time.Minute) })
	w.check(t, c, second)
	if err := clock.Err(w.Now()); !errors.Is(err, ErrClock) {
		t.Errorf("two of three are wrong: %v", err)
	}
	w.advance(clockMemory + time.Second)
	if err := clock.Err(w.Now()); err != nil {
		t.Errorf("long after: %v", err)
	}
}
