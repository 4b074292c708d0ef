//go:build js

package main

import (
	"errors"
	"syscall/js"

	"brama/internal/der"
	"brama/internal/qes/cms"
	"brama/internal/qes/keystore"
	"brama/internal/qes/spki"
	"brama/internal/qes/tbs"
)

var errWebCrypto = errors.New("webcrypto: refused")

// subtle calls a method of crypto.subtle and waits for its promise; it must not run on the event loop's goroutine. What
// the browser says of a failure is dropped: it tells a person nothing.
func subtle(method string, args ...any) (result js.Value, err error) {
	defer func() {
		if recover() != nil { // thrown, not rejected: no WebCrypto, arguments of a wrong kind
			err = errWebCrypto
		}
	}()
	type outcome struct {
		value js.Value
		ok    bool
	}
	arrived := make(chan outcome, 1)
	settle := func(ok bool) js.Func {
		return js.FuncOf(func(_ js.Value, args []js.Value) any {
			arrived <- outcome{args[0], ok}
			return nil
		})
	}
	then, fail := settle(true), settle(false)
	defer then.Release()
	defer fail.Release()
	js.Global().Get("crypto").Get("subtle").Call(method, args...).Call("then", then, fail)
	if o := <-arrived; o.ok {
		return o.value, nil
	}
	return js.Value{}, errWebCrypto
}

func toJS(b []byte) js.Value {
	v := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(v, b)
	return v
}

// fromJS copies an ArrayBuffer or Uint8Array; anything else is nil.
func fromJS(v js.Value) []byte {
	array := js.Global().Get("Uint8Array")
	if v.Type() != js.TypeObject {
		return nil
	}
	if !v.InstanceOf(array) {
		if !v.InstanceOf(js.Global().Get("ArrayBuffer")) {
			return nil
		}
		v = array.New(v)
	}
	b := make([]byte, v.Length())
	js.CopyBytesToGo(b, v)
	return b
}

func bytesOf(v js.Value, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return fromJS(v), nil
}

// webPrimitives implement keystore.Primitives.
type webPrimitives struct{}

var _ keystore.Primitives = webPrimitives{}

func (webPrimitives) Digest(alg string, data []byte) ([]byte, error) {
	switch alg {
	case "SHA-1":
		return sha1Sum(data), nil
	case "SHA-256":
		return sha256Sum(data), nil
	}
	return bytesOf(subtle("digest", alg, toJS(data)))
}

func (webPrimitives) PBKDF2(alg string, password, salt []byte, iterations, size int) ([]byte, error) {
	key, err := subtle("importKey", "raw", toJS(password), "PBKDF2", false, []any{"deriveBits"})
	if err != nil {
		return nil, err
	}
	return bytesOf(subtle("deriveBits", map[string]any{"name": "PBKDF2", "hash": alg, "salt": toJS(salt), "iterations": iterations}, key, 8*size))
}

func aesCBC(method string, key, iv, data []byte) ([]byte, error) {
	k, err := subtle("importKey", "raw", toJS(key), "AES-CBC", false, []any{method})
	if err != nil {
		return nil, err
	}
	return bytesOf(subtle(method, map[string]any{"name": "AES-CBC", "iv": toJS(iv)}, k, toJS(data)))
}

func (webPrimitives) AESCBCDecrypt(key, iv, ciphertext []byte) ([]byte, error) {
	return aesCBC("decrypt", key, iv, ciphertext)
}

func (webPrimitives) AESCBCEncrypt(key, iv, plaintext []byte) ([]byte, error) {
	return aesCBC("encrypt", key, iv, plaintext)
}

// ECPublicKey has WebCrypto import the key and give its public coordinates back. The handle is extractable for this once.
func (webPrimitives) ECPublicKey(pkcs8 []byte) ([]byte, error) {
	r := der.NewReader(pkcs8).Sequence()
	r.Int()
	curve, _ := ecdsaCurve(spki.ParseAlgorithm(r))
	if curve == "" {
		return nil, keystore.ErrUnsupported
	}
	key, err := subtle("importKey", "pkcs8", toJS(pkcs8), map[string]any{"name": "ECDSA", "namedCurve": curve}, true, []any{"sign"})
	if err != nil {
		return nil, err
	}
	jwk, err := subtle("exportKey", "jwk", key)
	if err != nil {
		return nil, err
	}
	point := []byte{4}
	for _, name := range []string{"x", "y"} {
		v, err := decodeBase64URL(jwk.Get(name).String())
		if err != nil {
			return nil, err
		}
		point = append(point, v...)
	}
	return point, nil
}

// decodeBase64URL reads a coordinate of a JWK (RFC 7515 appendix C).
func decodeBase64URL(s string) ([]byte, error) {
	var out []byte
	var word uint32
	bits := 0
	for i := range len(s) {
		var v byte
		switch o := s[i]; {
		case o >= 'A' && o <= 'Z':
			v = o - 'A'
		case o >= 'a' && o <= 'z':
			v = o - 'a' + 26
		case o >= '0' && o <= '9':
			v = o - '0' + 52
		case o == '-':
			v = 62
		case o == '_':
			v = 63
		default:
			return nil, errWebCrypto
		}
		word = word<<6 | uint32(v)
		if bits += 6; bits >= 8 {
			bits -= 8
			out = append(out, byte(word>>bits))
		}
	}
	return out, nil
}

// ecdsaCurve returns WebCrypto's names of the curve and of the digest that goes with it.
func ecdsaCurve(a spki.Algorithm) (curve, digest string) {
	r := der.NewReader(a.Parameters)
	switch r.OID() {
	case spki.OIDP256:
		return "P-256", "SHA-256"
	case spki.OIDP384:
		return "P-384", "SHA-384"
	case spki.OIDP521:
		return "P-521", "SHA-512"
	}
	return "", ""
}

// A webSigner signs with RSA (PKCS#1 v1.5) or ECDSA by WebCrypto.
type webSigner struct {
	digest             string
	digestOID          der.OID
	signature          spki.Algorithm
	importing, signing any
	private, public    js.Value
}

var _ cms.Signer = (*webSigner)(nil)

// newWebSigner imports the private key and the certificate's public key.
func newWebSigner(k *keystore.Key, c *tbs.Certificate) (cms.Signer, error) {
	s := &webSigner{digest: "SHA-256", digestOID: cms.OIDSHA256}
	switch k.Algorithm {
	case keystore.AlgorithmRSA:
		s.importing = map[string]any{"name": "RSASSA-PKCS1-v1_5", "hash": s.digest}
		s.signing = "RSASSA-PKCS1-v1_5"
		s.signature = spki.Algorithm{OID: der.NewOID("1.2.840.113549.1.1.11"), Parameters: der.EncodeNull()}
	case keystore.AlgorithmECDSA:
		var curve string
		curve, s.digest = ecdsaCurve(c.PublicKey.Algorithm)
		s.importing = map[string]any{"name": "ECDSA", "namedCurve": curve}
		s.signing = map[string]any{"name": "ECDSA", "hash": s.digest}
		switch s.digest {
		case "SHA-256":
			s.signature.OID = der.NewOID("1.2.840.10045.4.3.2")
		case "SHA-384":
			s.digestOID, s.signature.OID = cms.OIDSHA384, der.NewOID("1.2.840.10045.4.3.3")
		case "SHA-512":
			s.digestOID, s.signature.OID = cms.OIDSHA512, der.NewOID("1.2.840.10045.4.3.4")
		default:
			return nil, keystore.ErrUnsupported
		}
	default:
		return nil, keystore.ErrUnsupported
	}
	var err error
	if s.private, err = subtle("importKey", "pkcs8", toJS(k.PKCS8), s.importing, false, []any{"sign"}); err != nil {
		return nil, keystore.ErrUnsupported
	}
	if s.public, err = subtle("importKey", "spki", toJS(c.PublicKey.Raw), s.importing, false, []any{"verify"}); err != nil {
		return nil, keystore.ErrUnsupported
	}
	return s, nil
}

func (s *webSigner) DigestAlgorithm() spki.Algorithm    { return spki.Algorithm{OID: s.digestOID} }
func (s *webSigner) SignatureAlgorithm() spki.Algorithm { return s.signature }

func (s *webSigner) Digest(data []byte) ([]byte, error) {
	return bytesOf(subtle("digest", s.digest, toJS(data)))
}

// Sign signs and verifies with the certificate's key: a private key of garbage, whose public half only claims to fit,
// gets no further (T39).
func (s *webSigner) Sign(data []byte) ([]byte, error) {
	value, err := subtle("sign", s.signing, s.private, toJS(data))
	if err != nil {
		return nil, err
	}
	good, err := subtle("verify", s.signing, s.public, value, toJS(data))
	if err != nil || !good.Bool() {
		return nil, codeMismatch
	}
	b := fromJS(value)
	if s.digest == "" || len(s.signature.Parameters) > 0 { // RSA
		return b, nil
	}
	half := len(b) / 2 // WebCrypto has r || s, CMS has ECDSA-Sig-Value
	return der.EncodeSequence(der.EncodeUnsigned(b[:half]), der.EncodeUnsigned(b[half:])), nil
}

// webRandom reads crypto.getRandomValues. There is no other source: its failure is an error.
type webRandom struct{}

func (webRandom) Read(b []byte) (n int, err error) {
	defer func() {
		if recover() != nil {
			n, err = 0, codeRandom
		}
	}()
	for n < len(b) {
		part := b[n:min(len(b), n+65536)] // the limit of one call
		v := js.Global().Get("Uint8Array").New(len(part))
		js.Global().Get("crypto").Call("getRandomValues", v)
		n += js.CopyBytesToGo(part, v)
		v.Call("fill", 0)
	}
	return n, nil
}
