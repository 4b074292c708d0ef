package cms

import (
	"bytes"
	"reflect"
	"testing"

	"brama/internal/der"
	"brama/internal/vectors"
)

// ber writes an element in BER as streaming programs do: every length indefinite, octet strings in segments of n octets.
func ber(t *testing.T, element []byte, n int) []byte {
	t.Helper()
	v, err := der.Parse(element)
	if err != nil {
		t.Fatal(err)
	}
	end := []byte{0, 0}
	switch {
	case v.Tag.IsConstructed():
		out := []byte{byte(v.Tag), 0x80}
		for r := v.Reader(); r.More(); {
			out = append(out, ber(t, r.Next().Full, n)...)
		}
		return append(out, end...)
	case v.Tag == der.OctetString && len(v.Bytes) > n:
		out := []byte{byte(v.Tag) | 0x20, 0x80}
		for rest := v.Bytes; len(rest) > 0; {
			cut := min(n, len(rest))
			out = append(out, der.EncodeOctetString(rest[:cut])...)
			rest = rest[cut:]
		}
		return append(out, end...)
	}
	return v.Full
}

// TestStreamed: a message that a program wrote as a stream is the same message, octet for octet in all that is signed.
func TestStreamed(t *testing.T) {
	seen := 0
	for _, file := range vectors.Glob(t, "cms/*.p7s") {
		b := vectors.Read(t, "cms/"+file[bytes.LastIndexByte([]byte(file), '/')+1:])
		if der.Valid(b) != nil {
			continue // in BER already
		}
		want, err := Parse(b, DocumentLimits)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, n := range []int{1 << 20, 1000, 7} {
			streamed := ber(t, b, n)
			if bytes.Equal(streamed, b) {
				t.Fatalf("%s: nothing was changed", file)
			}
			got, err := Parse(streamed, DocumentLimits)
			if err != nil {
				t.Errorf("%s in segments of %d: %v", file, n, err)
			} else if !reflect.DeepEqual(got, want) {
				t.Errorf("%s in segments of %d: reads otherwise", file, n)
			}
		}
		seen++
	}
	if seen < 10 {
		t.Errorf("%d messages", seen)
	}
}
