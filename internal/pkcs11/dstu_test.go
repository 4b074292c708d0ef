//go:build cgo

package pkcs11

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"brama/internal/dstu/dstu4145"
	"brama/internal/tools/pkcs11dstu"
)

// The key of these tests is 1: its public point is −P, the base point negated.
var (
	one        = append([]byte{1}, make([]byte, 31)...)
	minusBase  = unhex("b70fd2d8dce8a93423c6101bca91c47a007e6c300b26cd556c9b0e7d20ef292a00")
	wrappedOne = append([]byte{0x04, 0x21}, minusBase...)
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

const pin = "314159"

func dstuToken(t *testing.T) (*pkcs11dstu.Tokens, *pkcs11dstu.Token, *Session) {
	t.Helper()
	tokens := pkcs11dstu.New(t)
	token := tokens.Add(2, "Токен Б", "UA00004821", pin, 3)
	token.AddKey(one, minusBase, []byte("certificate"))
	_, s, seen := open(t, pkcs11dstu.Build(t, t.TempDir()))
	if seen.Slot != 2 || seen.Label != "Токен Б" || seen.Serial != "UA00004821" || seen.PINCountLow {
		t.Errorf("token is %+v", seen)
	}
	t.Cleanup(func() { _ = s.Close() })
	return tokens, token, s
}

func TestDSTU(t *testing.T) {
	_, token, s := dstuToken(t)
	if certs, err := s.Certificates(); err != nil || len(certs) != 1 || string(certs[0]) != "certificate" {
		t.Fatalf("Certificates = %q, %v", certs, err)
	}
	if err := s.Login([]byte(pin)); err != nil {
		t.Fatal(err)
	}
	keys, err := s.Keys()
	if err != nil || len(keys) != 1 || keys[0].Type != DSTU4145 || !bytes.Equal(keys[0].Point, wrappedOne) {
		t.Fatalf("Keys = %+v, %v", keys, err)
	}
	in := Input{Hash: GOST34311, Digest: bytes.Repeat([]byte{7}, 32)}
	sig, err := s.Sign(keys[0], in, nil)
	if err != nil || len(sig) != 64 {
		t.Fatalf("Sign = %x, %v", sig, err)
	}
	public, err := dstu4145.ParsePublicKey(dstu4145.M257(), minusBase)
	if err != nil || !public.Verify(in.Digest, sig) {
		t.Errorf("the signature does not verify: %v", err)
	}
	if _, err := s.Sign(keys[0], Input{Hash: SHA256, Digest: in.Digest}, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("Sign with SHA-256 = %v", err)
	}
	if got := token.Calls(); !slices.Equal(got, []string{"login right", "sign"}) {
		t.Errorf("the token was asked %v", got)
	}
}

// TestCountdown: each Login is one C_Login, and the flags tell how near the lock is.
func TestCountdown(t *testing.T) {
	_, token, s := dstuToken(t)
	for i, want := range []struct {
		err                error
		low, final, locked bool
	}{
		{ErrPINWrong, true, false, false},
		{ErrPINWrong, true, true, false},
		{ErrPINLocked, true, false, true},
		{ErrPINLocked, true, false, true},
	} {
		if err := s.Login([]byte("271828")); !errors.Is(err, want.err) {
			t.Errorf("login %d = %v, want %v", i+1, err, want.err)
		}
		got, err := s.Token()
		if err != nil || got.PINCountLow != want.low || got.PINFinalTry != want.final || got.PINLocked != want.locked {
			t.Errorf("after login %d: %+v, %v", i+1, got, err)
		}
	}
	if n := len(token.Calls()); n != 4 {
		t.Errorf("%d calls of C_Login for 4 logins: %v", n, token.Calls())
	}
}

func TestRemoved(t *testing.T) {
	_, token, s := dstuToken(t)
	token.Remove()
	if err := s.Login([]byte(pin)); !errors.Is(err, ErrRemoved) {
		t.Errorf("Login = %v", err)
	}
	if _, err := s.Token(); !errors.Is(err, ErrRemoved) {
		t.Errorf("Token = %v", err)
	}
}

func TestAlwaysAuthenticate(t *testing.T) {
	_, token, s := dstuToken(t)
	token.AlwaysAuthenticate(0)
	if err := s.Login([]byte(pin)); err != nil {
		t.Fatal(err)
	}
	keys, err := s.Keys()
	if err != nil || len(keys) != 1 || !keys[0].Authenticate {
		t.Fatalf("Keys = %+v, %v", keys, err)
	}
	in := Input{Hash: GOST34311, Digest: bytes.Repeat([]byte{7}, 32)}
	if _, err := s.Sign(keys[0], in, nil); !errors.Is(err, ErrAuthentication) {
		t.Errorf("Sign without the PIN = %v", err)
	}
	if sig, err := s.Sign(keys[0], in, []byte(pin)); err != nil || len(sig) != 64 {
		t.Errorf("Sign = %x, %v", sig, err)
	}
	if got := token.Calls(); !slices.Equal(got, []string{"login right", "login again", "sign"}) {
		t.Errorf("the token was asked %v", got)
	}
}

func TestPINPad(t *testing.T) {
	tokens := pkcs11dstu.New(t)
	token := tokens.Add(0, "Токен В", "1", pin, 3)
	token.PINPad(pin)
	_, s, seen := open(t, pkcs11dstu.Build(t, t.TempDir()))
	if !seen.PINPad {
		t.Errorf("token is %+v", seen)
	}
	if err := s.Login(nil); err != nil {
		t.Errorf("Login = %v", err)
	}
	_ = s.Close()
}

// TestGarbage: what does not kill the process is an error, never a value.
func TestGarbage(t *testing.T) {
	tokens, _, s := dstuToken(t)
	if err := s.Login([]byte(pin)); err != nil {
		t.Fatal(err)
	}
	tokens.Fault("fail", "C_FindObjectsInit")
	if _, err := s.Keys(); !errors.Is(err, ErrFault) {
		t.Errorf("Keys = %v", err)
	}
	tokens.Fault("garbage", "C_FindObjects")
	if _, err := s.Keys(); !errors.Is(err, ErrFault) {
		t.Errorf("Keys = %v", err)
	}
	tokens.Fault("garbage", "C_GetSlotList")
	if list, err := s.module.Tokens(); !errors.Is(err, ErrFault) {
		t.Errorf("Tokens = %v, %v", list, err)
	}
	tokens.Fault("garbage", "C_GetTokenInfo")
	if got, err := s.Token(); err != nil || got.Label != "" || got.Serial != "" {
		t.Errorf("Token = %+v, %v; want no text", got, err)
	}
}

func TestEncodeECDSA(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{"0102", "3006020101020102"},
		{"8001", "3007020200800201" + "01"},
		{"00010002", "3006020101020102"},
		{"", ""}, {"01", ""}, {hex.EncodeToString(make([]byte, maxECDSA+2)), ""},
	} {
		got, err := encodeECDSA(unhex(c.raw))
		if hex.EncodeToString(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("encodeECDSA(%s) = %x, %v; want %s", c.raw, got, err, c.want)
		}
	}
}
