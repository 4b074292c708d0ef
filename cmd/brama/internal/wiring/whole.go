package wiring

import (
	"context"
	"crypto/tls"
	"net"
	"sync"

	"brama/provider"
)

// WholeListener returns l with connections on which pages go out in one piece. TLS stands above it.
func WholeListener(l net.Listener) net.Listener { return wholeListener{l} }

type wholeListener struct{ net.Listener }

func (l wholeListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &wholeConn{Conn: c}, nil
}

// wholeContext lets the provider know a connection of a WholeListener.
func wholeContext(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if whole, ok := c.(*wholeConn); ok {
		return provider.WithHolder(ctx, whole)
	}
	return ctx
}

// A wholeConn is a connection that can hold for a moment what is written.
type wholeConn struct {
	net.Conn
	mu   sync.Mutex
	held *[]byte // nil if nothing is held
}

// heldBuffers are kept; none holds anything between two answers.
var heldBuffers = sync.Pool{New: func() any { return new([]byte) }}

func (c *wholeConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	if c.held != nil {
		*c.held = append(*c.held, b...)
		c.mu.Unlock()
		return len(b), nil
	}
	c.mu.Unlock()
	return c.Conn.Write(b)
}

// Hold implements provider.Holder: it keeps back what is written until Release.
func (c *wholeConn) Hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		c.held = heldBuffers.Get().(*[]byte) //nolint:forcetypeassert // nothing else is put there
	}
}

// Release implements provider.Holder: it writes what was held. Its writer was told that all is well, so a connection on which it fails is closed.
func (c *wholeConn) Release() error {
	c.mu.Lock()
	held := c.held
	c.held = nil
	c.mu.Unlock()
	if held == nil {
		return nil
	}
	_, err := c.Conn.Write(*held)
	clear(*held) // it may hold a person's data
	*held = (*held)[:0]
	heldBuffers.Put(held)
	if err != nil {
		_ = c.Close() // it is of no use any more
	}
	return err
}

// CloseWrite says that nothing more is written, where the connection can say that. net/http asks for it before it closes one on
// which something is unread: without it the other side may lose the answer.
func (c *wholeConn) CloseWrite() error {
	if inner, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return inner.CloseWrite()
	}
	return nil
}
