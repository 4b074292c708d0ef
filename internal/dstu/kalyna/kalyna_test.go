package kalyna

import (
	"bytes"
	"crypto/cipher"
	"encoding/hex"
	"encoding/json"
	"testing"

	"brama/internal/vectors"
)

var (
	_ cipher.Block  = (*Cipher)(nil)
	_ cipher.Stream = (*Stream)(nil)
	_ cipher.AEAD   = (*GCM)(nil)
)

type hexBytes []byte

func (h *hexBytes) UnmarshalText(b []byte) error {
	d, err := hex.DecodeString(string(b))
	*h = d
	return err
}

type vector struct {
	ID, Mode                string
	BlockBits               int `json:"block_bits"`
	MACBits                 int `json:"mac_bits"`
	Key, IV, Plaintext, AAD hexBytes
	Ciphertext, Wrapped     hexBytes
	Message, MAC            hexBytes
	FeedbackBytes           int `json:"feedback_bytes"`
}

func readVectors(t testing.TB) []vector {
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(vectors.Read(t, "algo/kalyna.json"), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	return file.Vectors
}

func mustCipher(t testing.TB, key []byte, block int) *Cipher {
	t.Helper()
	c, err := NewCipher(key, block)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func check(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got %x, want %x", what, got, want)
	}
}

func TestVectors(t *testing.T) {
	modes := map[string]int{}
	for _, v := range readVectors(t) {
		modes[v.Mode]++
		t.Run(v.ID, func(t *testing.T) { testVector(t, v) })
	}
	for _, mode := range []string{"ecb", "cbc", "cfb", "ctr", "ofb", "cmac", "gmac", "gcm", "xts", "kw"} {
		if modes[mode] == 0 {
			t.Errorf("no vector of %s", mode)
		}
	}
}

func testVector(t *testing.T, v vector) {
	c := mustCipher(t, v.Key, v.BlockBits/8)
	stream := func(of func(*Cipher, []byte) (*Stream, error)) {
		for _, way := range []struct {
			what     string
			in, want []byte
		}{{"encrypt", v.Plaintext, v.Ciphertext}, {"decrypt", v.Ciphertext, v.Plaintext}} {
			for piece := 1; piece <= len(way.in); piece++ {
				s, err := of(c, v.IV)
				if err != nil {
					t.Fatal(err)
				}
				got := bytes.Clone(way.in)
				for i := 0; i < len(got); i += piece {
					p := got[i:min(i+piece, len(got))]
					s.XORKeyStream(p, p)
				}
				check(t, way.what, got, way.want)
			}
		}
	}
	got := make([]byte, len(v.Plaintext))
	switch v.Mode {
	case "ecb":
		c.Encrypt(got, v.Plaintext)
		check(t, "encrypt", got, v.Ciphertext)
		c.Decrypt(got, v.Ciphertext)
		check(t, "decrypt", got, v.Plaintext)
	case "cbc":
		cipher.NewCBCEncrypter(c, v.IV).CryptBlocks(got, v.Plaintext)
		check(t, "encrypt", got, v.Ciphertext)
		cipher.NewCBCDecrypter(c, v.IV).CryptBlocks(got, got)
		check(t, "decrypt", got, v.Plaintext)
	case "ctr":
		stream(NewCTR)
	case "ofb":
		stream(NewOFB)
	case "cfb":
		if v.FeedbackBytes != c.BlockSize() {
			t.Fatalf("feedback of %d bytes", v.FeedbackBytes)
		}
		if err := EncryptCFB(c, got, v.Plaintext, v.IV); err != nil {
			t.Fatal(err)
		}
		check(t, "encrypt", got, v.Ciphertext)
		if err := DecryptCFB(c, got, got, v.IV); err != nil {
			t.Fatal(err)
		}
		check(t, "decrypt", got, v.Plaintext)
	case "cmac", "gmac":
		of := NewCMAC
		if v.Mode == "gmac" {
			of = NewGMAC
		}
		for piece := 1; piece <= len(v.Message); piece++ {
			m, err := of(c, v.MACBits/8)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(v.Message); i += piece {
				m.Write(v.Message[i:min(i+piece, len(v.Message))])
			}
			check(t, "tag", m.Sum(nil), v.MAC)
			m.Reset()
			m.Write(v.Message)
			check(t, "tag again", m.Sum(nil), v.MAC)
		}
	case "gcm":
		a, err := NewGCM(c, v.MACBits/8)
		if err != nil {
			t.Fatal(err)
		}
		sealed := a.Seal(nil, v.IV, v.Plaintext, v.AAD)
		check(t, "seal", sealed, append(bytes.Clone(v.Ciphertext), v.MAC...))
		opened, err := a.Open(nil, v.IV, sealed, v.AAD)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "open", opened, v.Plaintext)
		for i := range sealed {
			sealed[i] ^= 4
			if opened, err := a.Open(nil, v.IV, sealed, v.AAD); err == nil || opened != nil {
				t.Errorf("byte %d changed, and it opened", i)
			}
			sealed[i] ^= 4
		}
	case "xts":
		x := NewXTS(c)
		if err := x.Encrypt(got, v.Plaintext, v.IV); err != nil {
			t.Fatal(err)
		}
		check(t, "encrypt", got, v.Ciphertext)
		if err := x.Decrypt(got, got, v.IV); err != nil {
			t.Fatal(err)
		}
		check(t, "decrypt", got, v.Plaintext)
	case "kw":
		wrapped, err := WrapKW(c, v.Plaintext)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "wrap", wrapped, v.Wrapped)
		back, err := UnwrapKW(c, wrapped, len(v.Plaintext))
		if err != nil {
			t.Fatal(err)
		}
		check(t, "unwrap", back, v.Plaintext)
		for i := range wrapped {
			wrapped[i] ^= 0x10
			if _, err := UnwrapKW(c, wrapped, len(v.Plaintext)); err != ErrKeyWrap {
				t.Errorf("byte %d changed: %v", i, err)
			}
			wrapped[i] ^= 0x10
		}
	default:
		t.Fatalf("mode %q is not known", v.Mode)
	}
}
