//go:build unix && cgo

package module

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"brama/internal/pkcs11"
	"brama/internal/tools/pkcs11dstu"
)

// TestMain makes the test program a child where it is started as one, as the agent does.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == Verb {
		out, err := Isolate()
		if err == nil {
			err = Serve(os.Args[2], os.Stdin, out)
		}
		if err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const pin = "314159"

// impatient is for modules that hang: nothing else may depend on how busy the machine is.
var impatient = Limits{Tokens: 2 * time.Second, Open: 2 * time.Second, Login: 2 * time.Second, PINPad: 2 * time.Second, Sign: 2 * time.Second}

func setUp(t *testing.T) (*pkcs11dstu.Tokens, *pkcs11dstu.Token, string) {
	t.Helper()
	tokens := pkcs11dstu.New(t)
	token := tokens.Add(1, "Токен А", "UA00004821", pin, 3)
	point, err := hex.DecodeString("b70fd2d8dce8a93423c6101bca91c47a007e6c300b26cd556c9b0e7d20ef292a00")
	if err != nil {
		t.Fatal(err)
	}
	token.AddKey(append([]byte{1}, make([]byte, 31)...), point, []byte("certificate"))
	return tokens, token, pkcs11dstu.Build(t, t.TempDir())
}

func start(t *testing.T, path string) *Process {
	t.Helper()
	return startWith(t, path, DefaultLimits)
}

func startWith(t *testing.T, path string, limits Limits) *Process {
	t.Helper()
	p, err := Start(os.Args[0], path, limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// run takes a child through everything and returns the first error.
func run(ctx context.Context, p *Process) ([]byte, error) {
	tokens, err := p.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	if len(tokens) != 1 {
		return nil, errors.New("not one token")
	}
	if _, _, err := p.Open(ctx, tokens[0].Slot); err != nil {
		return nil, err
	}
	if _, err := p.Login(ctx, []byte(pin)); err != nil {
		return nil, err
	}
	_, keys, err := p.Objects(ctx)
	if err != nil {
		return nil, err
	}
	if len(keys) != 1 {
		return nil, errors.New("not one key")
	}
	value, _, err := p.Sign(ctx, 0, pkcs11.Input{Hash: pkcs11.GOST34311, Digest: bytes.Repeat([]byte{7}, 32)}, nil)
	return value, err
}

func TestChild(t *testing.T) {
	_, token, path := setUp(t)
	value, err := run(t.Context(), start(t, path))
	if err != nil || len(value) != 64 {
		t.Fatalf("run = %x, %v", value, err)
	}
	if got := token.Calls(); !slices.Equal(got, []string{"login right", "sign"}) {
		t.Errorf("the token was asked %v", got)
	}
}

// TestHostileModule: whatever the module does, the parent gets an error in time and goes on; the next child is well.
func TestHostileModule(t *testing.T) {
	tokens, token, path := setUp(t)
	for _, c := range []struct {
		what, function string
		want           error
	}{
		{"crash", "C_GetFunctionList", ErrCrashed},
		{"crash", "C_Initialize", ErrCrashed},
		{"crash", "C_Login", ErrCrashed},
		{"crash", "C_Sign", ErrCrashed},
		{"exit", "C_GetSlotList", ErrCrashed},
		{"hang", "C_Initialize", ErrHung},
		{"hang", "C_GetTokenInfo", ErrHung},
		{"hang", "C_Sign", ErrHung},
		{"garbage", "C_GetFunctionList", ErrCrashed},
		{"garbage", "C_GetSlotList", nil}, // any error; what happens in the child's memory is up to chance
		{"garbage", "C_OpenSession", nil},
		{"garbage", "C_FindObjects", nil},
		{"garbage", "C_GetAttributeValue", nil},
		{"garbage", "C_GetMechanismList", pkcs11.ErrUnsupported},
		{"fail", "C_Login", pkcs11.ErrFault},
	} {
		t.Run(c.what+" "+c.function, func(t *testing.T) {
			tokens.Fault(c.what, c.function)
			defer tokens.Fault("", "")
			limits := DefaultLimits
			if c.what == "hang" {
				limits = impatient
			}
			before := time.Now()
			value, err := run(t.Context(), startWith(t, path, limits))
			if err == nil || value != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("run = %x, %v; want %v", value, err, c.want)
			}
			if took := time.Since(before); took > DefaultLimits.Tokens {
				t.Errorf("took %v", took)
			}
		})
	}
	if n := token.Left(); n != 3 {
		t.Errorf("%d attempts left", n)
	}
	if value, err := run(t.Context(), start(t, path)); err != nil || len(value) != 64 {
		t.Errorf("afterwards: %x, %v", value, err)
	}
}

// TestModuleThatPrints: what a module writes to standard output does not reach the pipe.
func TestModuleThatPrints(t *testing.T) {
	tokens, _, path := setUp(t)
	tokens.Fault("print", "C_Initialize")
	if value, err := run(t.Context(), start(t, path)); err != nil || len(value) != 64 {
		t.Errorf("run = %x, %v", value, err)
	}
}

func TestLoginTellsAttempts(t *testing.T) {
	_, token, path := setUp(t)
	p := start(t, path)
	if _, err := p.Tokens(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, certs, err := p.Open(t.Context(), 1); err != nil || len(certs) != 1 {
		t.Fatal(certs, err)
	}
	seen, err := p.Login(t.Context(), []byte("0"))
	if !errors.Is(err, pkcs11.ErrPINWrong) || seen == nil || !seen.PINCountLow || seen.PINFinalTry {
		t.Errorf("Login = %+v, %v", seen, err)
	}
	if strings.Contains(err.Error(), pin) {
		t.Error("the PIN is in the error")
	}
	if seen, err = p.Login(t.Context(), []byte("0")); !errors.Is(err, pkcs11.ErrPINWrong) || !seen.PINFinalTry {
		t.Errorf("Login = %+v, %v", seen, err)
	}
	if n := len(token.Calls()); n != 2 {
		t.Errorf("%d calls of C_Login for 2 logins", n)
	}
	if seen, err = p.Login(t.Context(), []byte("0")); !errors.Is(err, pkcs11.ErrPINLocked) || seen == nil || !seen.PINLocked {
		t.Errorf("Login = %+v, %v", seen, err)
	}
}

func TestCancelled(t *testing.T) {
	tokens, _, path := setUp(t)
	tokens.Fault("hang", "C_GetSlotList")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	if _, err := start(t, path).Tokens(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Tokens = %v", err)
	}
}

func TestNoSuchModule(t *testing.T) {
	if _, err := start(t, "/usr/lib/os-release").Tokens(t.Context()); !errors.Is(err, pkcs11.ErrNoModule) {
		t.Errorf("Tokens = %v", err)
	}
}

// TestChildDiesWithParent: a child whose pipe is closed ends, even while the module hangs.
func TestChildDiesWithParent(t *testing.T) {
	tokens, _, path := setUp(t)
	tokens.Fault("hang", "C_GetSlotList")
	p := start(t, path)
	if err := writeFrame(p.in, request{ID: 1, Verb: verbTokens}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	_ = p.in.Close()
	done := make(chan struct{})
	go func() { _, _ = p.cmd.Process.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Error("the child lives on")
	}
}

func FuzzResponse(f *testing.F) {
	frame := func(s string) []byte { return append([]byte{0, 0, 0, byte(len(s))}, s...) }
	f.Add(frame(`{"id":1,"token":{"Slot":1},"certificates":["MAA="]}`))
	f.Add(frame(`{"id":1,"error":"pin wrong","token":{}}`))
	f.Add(frame(`{"id":2,"keys":[{"Type":1}]}`))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r response
		if err := readFrame(bytes.NewReader(b), &r); err == nil && r.check(request{ID: 1, Verb: verbOpen}) == nil && r.Error == "" && r.Token == nil {
			t.Error("an answer to open without a token")
		}
	})
}
