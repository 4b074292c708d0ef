package trustlist

import "testing"

// TestTablesBound: however many issuers are in use, their tables stay within the bound and are counted in full.
func TestTablesBound(t *testing.T) {
	s := mustNew(t, realConfig(t))
	for range manyIssued + 1 {
		for _, c := range s.all {
			s.tables.count(c)
		}
	}
	sum, have := 0, 0
	for _, c := range s.all {
		if c.Tabled() {
			have++
			sum += c.Precompute()
		}
	}
	if n := s.tables.octets.Load(); n > maxTables || int(n) != sum || have < 2 {
		t.Errorf("%d issuers with tables of %d octets, counted %d, want at most %d", have, sum, n, maxTables)
	}
}
