package provider

import (
	"context"
	"net/http"
)

// A Holder is a connection that can keep back what is written to it until Release, which sends it in one piece; what cannot be
// sent ends the connection. net/http hands an answer to its connection in pieces of 4 KiB, so that a page takes two calls of the
// system and two packets without one.
type Holder interface {
	Hold()
	Release() error
}

type holderKey struct{}

// WithHolder lets handlers know the connection of their requests. It is for http.Server.ConnContext.
func WithHolder(ctx context.Context, h Holder) context.Context {
	return context.WithValue(ctx, holderKey{}, h)
}

// holderOf is the connection of a request, nil if it cannot hold. HTTP/2 shares one between requests and has pieces of its own.
func holderOf(r *http.Request) Holder {
	if r.ProtoMajor != 1 {
		return nil
	}
	h, _ := r.Context().Value(holderKey{}).(Holder)
	return h
}

// maxWhole bounds an answer that goes out in one piece, and minWhole is from where it would not anyway.
const (
	minWhole = 2 << 10
	maxWhole = 32 << 10
)

// WriteWhole writes b, which is the whole body of an answer, in one piece with its headers.
func (w *recorder) WriteWhole(b []byte) (int, error) {
	flusher, ok := w.ResponseWriter.(http.Flusher)
	if w.conn == nil || !ok || len(b) < minWhole || len(b) > maxWhole {
		return w.Write(b)
	}
	w.conn.Hold()
	n, err := w.Write(b)
	flusher.Flush()
	if late := w.conn.Release(); err == nil {
		err = late
	}
	return n, err
}
