package der

import (
	"os"
	"regexp"
	"testing"
)

// TestUsual: every usual identifier is itself, as its comment has it, and reading it allocates nothing.
func TestUsual(t *testing.T) {
	source, err := os.ReadFile("usual.go")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`: // ([0-9.]+)\n`).FindAllSubmatch(source, -1)
	if len(rows) < 50 {
		t.Fatalf("%d identifiers", len(rows))
	}
	for _, row := range rows {
		want := NewOID(string(row[1]))
		b := EncodeOID(want)
		var got OID
		if n := testing.AllocsPerRun(10, func() { got = (&Reader{rest: b}).OID() }); got != want || n != 0 || usual(b[2:]) != want {
			t.Errorf("%s is read as %s with %v allocations", want, got, n)
		}
	}
	if got := usual([]byte{0x55, 0x04}); got != "" {
		t.Errorf("an identifier that is not usual is %s", got)
	}
}
