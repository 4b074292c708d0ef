package diia

import (
	"testing"

	"brama/connectors"
	"brama/connectors/diia/diiatest"
)

// BenchmarkPoll is what one question of a waiting page costs here; its state is what a waiting login keeps.
func BenchmarkPoll(b *testing.B) {
	w := newWorld(b, setup{})
	w.press(b)
	b.ReportMetric(float64(len(w.login.State)), "state-octets")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.connector.Advance(b.Context(), w.login, connectors.Event{Via: connectors.ViaPoll}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkForgedNotify is what a notification costs that claims a login and does not know its request.
func BenchmarkForgedNotify(b *testing.B) {
	w := newWorld(b, setup{})
	ev := w.capture(b, w.press(b), diiatest.Approve, "")
	ev.Header.Set(headerTrace, w.login.ID+".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.connector.LoginOf(ev); err != nil {
			b.Fatal(err)
		}
		if _, err := w.connector.Advance(b.Context(), w.login, ev); err == nil {
			b.Fatal("accepted")
		}
	}
}
