package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
)

// A publicKey is a JSON Web Key that cannot hold a private half: it has no field for one. The set that is published is
// made of these only.
type publicKey struct {
	KeyType   string `json:"kty"`
	KeyID     string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
	N         string `json:"n,omitempty"`
	E         string `json:"e,omitempty"`
}

var errUnfit = errors.New("keys: key does not fit its algorithm")

func describe(public crypto.PublicKey, alg string) (publicKey, error) {
	p := publicKey{Use: "sig", Algorithm: alg}
	b64 := base64.RawURLEncoding.EncodeToString
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		if alg != ES256 || k.Curve != elliptic.P256() {
			return publicKey{}, errUnfit
		}
		point, err := k.Bytes() // 04 ‖ x ‖ y
		if err != nil || len(point) != 1+2*coordinate {
			return publicKey{}, errUnfit
		}
		p.KeyType, p.Curve, p.X, p.Y = "EC", "P-256", b64(point[1:1+coordinate]), b64(point[1+coordinate:])
	case *rsa.PublicKey:
		if alg != RS256 && alg != PS256 || k.N.BitLen() < rsaBits {
			return publicKey{}, errUnfit
		}
		p.KeyType, p.N, p.E = "RSA", b64(k.N.Bytes()), b64(big.NewInt(int64(k.E)).Bytes())
	case ed25519.PublicKey:
		if alg != EdDSA || len(k) != ed25519.PublicKeySize {
			return publicKey{}, errUnfit
		}
		p.KeyType, p.Curve, p.X = "OKP", "Ed25519", b64(k) // RFC 8037, 2
	default:
		return publicKey{}, errUnfit
	}
	p.KeyID = p.thumbprint()
	return p, nil
}

// thumbprint is the key id: the JWK thumbprint (RFC 7638; RFC 8037, appendix A.3), SHA-256 over the required members in
// order of their names.
func (p publicKey) thumbprint() string {
	var members any
	switch p.KeyType {
	case "EC":
		members = struct {
			Crv string `json:"crv"`
			Kty string `json:"kty"`
			X   string `json:"x"`
			Y   string `json:"y"`
		}{p.Curve, p.KeyType, p.X, p.Y}
	case "OKP":
		members = struct {
			Crv string `json:"crv"`
			Kty string `json:"kty"`
			X   string `json:"x"`
		}{p.Curve, p.KeyType, p.X}
	default:
		members = struct {
			E   string `json:"e"`
			Kty string `json:"kty"`
			N   string `json:"n"`
		}{p.E, p.KeyType, p.N}
	}
	text, err := json.Marshal(members)
	if err != nil {
		panic("keys: internal error: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
