package wiring

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of the public listener: a slow or endless request costs a connection for a bounded time and nothing else.
const (
	headerLimit   = 16 << 10
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 5 * time.Second
)

// A Site is one listener and what it serves.
type Site struct {
	Listener net.Listener
	Handler  http.Handler
}

// Serve serves sites until ctx ends or one of them fails, then stops them all: running requests get stopTimeout.
func Serve(ctx context.Context, log *slog.Logger, sites ...Site) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	servers := make([]*http.Server, len(sites))
	for i, site := range sites {
		servers[i] = &http.Server{
			Handler: site.Handler, MaxHeaderBytes: headerLimit,
			ConnContext:       wholeContext,
			ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
			ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		}
		go func() {
			if err := servers[i].Serve(site.Listener); !errors.Is(err, http.ErrServerClosed) {
				cancel(err)
			}
		}()
	}
	<-ctx.Done()
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer done()
	for _, s := range servers {
		if err := s.Shutdown(stop); err != nil {
			log.Warn("a request was cut off", "err", errors.Join(err, s.Close()))
		}
	}
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
