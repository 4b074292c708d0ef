package authflow

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"brama/connectors"
	"brama/internal/audit"
	"brama/storage"
)

const (
	// noticeWait is how long a notification waits for its turn; whoever sent it may send it again.
	noticeWait = 5 * time.Second
	minNotify  = 32 // bytes of Config.Notify
)

// NotifySegment is the secret segment of the address for notifications of a method: the provider gets it once, and who
// does not have it is not heard. It proves nothing of a notification.
func NotifySegment(key []byte, method string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("notify " + method))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// Notify hears a provider that calls without a browser. Nothing in the call is believed but what the connector proves, and
// a call that proves nothing leaves no trace in the login (threat T44). What costs least is asked first (threat T43).
func (f *Flow) Notify(w http.ResponseWriter, r *http.Request, method, segment string) {
	c, ok := f.Connectors[method]
	hears, notified := c.(connectors.Notified)
	if !ok || !notified || len(f.NotifyKey) < minNotify || subtle.ConstantTimeCompare([]byte(segment), []byte(NotifySegment(f.NotifyKey, method))) != 1 {
		f.Report(r.Context(), "NOT_FOUND", nil)
		http.NotFound(w, r)
		return
	}
	err := f.hear(r, method, c, hears)
	status := http.StatusOK
	switch {
	case errors.Is(err, errBusy):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
	case errors.Is(err, errNoticeTooBig):
		status = http.StatusRequestEntityTooLarge
	case err != nil:
		status = http.StatusUnprocessableEntity
	}
	// The log says why; whoever sends false notifications learns nothing, and the person is not told of them.
	f.Report(r.Context(), "", err)
	kind, body := hears.Reply(err)
	w.Header().Set("Content-Type", kind)
	noStore(w)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

var (
	errBusy         = errors.New("too many notifications at once")
	errNoticeTooBig = errors.New("notification is too large")
)

func (f *Flow) hear(r *http.Request, method string, c connectors.Connector, hears connectors.Notified) error {
	if r.ContentLength > connectors.MaxEventBody {
		return errNoticeTooBig
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, connectors.MaxEventBody+1))
	if err != nil {
		return errors.New("notification does not arrive")
	}
	if len(body) > connectors.MaxEventBody {
		return errNoticeTooBig
	}
	ev := connectors.Event{Via: connectors.ViaNotify, Header: r.Header.Clone(), Values: r.URL.Query(), Body: body}
	ev.Header.Del("Cookie")
	id, err := hears.LoginOf(ev)
	if err != nil {
		return fmt.Errorf("notification names no login: %w", err)
	}
	if _, err := f.listening(r.Context(), id, method); err != nil {
		return err
	}
	// One at a time for a login, few at a time for all; then again, for the login may have moved on meanwhile.
	ctx, cancel := context.WithTimeout(r.Context(), noticeWait)
	defer cancel()
	leave, ok := f.gates.enter(ctx, id)
	if !ok {
		return errBusy
	}
	defer leave()
	select {
	case f.notices <- struct{}{}:
		defer func() { <-f.notices }()
	case <-ctx.Done():
		return errBusy
	}
	l, err := f.listening(r.Context(), id, method)
	if err != nil {
		return err
	}
	return f.heard(r, l, c, ev)
}

// listening returns a login that waits for a notification of a method.
func (f *Flow) listening(ctx context.Context, id, method string) (*login, error) {
	if !isID(id) {
		return nil, errNotWaiting
	}
	l, err := f.stored(ctx, id)
	if err != nil {
		return nil, err
	}
	if !f.live(l, method) || len(l.Connector) == 0 {
		return nil, errNotWaiting
	}
	return l, nil
}

// heard lets the connector judge a notification, and stores what it proves, or where it brings the login.
func (f *Flow) heard(r *http.Request, l *login, c connectors.Connector, ev connectors.Event) error {
	text, err := f.forConnector(l)
	if err != nil {
		return err
	}
	if err := f.unused(r.Context(), l, ev); err != nil {
		if refusal := (*connectors.Refusal)(nil); stale(err) || errors.As(err, &refusal) {
			return errNotWaiting // to its sender it is the same why
		}
		return errors.Join(err, errNotWaiting)
	}
	ctx, cancel := context.WithTimeout(r.Context(), advanceTime)
	defer cancel()
	step, err := c.Advance(ctx, text, ev)
	if done, ok := step.(connectors.Done); ok && err == nil {
		if err = demands(l, &done.Identity); err != nil { // this person is not taken by this portal
			err = fmt.Errorf("%w: %w", connectors.ErrAuthentic, err)
		}
	}
	if errors.Is(err, connectors.ErrAuthentic) {
		return errors.Join(err, f.tellRefused(r, l, asProblem(err)))
	}
	if err != nil {
		return err
	}
	waitsFor := bytes.Clone(l.Connector)
	for range 3 {
		if done, ok := step.(connectors.Done); ok {
			err = f.prove(r, l, &done.Identity)
		} else if _, leaves := step.(connectors.Redirect); leaves {
			return errors.New("a notification cannot send a browser anywhere")
		} else {
			_, err = f.keep(r.Context(), l, c, step)
		}
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
		// Another event was faster. The result still counts if the login waits for the same request.
		again, readErr := f.listening(r.Context(), l.ID, l.Method)
		if readErr != nil || !bytes.Equal(again.Connector, waitsFor) {
			return errors.Join(err, readErr)
		}
		l = again
	}
	return err
}

// tellRefused lets the page of a wait say, once, why a genuine signature was refused. The wait goes on as it was: another
// signature may still come, and whoever has seen the code cannot end it (threat T44).
func (f *Flow) tellRefused(r *http.Request, l *login, p *problem) error {
	if l.Failed != nil && l.Failed.Code == p.code || f.Site.Message("uk", p.code, nil).Code != p.code {
		return nil
	}
	if err := f.audit(r, l, audit.Event{Action: "login.refused", Outcome: outcome(p.code), Code: p.code, Connector: l.Method}); err != nil {
		return err
	}
	s := l.state
	s.Failed = &failure{Code: p.code, Values: p.values}
	return f.save(r.Context(), l, s, nil)
}

// isID reports whether s has the form of a login's id.
func isID(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == 16
}
