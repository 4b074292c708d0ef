//go:build cgo

package pkcs11

import (
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"

	"brama/internal/der"
)

// contentKey is the length of what a wrap of ГОСТ 28147 holds.
const contentKey = 32

// Unwrap has the token derive the key that wraps from its private key k and the point of the other side, and open the
// wrapped content key with it. Neither the private key nor what is derived leaves the token: only the content key does, by
// the way that the libraries of national vendors have for it.
func (s *Session) Unwrap(k Key, w Wrapped) (content []byte, err error) {
	if k.Authenticate {
		return nil, ErrAuthentication
	}
	if k.Type != DSTU4145 || len(w.Point) == 0 || len(w.Key) == 0 {
		return nil, fmt.Errorf("%w: not a key of DSTU 4145, or nothing to unwrap", ErrUnsupported)
	}
	derive := uint(mechanismDSTU4145ECDH)
	if w.Cofactor {
		derive = mechanismDSTU4145CofactorECDH
	}
	ctx := s.module.ctx
	// The point goes in the OCTET STRING of certificates, as CKA_EC_POINT has it.
	parameters := pkcs11.NewECDH1DeriveParams(derivationGOST34311, w.UKM, der.EncodeOctetString(w.Point))
	wraps, err := ctx.DeriveKey(s.handle, []*pkcs11.Mechanism{pkcs11.NewMechanism(derive, parameters)}, pkcs11.ObjectHandle(k.handle),
		secretKey(pkcs11.NewAttribute(pkcs11.CKA_UNWRAP, true)))
	if err != nil {
		return nil, classify("C_DeriveKey", err)
	}
	defer func() { err = errors.Join(err, s.destroy(wraps)) }()
	opened, err := ctx.UnwrapKey(s.handle, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanismGOST28147Wrap, nil)}, wraps, w.Key,
		secretKey(pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false)))
	if err != nil {
		return nil, classify("C_UnwrapKey", err)
	}
	defer func() { err = errors.Join(err, s.destroy(opened)) }()
	content, err = s.attribute(opened, pkcs11.CKA_VALUE)
	if err != nil {
		return nil, err
	}
	if len(content) != contentKey {
		clear(content)
		return nil, fmt.Errorf("C_GetAttributeValue: %w: a content key of %d octets", ErrFault, len(content))
	}
	return content, nil
}

// secretKey is the template of a key of ГОСТ 28147 that ends with the session.
func secretKey(more ...*pkcs11.Attribute) []*pkcs11.Attribute {
	return append([]*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, uint(keyTypeGOST28147)),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false),
	}, more...)
}

func (s *Session) destroy(o pkcs11.ObjectHandle) error {
	return classify("C_DestroyObject", s.module.ctx.DestroyObject(s.handle, o))
}
