package wiring

import "testing"

// Only what nobody can write is given back: what was written in the others would be lost.
func TestUnwritten(t *testing.T) {
	for line, want := range map[string]bool{
		"00400000-00c00000 r-xp 00000000 fe:00 123                                /usr/bin/brama\n":          true,
		"00c00000-01c00000 r--p 00800000 fe:00 123                                /usr/bin/brama\n":          true,
		"01c00000-01d00000 rw-p 01800000 fe:00 123                                /usr/bin/brama\n":          false,
		"01c00000-01d00000 r--p 01800000 fe:00 123                                /usr/bin/brama-agent\n":    false,
		"01d00000-01d40000 r--p 00000000 00:00 0 \n":                                                         false,
		"7f0000000000-7f0000001000 r--s 00000000 fe:00 124                        /var/lib/brama/brama.db\n": false,
		"01d00000-00d40000 r--p 00000000 fe:00 123                                /usr/bin/brama\n":          false,
		"": false, "x": false,
	} {
		if _, _, ok := unwritten(line, "/usr/bin/brama"); ok != want {
			t.Errorf("%q: %v", line, ok)
		}
	}
}
