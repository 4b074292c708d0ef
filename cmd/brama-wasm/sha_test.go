//go:build !js

package main

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"testing"
)

func TestSHA(t *testing.T) {
	data := make([]byte, 300)
	for i := range data {
		data[i] = byte(i * 7)
		one, two := sha1.Sum(data[:i]), sha256.Sum256(data[:i])
		if got := sha1Sum(data[:i]); !bytes.Equal(got, one[:]) {
			t.Fatalf("SHA-1 of %d octets: %x, want %x", i, got, one)
		}
		if got := sha256Sum(data[:i]); !bytes.Equal(got, two[:]) {
			t.Fatalf("SHA-256 of %d octets: %x, want %x", i, got, two)
		}
	}
}
