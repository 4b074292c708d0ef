package wiring

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"

	"brama/provider"
)

// A countedListener notes what each write to its connections is.
type countedListener struct {
	net.Listener
	mu     sync.Mutex
	writes []int
	fails  bool
}

type countedConn struct {
	net.Conn
	l *countedListener
}

func (l *countedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countedConn{c, l}, nil
}

func (c *countedConn) Write(b []byte) (int, error) {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	c.l.writes = append(c.l.writes, len(b))
	if c.l.fails {
		return 0, io.ErrClosedPipe
	}
	return c.Conn.Write(b)
}

func (l *countedListener) taken() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.writes
	l.writes = nil
	return w
}

// wholeServer serves bodies of the size that stands in the address.
func wholeServer(t *testing.T, secure bool) (*httptest.Server, *countedListener) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size, _ := strconv.Atoi(r.URL.Path[1:])
		w.Header().Set("Content-Length", r.URL.Path[1:])
		c := r.Context().Value(connKey{}).(*wholeConn)
		c.Hold()
		_, _ = w.Write(bytes.Repeat([]byte{'x'}, size))
		w.(http.Flusher).Flush()
		_ = c.Release()
		if c.held != nil {
			t.Error("something is still held")
		}
	}))
	counted := &countedListener{Listener: s.Listener}
	s.Listener = WholeListener(counted)
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if t, ok := c.(*tls.Conn); ok {
			c = t.NetConn()
		}
		return context.WithValue(wholeContext(ctx, c), connKey{}, c)
	}
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s, counted
}

type connKey struct{}

func TestHeldIsOneWrite(t *testing.T) {
	for _, secure := range []bool{false, true} {
		s, counted := wholeServer(t, secure)
		for i, size := range []int{0, 10, 4096, 6000, 6000, 8192, 32 << 10} {
			resp, err := s.Client().Get(s.URL + "/" + strconv.Itoa(size))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || len(b) != size || len(bytes.Trim(b, "x")) != 0 {
				t.Fatalf("%d bytes, %v; want %d", len(b), err, size)
			}
			if writes := counted.taken(); len(writes) != 1 && (i > 0 || !secure) { // a handshake goes before the first
				t.Errorf("%d bytes took writes of %d, want one", size, writes)
			}
		}
	}
}

// A page that did not go out is not taken for one that did, and nothing of it stays for another connection.
func TestHeldNotWritten(t *testing.T) {
	s, counted := wholeServer(t, false)
	counted.fails = true
	if resp, err := s.Client().Get(s.URL + "/6000"); err == nil {
		resp.Body.Close()
		t.Error("an answer came")
	}
	for range 4 {
		b := heldBuffers.Get().(*[]byte)
		if slices.ContainsFunc((*b)[:cap(*b)], func(c byte) bool { return c != 0 }) {
			t.Error("what was held is kept")
		}
	}
}

// A request that is refused before all of it was read is answered, and the answer ends, though the connection is closed with a rest
// unread: net/http says first that nothing more comes.
func TestRefusedUnread(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Listener = WholeListener(s.Listener)
	s.Start()
	defer s.Close()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		_, _ = io.WriteString(c, "GET /1 HTTP/1.1\r\nHost: a\r\nX: ") // the server may not take it all
		_, _ = c.Write(bytes.Repeat([]byte{'x'}, 2*http.DefaultMaxHeaderBytes))
	}()
	answer, err := io.ReadAll(c)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 431 ")) {
		t.Errorf("answer %.60q, %v", answer, err)
	}
}

func TestWholeContext(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	for _, c := range []net.Conn{near, tls.Server(near, nil)} {
		if wholeContext(t.Context(), c) != t.Context() {
			t.Error("a connection of another listener can hold")
		}
	}
	for _, c := range []net.Conn{&wholeConn{Conn: near}, tls.Server(&wholeConn{Conn: near}, nil)} {
		if wholeContext(t.Context(), c) == t.Context() {
			t.Error("a connection cannot hold")
		}
	}
	var _ provider.Holder = (*wholeConn)(nil)
}
