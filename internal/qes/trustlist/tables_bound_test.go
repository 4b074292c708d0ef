package trustlist

import (
	"runtime"
	"testing"
)

// TestTablesBound: however many issuers are in use, their tables stay within the bound, which is what they take.
func TestTablesBound(t *testing.T) {
	s := mustNew(t, realConfig(t))
	curves := make(map[string]bool)
	for _, c := range s.all { // the tables of a curve itself are made once and by others
		if name := c.Curve(); c.PublicKey.DSTU != nil && !curves[name] {
			curves[name] = true
			c.PublicKey.DSTU.Precompute().Verify(make([]byte, 32), make([]byte, c.PublicKey.DSTU.Curve().SignatureSize()))
		}
	}
	before := heap()
	for range manyIssued + 1 {
		for _, c := range s.all {
			s.tables.count(c)
		}
	}
	counted, taken := s.tables.octets.Load(), heap()-before
	if counted > maxTables || counted < maxTables/2 || taken > counted+counted/8 || taken < counted-counted/8 {
		t.Errorf("tables take %d octets, counted %d, want at most %d", taken, counted, maxTables)
	}
	runtime.KeepAlive(s)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
