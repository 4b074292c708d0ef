package session

import "testing"

func BenchmarkStepMAC(b *testing.B) {
	s, err := NewSealer(nil, secret(1))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.StepMAC("0123456789012345678901", 3, "confirm")
	}
}
