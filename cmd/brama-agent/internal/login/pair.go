package login

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // a name of a key in the search, by RFC 5280 4.2.1.2; nothing rests on it
	"fmt"
	"math/big"

	"brama/cmd/brama-agent/internal/window"
	"brama/cmd/brama-agent/internal/words"
	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost34311"
	"brama/internal/dstu/kupyna"
	"brama/internal/pkcs11"
	"brama/internal/qes/cert"
)

// A pair is a certificate and the place of its private key in the token's list.
type pair struct {
	certificate *cert.Certificate
	key         int
	typ         pkcs11.KeyType
}

// pair finds the key of the chosen certificate; where none was chosen, a certificate that the login has made visible, and
// at last by search.
func (a *attempt) pair(ctx context.Context, chosen candidate, certificates [][]byte, keys []pkcs11.Key) (pair, error) {
	if len(keys) == 0 {
		return pair{}, refuse(TokenUnsupported, fmt.Errorf("the token has no private key that can sign here"))
	}
	if chosen.certificate != nil {
		if i, ok := keyOf(chosen.certificate, keys); ok {
			return pair{chosen.certificate, i, keys[i].Type}, nil
		}
		return pair{}, refuse(TokenUnsupported, fmt.Errorf("the token has no private key of the chosen certificate"))
	}
	found := a.pairs(certificates, keys)
	if len(found) == 0 {
		ids := keyIDs(keys)
		if len(ids) == 0 {
			return pair{}, refuse(CertNotFound, fmt.Errorf("the token does not tell its public keys"))
		}
		certificates, err := a.Find(ctx, ids)
		if err != nil {
			return pair{}, err
		}
		found = a.pairs(certificates, keys)
	}
	return a.confirm(ctx, found, keys)
}

// pairs are the certificates that could sign and have a key here.
func (a *attempt) pairs(certificates [][]byte, keys []pkcs11.Key) []candidate {
	var list []candidate
	for _, der := range certificates {
		c, err := cert.Parse(der)
		if err != nil {
			continue
		}
		k := a.describe(0, pkcs11.Token{}, c)
		k.line = a.title(c)
		if _, ok := keyOf(c, keys); ok && k.code == "" && k.reason == "" {
			list = append(list, k)
		}
	}
	return list
}

// confirm shows a certificate that the person has not seen before they chose.
func (a *attempt) confirm(ctx context.Context, found []candidate, keys []pkcs11.Key) (pair, error) {
	if len(found) == 0 {
		return pair{}, refuse(CertNotFound, nil)
	}
	k, err := a.pick(ctx, found, nil)
	if err != nil {
		return pair{}, err
	}
	if len(found) == 1 {
		if _, err := a.ask(ctx, window.Dialog{Kind: window.Confirm, Lines: []string{words.Fill(a.w.SignAs, k.line)}}); err != nil {
			return pair{}, err
		}
	}
	i, _ := keyOf(k.certificate, keys)
	return pair{k.certificate, i, keys[i].Type}, nil
}

// keyOf finds the private key of c by its public half, which is compared. Where the token does not tell public halves, the
// only key of the right type is taken: the signature is verified before it leaves.
func keyOf(c *cert.Certificate, keys []pkcs11.Key) (int, bool) {
	public, err := c.Key()
	if err != nil {
		return 0, false
	}
	candidates, last := 0, 0
	for i, k := range keys {
		same, told := samePublic(public, k)
		switch {
		case same:
			return i, true
		case !told && fits(public, k.Type):
			candidates++
			last = i
		}
	}
	return last, candidates == 1
}

func fits(public any, t pkcs11.KeyType) bool {
	switch public.(type) {
	case *dstu4145.PublicKey:
		return t == pkcs11.DSTU4145
	case *ecdsa.PublicKey:
		return t == pkcs11.ECDSA
	case *rsa.PublicKey:
		return t == pkcs11.RSA
	}
	return false
}

// samePublic compares; told says whether the token tells the public half at all.
func samePublic(public any, k pkcs11.Key) (same, told bool) {
	switch p := public.(type) {
	case *dstu4145.PublicKey:
		if k.Type != pkcs11.DSTU4145 {
			return false, true
		}
		return bytes.Equal(pointOf(k), p.Bytes()), k.Point != nil
	case *ecdsa.PublicKey:
		if k.Type != pkcs11.ECDSA {
			return false, true
		}
		b, err := p.Bytes()
		return err == nil && bytes.Equal(pointOf(k), b), k.Point != nil
	case *rsa.PublicKey:
		if k.Type != pkcs11.RSA {
			return false, true
		}
		return p.N.Cmp(new(big.Int).SetBytes(k.Modulus)) == 0, k.Modulus != nil
	}
	return false, false
}

// pointOf unwraps CKA_EC_POINT, an OCTET STRING by the standard; some tokens give the point bare.
func pointOf(k pkcs11.Key) []byte {
	r := der.NewReader(k.Point)
	if point := r.OctetString(); r.Done() == nil {
		return point
	}
	return k.Point
}

// keyIDs are the names under which an issuer's search knows the keys: both digests of the wrapped point for ДСТУ 4145,
// SHA-1 of the public key for others.
func keyIDs(keys []pkcs11.Key) [][]byte {
	const most = 16 // what the server takes in one search
	var ids [][]byte
	for _, k := range keys {
		switch {
		case k.Type == pkcs11.DSTU4145 && k.Point != nil:
			wrapped := der.EncodeOctetString(pointOf(k))
			g, q := gost34311.Sum(wrapped), kupyna.Sum256(wrapped)
			ids = append(ids, g[:], q[:])
		case k.Type == pkcs11.ECDSA && k.Point != nil:
			id := sha1.Sum(pointOf(k)) //nolint:gosec // see the import
			ids = append(ids, id[:])
		case k.Type == pkcs11.RSA && k.Modulus != nil && k.Exponent != nil:
			id := sha1.Sum(der.EncodeSequence(der.EncodeUnsigned(k.Modulus), der.EncodeUnsigned(k.Exponent))) //nolint:gosec // see the import
			ids = append(ids, id[:])
		}
	}
	return ids[:min(len(ids), most)]
}
