package wiring

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// NewLog returns the log of a server: lines of JSON as slog.JSONHandler writes them, each in one Write.
func NewLog(w io.Writer) *slog.Logger {
	out := &oneWriter{w: w}
	return slog.New(&lineHandler{Handler: slog.NewJSONHandler(out, nil), out: out})
}

// A oneWriter is written to by one at a time.
type oneWriter struct {
	mu   sync.Mutex
	w    io.Writer
	line []byte // the last one's memory
}

func (o *oneWriter) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(b)
}

// A lineHandler writes lines of plain words and numbers by itself, as every request has one, and leaves the others, and loggers with
// attributes or groups of their own, to the handler that it embeds.
type lineHandler struct {
	slog.Handler
	out *oneWriter
}

var _ slog.Handler = (*lineHandler)(nil)

// Handle implements slog.Handler.
func (h *lineHandler) Handle(ctx context.Context, r slog.Record) error {
	if done, err := h.out.writeLine(&r); done {
		return err
	}
	return h.Handler.Handle(ctx, r)
}

// maxLine bounds the memory that is kept for the next line, in bytes.
const maxLine = 1 << 10

// writeLine writes the line of a record, or says that it is not done.
func (o *oneWriter) writeLine(r *slog.Record) (done bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	line, ok := appendLine(o.line[:0], r)
	if !ok {
		return false, nil
	}
	if cap(line) <= maxLine {
		o.line = line
	}
	_, err = o.w.Write(line)
	return true, err
}

// farFuture is in the year 9000, Unix seconds. RFC 3339 has no year of five digits.
const farFuture = 7030 * 365 * 24 * 3600

// appendLine appends the line of a record, or says that it has to be written with more care.
func appendLine(b []byte, r *slog.Record) ([]byte, bool) {
	if at := r.Time.Unix(); at < 0 || at >= farFuture || !isPlain(r.Message) {
		return nil, false
	}
	b = append(b, `{"time":"`...)
	b = r.Time.Round(0).AppendFormat(b, time.RFC3339Nano)
	b = append(append(b, `","level":"`...), r.Level.String()...)
	b = append(append(append(b, `","msg":"`...), r.Message...), '"')
	plain := true
	r.Attrs(func(a slog.Attr) bool {
		if plain = a.Key != "" && isPlain(a.Key); !plain {
			return false
		}
		b = append(append(append(b, `,"`...), a.Key...), `":`...)
		switch a.Value.Kind() {
		case slog.KindString:
			if plain = isPlain(a.Value.String()); plain {
				b = append(append(append(b, '"'), a.Value.String()...), '"')
			}
		case slog.KindInt64:
			b = strconv.AppendInt(b, a.Value.Int64(), 10)
		default:
			plain = false
		}
		return plain
	})
	return append(b, "}\n"...), plain
}

// isPlain reports whether a JSON string holds s as it is: printable ASCII without quotation marks and backslashes.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
