package module

import (
	"errors"
	"io"
	"os"

	"brama/internal/pkcs11"
)

// Serve is the child's whole life: it loads the module at path and answers requests until the parent closes the pipe.
func Serve(path string, in io.Reader, out io.Writer) error {
	requests := make(chan request)
	go func() {
		for {
			var q request
			if err := readFrame(in, &q); err != nil {
				// The parent has gone or has had enough. A call that hangs in the module cannot be left in any other way.
				os.Exit(0)
			}
			requests <- q
		}
	}()
	c := child{path: path}
	for q := range requests {
		r := c.answer(q)
		clear(q.PIN)
		r.ID = q.ID
		if err := writeFrame(out, r); err != nil {
			return err
		}
	}
	return nil
}

// A child holds one module and at most one session.
type child struct {
	path    string
	module  *pkcs11.Module
	session *pkcs11.Session
	keys    []pkcs11.Key
}

func (c *child) answer(q request) (r response) {
	var err error
	switch q.Verb {
	case verbTokens:
		r.Tokens, err = c.tokens()
	case verbOpen:
		err = c.open(q.Slot, &r)
	case verbLogin:
		err = c.login(q.PIN, &r)
	case verbObjects:
		err = c.objects(&r)
	case verbSign:
		err = c.sign(q, &r)
	default:
		err = errors.New("unknown verb")
	}
	if err != nil {
		return response{Error: causeOf(err), Detail: err.Error(), Token: r.Token}
	}
	return r
}

func (c *child) tokens() ([]pkcs11.Token, error) {
	if c.module == nil {
		m, err := pkcs11.Open(c.path)
		if err != nil {
			return nil, err
		}
		c.module = m
	}
	return c.module.Tokens()
}

func (c *child) open(slot uint, r *response) error {
	if c.module == nil {
		return errors.New("open out of order")
	}
	if c.session != nil {
		_ = c.session.Close()
		c.session, c.keys = nil, nil
	}
	s, err := c.module.Session(slot)
	if err != nil {
		return err
	}
	c.session = s
	token, err := s.Token()
	if err != nil {
		return err
	}
	r.Token = &token
	r.Certificates, err = s.Certificates()
	return err
}

// login tells with the error, too, what the token says of the attempts that are left.
func (c *child) login(pin []byte, r *response) error {
	if c.session == nil {
		return errors.New("login out of order")
	}
	failed := c.session.Login(pin)
	if token, err := c.session.Token(); err == nil {
		r.Token = &token
	} else if failed == nil {
		return err
	}
	return failed
}

func (c *child) objects(r *response) (err error) {
	if c.session == nil {
		return errors.New("objects out of order")
	}
	if r.Certificates, err = c.session.Certificates(); err != nil {
		return err
	}
	c.keys, err = c.session.Keys()
	r.Keys = c.keys
	return err
}

func (c *child) sign(q request, r *response) (err error) {
	if c.session == nil || q.Key < 0 || q.Key >= len(c.keys) || q.Input == nil {
		return errors.New("sign out of order")
	}
	r.Value, err = c.session.Sign(c.keys[q.Key], *q.Input, q.PIN)
	if err != nil && q.PIN != nil {
		if token, failed := c.session.Token(); failed == nil {
			r.Token = &token
		}
	}
	return err
}
