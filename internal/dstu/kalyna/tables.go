package kalyna

import (
	"sync"

	"brama/internal/dstu/internal/spn"
)

// tables join the steps of a round that work on single bytes: eight lookups a column instead of a substitution and a
// matrix. 34 KiB, made once at the first use.
type tables struct {
	enc *spn.Forward
	dec spn.Forward  // [i][x] is ψ⁻¹ · πi⁻¹(x) for a byte x in row i
	inv [4][256]byte // [i][x] is πi⁻¹(x), for the last round
}

var loadTables = sync.OnceValue(func() *tables {
	t := &tables{enc: spn.Tables()}
	for i, s := range spn.Sboxes {
		for x := range 256 {
			t.inv[i][s[x]] = byte(x)
		}
	}
	for i := range 8 {
		for x := range 256 {
			t.dec[i][x] = spn.Column(&spn.MDSInverse, i, t.inv[i%4][x])
		}
	}
	return t
})
