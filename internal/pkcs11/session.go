//go:build cgo

package pkcs11

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"
)

// A Session is an open read-only session with one token. Not safe for concurrent use.
type Session struct {
	module *Module
	slot   uint
	handle pkcs11.SessionHandle
}

// Session opens a session with the token in slot.
func (m *Module) Session(slot uint) (*Session, error) {
	handle, err := m.ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		return nil, classify("C_OpenSession", err)
	}
	return &Session{module: m, slot: slot, handle: handle}, nil
}

// Close logs out and closes the session.
func (s *Session) Close() error {
	_ = s.module.ctx.Logout(s.handle) // it may never have logged in
	return classify("C_CloseSession", s.module.ctx.CloseSession(s.handle))
}

// Token reads the token anew: after a login its flags tell how near the lock is.
func (s *Session) Token() (Token, error) {
	t, ok, err := s.module.token(s.slot)
	if err == nil && !ok {
		err = fmt.Errorf("C_GetTokenInfo: %w: not initialised", ErrUnsupported)
	}
	return t, err
}

// Login calls C_Login exactly once. A token with a PIN pad is given no PIN: pass nil.
func (s *Session) Login(pin []byte) error {
	err := s.module.ctx.Login(s.handle, pkcs11.CKU_USER, string(pin))
	if errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_ALREADY_LOGGED_IN)) {
		return nil
	}
	return classify("C_Login", err)
}

// Certificates returns the X.509 certificates that can be seen, in the order of the module.
func (s *Session) Certificates() ([][]byte, error) {
	objects, err := s.find(
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE),
		pkcs11.NewAttribute(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509))
	if err != nil {
		return nil, err
	}
	var list [][]byte
	for _, o := range objects {
		value, err := s.attribute(o, pkcs11.CKA_VALUE)
		if err != nil {
			return nil, err
		}
		if len(value) > 0 {
			list = append(list, value)
		}
	}
	return list, nil
}

// Keys returns the private keys that can sign, each with the public numbers that the token tells of it. Before a login
// most tokens show none.
func (s *Session) Keys() ([]Key, error) {
	objects, err := s.find(pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY))
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, o := range objects {
		k, err := s.key(o, pkcs11.CKA_SIGN)
		if err != nil {
			return nil, err
		}
		if k.Type != 0 {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// KeyByLabel returns the private key with this CKA_LABEL, alike to the octet. ErrNoKey if none that can sign has it, or
// several have: which one is meant is not for guessing.
func (s *Session) KeyByLabel(label string) (Key, error) { return s.keyByLabel(label, pkcs11.CKA_SIGN) }

// AgreementKeyByLabel is KeyByLabel for a key that derives.
func (s *Session) AgreementKeyByLabel(label string) (Key, error) {
	k, err := s.keyByLabel(label, pkcs11.CKA_DERIVE)
	if err == nil && k.Type != DSTU4145 {
		return Key{}, fmt.Errorf("%w: the key %q is not of DSTU 4145", ErrUnsupported, label)
	}
	return k, err
}

// keyByLabel finds the key that may be used so: CKA_SIGN, CKA_DERIVE.
func (s *Session) keyByLabel(label string, use uint) (Key, error) {
	objects, err := s.find(
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, label))
	if err != nil {
		return Key{}, err
	}
	if len(objects) != 1 {
		return Key{}, fmt.Errorf("%w: %d private keys have the label %q, want one", ErrNoKey, len(objects), label)
	}
	k, err := s.key(objects[0], use)
	if err == nil && k.Type == 0 {
		err = fmt.Errorf("%w: the key %q is not for this use", ErrNoKey, label)
	}
	return k, err
}

// key reads a key that may be used so; the zero Key for another one.
func (s *Session) key(o pkcs11.ObjectHandle, use uint) (Key, error) {
	k := Key{handle: uint(o)}
	kind, err := s.attribute(o, pkcs11.CKA_KEY_TYPE)
	if err != nil {
		return Key{}, err
	}
	switch number(kind) {
	case keyTypeDSTU4145:
		k.Type = DSTU4145
	case pkcs11.CKK_EC:
		k.Type = ECDSA
	case pkcs11.CKK_RSA:
		k.Type = RSA
	default:
		return Key{}, nil
	}
	var label, allowed, always []byte
	err = s.attributes(o, map[uint]*[]byte{
		pkcs11.CKA_ID: &k.ID, pkcs11.CKA_LABEL: &label, use: &allowed, pkcs11.CKA_ALWAYS_AUTHENTICATE: &always,
		pkcs11.CKA_EC_PARAMS: &k.Params, pkcs11.CKA_EC_POINT: &k.Point,
		pkcs11.CKA_MODULUS: &k.Modulus, pkcs11.CKA_PUBLIC_EXPONENT: &k.Exponent,
	})
	if err != nil {
		return Key{}, err
	}
	k.Label = printable(string(label))
	k.Authenticate = len(always) == 1 && always[0] != 0
	if len(allowed) == 1 && allowed[0] == 0 {
		return Key{}, nil // one for agreement where one that signs is wanted, or the other way round
	}
	if k.Type != RSA && k.Point == nil && len(k.ID) > 0 {
		return k, s.publicHalf(&k)
	}
	return k, nil
}

// publicHalf takes the point from the public key object with the same CKA_ID: the standard does not give it to a private
// key.
func (s *Session) publicHalf(k *Key) error {
	objects, err := s.find(
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_ID, k.ID))
	if err != nil || len(objects) != 1 {
		return err
	}
	k.Point, err = s.attribute(objects[0], pkcs11.CKA_EC_POINT)
	return err
}

// find returns the handles of the objects with these attributes.
func (s *Session) find(template ...*pkcs11.Attribute) ([]pkcs11.ObjectHandle, error) {
	ctx := s.module.ctx
	if err := ctx.FindObjectsInit(s.handle, template); err != nil {
		return nil, classify("C_FindObjectsInit", err)
	}
	var all []pkcs11.ObjectHandle
	for {
		const batch = 32
		objects, _, err := ctx.FindObjects(s.handle, batch)
		if err != nil {
			return nil, classify("C_FindObjects", err)
		}
		if all = append(all, objects...); len(all) > maxObjects {
			return nil, fmt.Errorf("C_FindObjects: %w: too many objects", ErrFault)
		}
		if len(objects) == 0 {
			return all, classify("C_FindObjectsFinal", ctx.FindObjectsFinal(s.handle))
		}
	}
}

// attributes reads each attribute by itself: asked together, one that the token does not know spoils all.
func (s *Session) attributes(o pkcs11.ObjectHandle, into map[uint]*[]byte) error {
	for t, value := range into {
		v, err := s.attribute(o, t)
		if err != nil {
			return err
		}
		*value = v
	}
	return nil
}

// attribute reads one attribute; nil if the object has none, or does not show it.
func (s *Session) attribute(o pkcs11.ObjectHandle, t uint) ([]byte, error) {
	got, err := s.module.ctx.GetAttributeValue(s.handle, o, []*pkcs11.Attribute{pkcs11.NewAttribute(t, nil)})
	var rv pkcs11.Error
	if errors.As(err, &rv) && (rv == pkcs11.CKR_ATTRIBUTE_TYPE_INVALID || rv == pkcs11.CKR_ATTRIBUTE_SENSITIVE) {
		return nil, nil
	}
	if err != nil {
		return nil, classify("C_GetAttributeValue", err)
	}
	if len(got) != 1 || len(got[0].Value) > maxAttribute {
		return nil, fmt.Errorf("C_GetAttributeValue: %w: value of odd size", ErrFault)
	}
	if len(got[0].Value) == 0 {
		return nil, nil
	}
	return got[0].Value, nil
}

// number reads a CK_ULONG, whose size and order are the machine's; ^0 if it is none.
func number(b []byte) uint64 {
	switch len(b) {
	case 4:
		return uint64(binary.NativeEndian.Uint32(b))
	case 8:
		return binary.NativeEndian.Uint64(b)
	}
	return ^uint64(0)
}
