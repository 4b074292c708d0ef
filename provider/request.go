package provider

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"time"

	"brama/provider/web"
)

// An entry is what the operator's log says of one request: no address of a person, no query, no header, no body.
type entry struct {
	event  string
	found  found
	route  string
	status int
	code   string
	err    error
}

type entryKey struct{}

// A requestContext is the context of one request: it knows the entry.
type requestContext struct {
	context.Context
	entry *entry
}

func (c *requestContext) Value(key any) any {
	if key == (entryKey{}) {
		return c.entry
	}
	return c.Context.Value(key)
}

func entryOf(ctx context.Context) *entry {
	e, _ := ctx.Value(entryKey{}).(*entry)
	return e
}

// eventOf is the event number: it stands on the page, in the log and in the audit.
func eventOf(ctx context.Context) string {
	if e := entryOf(ctx); e != nil {
		return e.event
	}
	return ""
}

// report is how a handler says how its request ended.
func report(ctx context.Context, code string, err error) {
	if e := entryOf(ctx); e != nil {
		e.code, e.err = code, err
	}
}

// newEvent makes an event number such as 7F3A-21C9. It is a name for people and opens nothing, so that it takes no random bytes of the
// system.
func newEvent() string {
	n := rand.Uint32()
	b := [4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	const digits = "0123456789ABCDEF"
	text := [9]byte{4: '-'}
	for i, v := range b {
		at := 2*i + i/2
		text[at], text[at+1] = digits[v>>4], digits[v&15]
	}
	return string(text[:])
}

// A recorder keeps the status for the log, and in one piece what else is made for each request.
type recorder struct {
	http.ResponseWriter
	entry   entry
	context requestContext
	id      [1]string // the header of the event number
	started bool
	conn    Holder // nil if it cannot hold
}

func (w *recorder) WriteHeader(status int) {
	if !w.started {
		w.started, w.entry.status = true, status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if !w.started {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// maxURL bounds an address with its query. A portal's request is far shorter.
const maxURL = 16 << 10

// guard surrounds every request: its number, its safe headers, its line in the log, and no way out for a panic.
func (p *Provider) guard(table *routeTable, next http.Handler) http.Handler {
	https := strings.HasPrefix(p.cfg.Issuer, "https://") && !p.cfg.Dev
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := p.cfg.Now()
		rec := &recorder{ResponseWriter: w, conn: holderOf(r), entry: entry{event: newEvent(), status: http.StatusOK, found: table.find(r.Method, r.URL.Path)}}
		e := &rec.entry
		rec.context, rec.id = requestContext{r.Context(), e}, [1]string{e.event}
		r = r.WithContext(&rec.context)
		h := w.Header()
		web.Secure(h, https)
		if route := e.found.route; route == nil || !route.data {
			web.SecurePage(h)
		}
		h["X-Request-Id"] = rec.id[:]
		defer func() {
			if v := recover(); v != nil {
				if v == http.ErrAbortHandler { //nolint:errorlint // the sentinel of net/http, thrown as it is
					panic(v)
				}
				// Where it happened, but not what was in it: a panic's text may quote a person's data (threat T90).
				e.code, e.err = "INTERNAL", fmt.Errorf("panic of type %T at %s", v, panicSite())
				if !rec.started {
					http.Error(rec, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
				}
			}
			p.log(r, e, start)
		}()
		switch {
		case len(r.RequestURI) > maxURL:
			http.Error(rec, http.StatusText(http.StatusRequestURITooLong), http.StatusRequestURITooLong)
		case r.Header.Get("Service-Worker") != "":
			// A service worker registered in one bad minute would live on (threat T41).
			http.NotFound(rec, r)
		default:
			next.ServeHTTP(rec, r)
		}
	})
}

// panicSite is the function and line that panicked.
func panicSite() string {
	pc := make([]uintptr, 16)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		if !more {
			return "unknown"
		}
	}
}

func (p *Provider) log(r *http.Request, e *entry, start time.Time) {
	level := slog.LevelInfo
	if e.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	handler, now := p.cfg.Log.Handler(), p.cfg.Now()
	if !handler.Enabled(r.Context(), level) {
		return
	}
	// A record of our own: the logger would look for the line of the program that called it, at every request.
	record := slog.NewRecord(now, level, "request", 0)
	record.AddAttrs(slog.String("event", e.event), slog.String("method", methodName(r.Method)), slog.String("route", e.route),
		slog.Int("status", e.status), slog.Int64("ms", now.Sub(start).Milliseconds()))
	if e.code != "" {
		record.AddAttrs(slog.String("code", e.code))
	}
	if e.err != nil {
		record.AddAttrs(slog.String("err", e.err.Error()))
	}
	_ = handler.Handle(r.Context(), record) // a log that cannot be written has nobody to be told to
}

// methodName keeps strangers' words out of the log.
func methodName(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}
