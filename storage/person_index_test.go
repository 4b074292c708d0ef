package storage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
)

type openSealer struct{}

func (openSealer) Seal(_ string, b []byte) []byte          { return b }
func (openSealer) Open(_ string, b []byte) ([]byte, error) { return b, nil }

// TestIndexName: the name of an identifier is the HMAC of its parts, each with its length, however many came before it; and
// parts do not run into one another (threat T28).
func TestIndexName(t *testing.T) {
	key := []byte(strings.Repeat("k", 32))
	v, err := NewVault(openSealer{}, key)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]Identifier{}
	for _, i := range []Identifier{
		{"RNOKPP", "UA", "1234567899"}, {"RNOKPP", "UA", "1234567898"}, {"RNOKP", "PUA", "1234567899"}, {"", "", "RNOKPPUA1234567899"}, {},
		{"TIN", "PL", strings.Repeat("1", 300)},
	} {
		m := hmac.New(sha256.New, key)
		for _, part := range []string{i.Type, i.Country, i.Value} {
			m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
			m.Write([]byte(part))
		}
		want := hex.EncodeToString(m.Sum(nil))
		for range 2 {
			if got := v.indexID(i); got != want {
				t.Errorf("%v: %s, want %s", i, got, want)
			}
		}
		if other, ok := seen[want]; ok {
			t.Errorf("%v and %v have one name", i, other)
		}
		seen[want] = i
	}
}
