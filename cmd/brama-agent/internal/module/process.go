package module

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"brama/internal/pkcs11"
)

// Limits are how long a call may take. A card needs seconds for a signature, and a person some more for a PIN pad.
type Limits struct{ Tokens, Open, Login, PINPad, Sign time.Duration }

// DefaultLimits are those of a person's computer.
var DefaultLimits = Limits{Tokens: 15 * time.Second, Open: 15 * time.Second, Login: 30 * time.Second, PINPad: 90 * time.Second, Sign: 60 * time.Second}

// A Process is a child with one module. Its methods may be called from one goroutine at a time; after an error other than
// one of package pkcs11 it is of no more use. Close it always.
type Process struct {
	path   string
	limits Limits
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.Reader
	next   int
	pinPad bool
	once   sync.Once
}

// Start starts program, which is the agent itself, as a child for the module at path.
func Start(program, path string, limits Limits) (*Process, error) {
	p := &Process{path: path, limits: limits}
	p.cmd = exec.Command(hostFor(program, path), Verb, path)
	p.cmd.Dir = filepath.Dir(path) // modules look for their own files here
	p.cmd.Stderr = nil             // what a module says there is nobody's to read: it could be the PIN
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	hideWindow(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a child for %s: %w", filepath.Base(path), err)
	}
	return p, nil
}

// Path is the module's.
func (p *Process) Path() string { return p.path }

// Close ends the child at once, whatever it does.
func (p *Process) Close() {
	p.once.Do(func() {
		_ = p.in.Close()
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
}

// Tokens lists the tokens of the module.
func (p *Process) Tokens(ctx context.Context) ([]pkcs11.Token, error) {
	r, err := p.call(ctx, p.limits.Tokens, request{Verb: verbTokens})
	return r.Tokens, err
}

// Open opens a session with the token in slot, after closing the one before, and returns what can be seen without a login.
func (p *Process) Open(ctx context.Context, slot uint) (pkcs11.Token, [][]byte, error) {
	r, err := p.call(ctx, p.limits.Open, request{Verb: verbOpen, Slot: slot})
	if err != nil {
		return pkcs11.Token{}, nil, err
	}
	p.pinPad = r.Token.PINPad
	return *r.Token, r.Certificates, nil
}

// Login makes exactly one C_Login. The token's own word on the attempts left comes back with an error as well, unless
// it cannot be had any more: then it is nil.
func (p *Process) Login(ctx context.Context, pin []byte) (*pkcs11.Token, error) {
	limit := p.limits.Login
	if p.pinPad {
		limit = p.limits.PINPad
	}
	r, err := p.call(ctx, limit, request{Verb: verbLogin, PIN: pin})
	return r.Token, err
}

// Objects returns certificates and private keys; a key's place in the list is its name for Sign.
func (p *Process) Objects(ctx context.Context) ([][]byte, []pkcs11.Key, error) {
	r, err := p.call(ctx, p.limits.Open, request{Verb: verbObjects})
	return r.Certificates, r.Keys, err
}

// Sign makes one signature value. pin is nil unless the key asks for it at every signature; empty for a PIN pad. Where
// that PIN was refused the token's word on the attempts left comes with the error, as in Login.
func (p *Process) Sign(ctx context.Context, key int, in pkcs11.Input, pin []byte) ([]byte, *pkcs11.Token, error) {
	limit := p.limits.Sign
	if pin != nil && p.pinPad {
		limit += p.limits.PINPad
	}
	r, err := p.call(ctx, limit, request{Verb: verbSign, Key: key, Input: &in, PIN: pin})
	return r.Value, r.Token, err
}

// call sends one request and waits for its answer, at most limit. Whatever is not an answer kills the child.
func (p *Process) call(ctx context.Context, limit time.Duration, q request) (response, error) {
	p.next++
	q.ID = p.next
	type answer struct {
		r   response
		err error
	}
	done := make(chan answer, 1)
	go func() {
		var a answer
		if a.err = writeFrame(p.in, q); a.err == nil {
			a.err = readFrame(p.out, &a.r)
		}
		if a.err == nil {
			a.err = a.r.check(q)
		}
		done <- a
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var a answer
	select {
	case a = <-done:
		if a.err != nil && !errors.Is(a.err, ErrGarbage) {
			a.err = fmt.Errorf("%w: %w", ErrCrashed, a.err)
		}
	case <-timer.C:
		a.err = ErrHung
	case <-ctx.Done():
		a.err = ctx.Err()
	}
	if a.err != nil {
		p.Close()
		return response{}, fmt.Errorf("%s, %s: %w", filepath.Base(p.path), q.Verb, a.err)
	}
	if a.r.Error != "" {
		return a.r, fmt.Errorf("%s, %s: %w: %.200q", filepath.Base(p.path), q.Verb, causes[a.r.Error], a.r.Detail)
	}
	return a.r, nil
}

// Self is the program to start children from.
func Self() (string, error) {
	return os.Executable()
}
