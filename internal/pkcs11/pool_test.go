//go:build cgo

package pkcs11

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"brama/internal/tools/pkcs11dstu"
)

// pool is one with the token of the tests, which has one session.
func pool(t *testing.T, right string) (*pkcs11dstu.Tokens, *pkcs11dstu.Token, func() (*Pool, error)) {
	t.Helper()
	tokens := pkcs11dstu.New(t)
	token := tokens.Add(1, "Токен Г", "7", pin, 3)
	token.AddKey(one, minusBase, nil)
	path := pkcs11dstu.Build(t, t.TempDir())
	return tokens, token, func() (*Pool, error) {
		return OpenPool(PoolConfig{Module: path, Token: "Токен Г", Sessions: 1, PIN: func() ([]byte, error) { return []byte(right), nil }})
	}
}

func opened(t *testing.T, open func() (*Pool, error)) (*Pool, *PoolKey) {
	t.Helper()
	p, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	k, err := p.Key("key 0")
	if err != nil {
		t.Fatal(err)
	}
	return p, k
}

// rest lets the pool try again at once.
func rest(p *Pool) {
	p.mending <- struct{}{}
	p.rested = time.Time{}
	<-p.mending
}

// TestPoolLostToken: a token that went away is an error and seen by Check; when it is back, it is logged in to again.
func TestPoolLostToken(t *testing.T) {
	_, token, open := pool(t, pin)
	p, k := opened(t, open)
	in := Input{Hash: GOST34311, Digest: bytes.Repeat([]byte{7}, 32)}
	sign := func() error {
		rest(p)
		sig, err := k.sign(in)
		if err == nil && len(sig) != 64 {
			t.Errorf("value of %d octets", len(sig))
		}
		return err
	}
	if err := errors.Join(sign(), p.Check(t.Context())); err != nil {
		t.Fatal(err)
	}
	token.Remove()
	if err := sign(); !errors.Is(err, ErrNoToken) {
		t.Errorf("signing without the token: %v", err)
	}
	rest(p)
	if err := p.Check(t.Context()); !errors.Is(err, ErrNoToken) {
		t.Errorf("Check without the token: %v", err)
	}
	token.Insert()
	rest(p)
	if err := p.Check(t.Context()); err != nil {
		t.Errorf("Check with the token back: %v", err)
	}
	if err := sign(); err != nil {
		t.Errorf("signing with the token back: %v", err)
	}
	if _, err := p.Key("key 1"); !errors.Is(err, ErrNoKey) {
		t.Errorf("a key that is not there: %v", err)
	}
	if got := token.Calls(); !slices.Equal(got, []string{"login right", "sign", "login right", "sign"}) {
		t.Errorf("the token was asked %v", got)
	}
}

// TestPoolWrongPIN: one attempt, and none at the next starts: a service manager restarts a server without an end.
func TestPoolWrongPIN(t *testing.T) {
	_, token, open := pool(t, "000000")
	for i := range 5 {
		if _, err := open(); !errors.Is(err, ErrPINWrong) {
			t.Errorf("start %d: %v", i, err)
		}
	}
	if got := token.Calls(); !slices.Equal(got, []string{"login wrong"}) {
		t.Errorf("the token was asked %v", got)
	}
}

// TestPoolRefusedLater: a PIN that was changed while the server ran is tried once.
func TestPoolRefusedLater(t *testing.T) {
	tokens := pkcs11dstu.New(t)
	token := tokens.Add(1, "Токен Г", "7", pin, 3)
	token.AddKey(one, minusBase, nil)
	now := pin
	p, _ := opened(t, func() (*Pool, error) {
		return OpenPool(PoolConfig{Module: pkcs11dstu.Build(t, t.TempDir()), Token: "Токен Г", Sessions: 1,
			PIN: func() ([]byte, error) { return []byte(now), nil }})
	})
	token.Remove()
	_ = p.Check(t.Context())
	token.Insert()
	now = "000000"
	for i := range 3 {
		rest(p)
		if err := p.Check(t.Context()); !errors.Is(err, ErrPINWrong) {
			t.Errorf("check %d: %v", i, err)
		}
	}
	if token.Left() != 2 {
		t.Errorf("%d attempts left, want 2: %v", token.Left(), token.Calls())
	}
}

// TestPoolSilent: when all sessions hang in the module, what comes next fails in time.
func TestPoolSilent(t *testing.T) {
	_, _, open := pool(t, pin)
	p, k := opened(t, open)
	p.wait = 100 * time.Millisecond
	s := <-p.seats // as a call that hangs has it
	defer func() { p.seats <- s }()
	start := time.Now()
	if err := p.Check(t.Context()); !errors.Is(err, ErrSilent) {
		t.Errorf("Check = %v", err)
	}
	if _, err := k.sign(Input{Hash: GOST34311, Digest: make([]byte, 32)}); !errors.Is(err, ErrSilent) {
		t.Errorf("sign = %v", err)
	}
	if d := time.Since(start); d > poolWait {
		t.Errorf("that took %v", d)
	}
}

func TestPublicRefuses(t *testing.T) {
	p256 := []byte("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07")
	for name, k := range map[string]Key{
		"national":       {Type: DSTU4145, Point: wrappedOne},
		"no point":       {Type: ECDSA, Params: p256},
		"off the curve":  {Type: ECDSA, Params: p256, Point: append([]byte{4, 65, 4}, make([]byte, 64)...)},
		"another curve":  {Type: ECDSA, Params: []byte("\x06\x05\x2b\x81\x04\x00\x22")},
		"short modulus":  {Type: RSA, Modulus: bytes.Repeat([]byte{0xff}, 128), Exponent: []byte{1, 0, 1}},
		"no exponent":    {Type: RSA, Modulus: bytes.Repeat([]byte{0xff}, 256)},
		"exponent 1":     {Type: RSA, Modulus: bytes.Repeat([]byte{0xff}, 256), Exponent: []byte{1}},
		"large exponent": {Type: RSA, Modulus: bytes.Repeat([]byte{0xff}, 256), Exponent: []byte{1, 0, 0, 0, 1}},
	} {
		if got, err := k.public(); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
