package provider

import (
	"testing"
	"time"
)

// TestLimiter: one address has its burst and then one request in half a second; others and loopback are not touched.
func TestLimiter(t *testing.T) {
	now := time.Now()
	l := newLimiter(func() time.Time { return now })
	for i := range limitBurst {
		if !l.allow("203.0.113.7:1234") {
			t.Fatalf("request %d is refused", i)
		}
	}
	if l.allow("203.0.113.7:9999") {
		t.Error("a flood is let through")
	}
	for _, other := range []string{"203.0.113.8:1", "127.0.0.1:1", "[::1]:1", "[2001:db8::1]:1", "pipe"} {
		if !l.allow(other) {
			t.Errorf("%s is refused", other)
		}
	}
	now = now.Add(limitRefill)
	if !l.allow("203.0.113.7:1") || l.allow("203.0.113.7:1") {
		t.Error("half a second gives one request back, not more")
	}
	// One subscriber's /64 is one address.
	for range limitBurst {
		l.allow("[2001:db8::2]:1")
	}
	if l.allow("[2001:db8:0:0:ffff::9]:1") {
		t.Error("a /64 counts as many")
	}
	now = now.Add(time.Hour)
	l.allow("203.0.113.9:1")
	if len(l.buckets) != 1 {
		t.Errorf("%d buckets are kept", len(l.buckets))
	}
	for range 32 {
		l.allow("127.0.0.1:1")
	}
	if len(l.buckets) != 1 {
		t.Error("loopback is counted")
	}
}
