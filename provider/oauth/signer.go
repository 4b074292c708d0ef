package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ory/fosite/token/jwt"

	"brama/provider/keys"
)

// A signer is fosite's jwt.Signer over our keys. fosite's own knows one key and speaks go-jose v3.
type signer struct {
	keys *keys.Keys
}

var _ jwt.Signer = (*signer)(nil)

// Generate signs claims with the active key of the algorithm that header names.
func (s *signer) Generate(_ context.Context, claims jwt.MapClaims, header jwt.Mapper) (string, string, error) {
	alg, ok := header.Get("alg").(string)
	if !ok {
		return "", "", keys.ErrAlgorithm
	}
	delete(claims, "rat") // when the request came in: fosite's own, nobody's business
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", "", fmt.Errorf("oauth: encoding claims: %w", err)
	}
	token, err := s.keys.Sign(alg, payload)
	if err != nil {
		return "", "", err
	}
	return token, token[strings.LastIndexByte(token, '.')+1:], nil
}

// Validate implements jwt.Signer.
func (s *signer) Validate(ctx context.Context, token string) (string, error) {
	if _, err := s.Decode(ctx, token); err != nil {
		return "", err
	}
	return s.GetSignature(ctx, token)
}

// Decode verifies token under any published key and returns its claims if their times are good.
func (s *signer) Decode(_ context.Context, token string) (*jwt.Token, error) {
	payload, err := s.keys.Verify(token)
	if err != nil {
		return nil, &jwt.ValidationError{Errors: jwt.ValidationErrorSignatureInvalid, Inner: err}
	}
	claims := jwt.MapClaims{}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, &jwt.ValidationError{Errors: jwt.ValidationErrorMalformed, Inner: err}
	}
	t := &jwt.Token{Header: map[string]any{}, Claims: claims}
	return t, claims.Valid()
}

// GetSignature implements jwt.Signer.
func (s *signer) GetSignature(_ context.Context, token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", errors.New("oauth: not a signed token")
	}
	return parts[2], nil
}

// Hash implements jwt.Signer.
func (s *signer) Hash(_ context.Context, in []byte) ([]byte, error) {
	sum := sha256.Sum256(in)
	return sum[:], nil
}

// GetSigningMethodLength implements jwt.Signer: bytes of the hash of both our algorithms.
func (s *signer) GetSigningMethodLength(context.Context) int { return sha256.Size }
