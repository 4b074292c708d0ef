package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// verifies reports whether verifier is that of an S256 challenge (RFC 7636, 4.6).
func verifies(verifier, challenge string) bool {
	if len(verifier) < 43 || len(verifier) > 128 || !onlyUnreserved(verifier) {
		return false
	}
	var text [128]byte
	sum := sha256.Sum256(append(text[:0], verifier...))
	return subtle.ConstantTimeCompare(base64.RawURLEncoding.AppendEncode(text[:0], sum[:]), []byte(challenge)) == 1
}

// validChallenge reports whether challenge can be the S256 of something: 32 bytes in base64url (RFC 7636, 4.2).
func validChallenge(challenge string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(challenge)
	return err == nil && len(raw) == sha256.Size && len(challenge) == 43
}

func onlyUnreserved(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("-._~", r)
	})
}
