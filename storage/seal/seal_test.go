package seal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

func testKey(b byte) []byte { return bytes.Repeat([]byte{b}, KeySize) }

func newSealer(t *testing.T, keys ...[]byte) *Sealer {
	t.Helper()
	s, err := New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The two examples of the XAES-256-GCM specification (C2SP).
func TestSpecificationVectors(t *testing.T) {
	for _, v := range []struct {
		key            byte
		aad, wantSuffi string
	}{
		{1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
	} {
		s := newSealer(t, testKey(v.key))
		nonce := []byte("ABCDEFGHIJKLMNOPQRSTUVWX")
		a, err := s.keys[0].aead(nonce)
		if err != nil {
			t.Fatal(err)
		}
		got := hex.EncodeToString(a.Seal(nil, nonce[12:], []byte("XAES-256-GCM"), []byte(v.aad)))
		if got != v.wantSuffi {
			t.Errorf("key %d: got %s, want %s", v.key, got, v.wantSuffi)
		}
	}
}

func TestPurposeBinds(t *testing.T) {
	s := newSealer(t, testKey(1))
	sealed := s.Seal("login", []byte("value"))
	if got, err := s.Open("login", sealed); err != nil || string(got) != "value" {
		t.Fatalf("Open = %q, %v", got, err)
	}
	if _, err := s.Open("logout", sealed); !errors.Is(err, ErrOpen) {
		t.Errorf("another purpose: %v, want ErrOpen", err)
	}
}

func TestEveryBitCounts(t *testing.T) {
	s := newSealer(t, testKey(1))
	sealed := s.Seal("p", []byte("value"))
	for i := range sealed {
		for bit := range 8 {
			m := bytes.Clone(sealed)
			m[i] ^= 1 << bit
			if _, err := s.Open("p", m); !errors.Is(err, ErrOpen) {
				t.Fatalf("byte %d bit %d changed: %v, want ErrOpen", i, bit, err)
			}
		}
	}
	for i := range sealed {
		if _, err := s.Open("p", sealed[:i]); !errors.Is(err, ErrOpen) {
			t.Fatalf("cut to %d bytes: %v, want ErrOpen", i, err)
		}
	}
}

// One value has one text: another spelling of it would not be found among those that were revoked.
func TestOneText(t *testing.T) {
	s := newSealer(t, testKey(1))
	text := s.SealText("p", []byte("value"))
	if got, err := s.OpenText("p", text); err != nil || string(got) != "value" {
		t.Fatalf("OpenText = %q, %v", got, err)
	}
	for _, other := range []string{text + "\n", "\r\n" + text, text[:9] + "\n" + text[9:], text + "=", text + " "} {
		if _, err := s.OpenText("p", other); !errors.Is(err, ErrOpen) {
			t.Errorf("%q opens: %v", other, err)
		}
	}
	for c := range 128 {
		last := text[:len(text)-1] + string(rune(c))
		if _, err := s.OpenText("p", last); err == nil && last != text {
			t.Errorf("%q opens as %q", last, text)
		}
	}
}

func TestRotation(t *testing.T) {
	old := newSealer(t, testKey(1))
	sealed := old.Seal("p", []byte("value"))
	both := newSealer(t, testKey(2), testKey(1))
	if got, err := both.Open("p", sealed); err != nil || string(got) != "value" {
		t.Errorf("old value under both keys: %q, %v", got, err)
	}
	if _, err := old.Open("p", both.Seal("p", nil)); !errors.Is(err, ErrOpen) {
		t.Errorf("new value under the old key: %v, want ErrOpen", err)
	}
	if _, err := newSealer(t, testKey(2)).Open("p", sealed); !errors.Is(err, ErrOpen) {
		t.Errorf("old value after its key is gone: %v, want ErrOpen", err)
	}
}

func TestKeySizes(t *testing.T) {
	if _, err := New(); err == nil {
		t.Error("no key accepted")
	}
	if _, err := New(testKey(1)[:31]); err == nil {
		t.Error("short key accepted")
	}
}

func FuzzOpenText(f *testing.F) {
	s, _ := New(testKey(1))
	f.Add(s.SealText("p", []byte("value")))
	f.Add("")
	good := s.SealText("p", []byte("value"))
	f.Fuzz(func(t *testing.T, text string) {
		got, err := s.OpenText("p", text)
		if err != nil {
			if got != nil {
				t.Fatal("value beside an error")
			}
			return
		}
		if text != good && string(got) != "value" {
			t.Fatalf("opened %q", text)
		}
	})
}
