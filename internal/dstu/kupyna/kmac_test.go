package kupyna

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"testing"

	"brama/internal/vectors"
)

func TestKMACVectors(t *testing.T) {
	var file struct {
		Vectors []struct{ ID, Type, Key, Message, MAC string }
	}
	if err := json.Unmarshal(vectors.Read(t, "algo/kupyna.json"), &file); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, v := range file.Vectors {
		if v.Type != "kmac" {
			continue
		}
		ran++
		key, err := hex.DecodeString(v.Key)
		if err != nil {
			t.Fatal(err)
		}
		message, err := hex.DecodeString(v.Message)
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewKMAC(key)
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range []int{len(message), 1, 13} {
			m.Reset()
			for rest := message; len(rest) > 0; rest = rest[min(piece, len(rest)):] {
				m.Write(rest[:min(piece, len(rest))])
				m.Sum(nil)
			}
			if got := hex.EncodeToString(m.Sum(nil)); got != v.MAC {
				t.Errorf("%s in pieces of %d: got %s, want %s", v.ID, piece, got, v.MAC)
			}
		}
		if m.Size() != len(key) {
			t.Errorf("%s: size %d", v.ID, m.Size())
		}
	}
	if ran < 4 {
		t.Fatalf("only %d vectors ran", ran)
	}
}

// TestKMACTwin writes the three parts out and hashes them as one message, at every length around the blocks.
func TestKMACTwin(t *testing.T) {
	padded := func(b []byte, block int) []byte {
		out := append(bytes.Clone(b), 0x80)
		for (len(out)+12)%block != 0 {
			out = append(out, 0)
		}
		n := len(b) * 8
		return append(out, byte(n), byte(n>>8), byte(n>>16), 0, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	for _, size := range []int{32, 48, 64} {
		h := newOf(8 * size)
		key := bytes.Repeat([]byte{0x5a}, size)
		for n := range 3 * h.BlockSize() {
			message := bytes.Repeat([]byte{byte(n)}, n)
			h.Reset()
			h.Write(padded(key, h.BlockSize()))
			h.Write(padded(message, h.BlockSize()))
			h.Write(bytes.Repeat([]byte{0xa5}, size))
			m, err := NewKMAC(key)
			if err != nil {
				t.Fatal(err)
			}
			m.Write(message)
			if got, want := m.Sum(nil), h.Sum(nil); !bytes.Equal(got, want) {
				t.Fatalf("%d bytes of message: got %x, want %x", n, got, want)
			}
		}
	}
	for _, n := range []int{0, 31, 33, 47, 65} {
		if _, err := NewKMAC(make([]byte, n)); err != ErrKeySize {
			t.Errorf("key of %d bytes: %v", n, err)
		}
	}
}
