//go:build cgo

package pkcs11

import (
	"fmt"

	"github.com/miekg/pkcs11"

	"brama/internal/der"
)

// Sign makes one signature value with k in the form of CMS: r || s as the token gives it for ДСТУ 4145, DER of
// ECDSA-Sig-Value for ECDSA, the octets of RSASSA-PKCS1-v1_5 for RSA. A key with Authenticate is given pin for a login of
// its own (CKU_CONTEXT_SPECIFIC), once; without it the answer is ErrAuthentication.
func (s *Session) Sign(k Key, in Input, pin []byte) ([]byte, error) {
	if k.Authenticate && pin == nil {
		return nil, ErrAuthentication
	}
	mechanism, data, err := s.mechanism(k, in)
	if err != nil {
		return nil, err
	}
	ctx := s.module.ctx
	err = ctx.SignInit(s.handle, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}, pkcs11.ObjectHandle(k.handle))
	if err != nil {
		return nil, classify("C_SignInit", err)
	}
	if k.Authenticate {
		if err := ctx.Login(s.handle, pkcs11.CKU_CONTEXT_SPECIFIC, string(pin)); err != nil {
			return nil, classify("C_Login", err)
		}
	}
	value, err := ctx.Sign(s.handle, data)
	if err != nil {
		return nil, classify("C_Sign", err)
	}
	if k.Type == ECDSA {
		return encodeECDSA(value)
	}
	return value, nil
}

// mechanism chooses how the token is asked and what it is given.
func (s *Session) mechanism(k Key, in Input) (mechanism uint, data []byte, err error) {
	_, national := hashing[in.Hash]
	prefix, sha := digestInfo[in.Hash]
	switch {
	case k.Type == DSTU4145 && national:
		return s.national(in)
	case k.Type == ECDSA && sha:
		return pkcs11.CKM_ECDSA, in.Digest, nil
	case k.Type == RSA && sha:
		return pkcs11.CKM_RSA_PKCS, append([]byte(prefix), in.Digest...), nil
	}
	return 0, nil, fmt.Errorf("%w: key type %d with %s", ErrUnsupported, k.Type, in.Hash)
}

// hashing are the mechanisms that hash in the token.
var hashing = map[Hash]uint{
	GOST34311: mechanismDSTU4145WithGOST34311,
	Kupyna256: mechanismDSTU4145WithKupyna256,
	Kupyna384: mechanismDSTU4145WithKupyna384,
	Kupyna512: mechanismDSTU4145WithKupyna512,
}

// national prefers the mechanism over a ready digest, which every known module has; the other is for those that do not.
func (s *Session) national(in Input) (uint, []byte, error) {
	list, err := s.module.ctx.GetMechanismList(s.slot)
	if err != nil {
		return 0, nil, classify("C_GetMechanismList", err)
	}
	has := func(t uint) bool {
		for _, m := range list {
			if m.Mechanism == t {
				return true
			}
		}
		return false
	}
	switch t := hashing[in.Hash]; {
	case has(mechanismDSTU4145):
		return mechanismDSTU4145, in.Digest, nil
	case has(t):
		return t, in.Message, nil
	}
	return 0, nil, fmt.Errorf("%w: no mechanism of DSTU 4145", ErrUnsupported)
}

// digestInfo are the octets before the digest in DigestInfo (RFC 8017 9.2, note 1).
var digestInfo = map[Hash]string{
	SHA256: "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
	SHA384: "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
	SHA512: "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
}

// maxECDSA is the length of r || s on P-521.
const maxECDSA = 132

// encodeECDSA turns r || s into SEQUENCE { r, s } (RFC 5753 7.2); PKCS#11 gives two halves of equal length, big-endian.
func encodeECDSA(raw []byte) ([]byte, error) {
	if len(raw) == 0 || len(raw)%2 != 0 || len(raw) > maxECDSA {
		return nil, fmt.Errorf("C_Sign: %w: ECDSA value of %d octets", ErrFault, len(raw))
	}
	half := len(raw) / 2
	return der.EncodeSequence(der.EncodeUnsigned(raw[:half]), der.EncodeUnsigned(raw[half:])), nil
}
