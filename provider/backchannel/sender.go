package backchannel

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"brama/internal/audit"
	"brama/storage"
)

// Limits of the sender.
const (
	postTime   = 5 * time.Second // of one try
	lease      = time.Minute     // a try that says nothing for so long has died with its process
	atOnce     = 8               // portals
	maxRound   = 256             // messages looked at together
	idleRound  = time.Minute     // another process may have stored a message
	storesTime = 10 * time.Second
)

// pauses are between the tries: one more try than there are of them.
var pauses = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}

// A Tokens makes logout tokens. It returns ErrNobody for a client that is not to be told.
type Tokens func(ctx context.Context, client, person, sid string) (uri, token string, err error)

// ErrNobody is for a message whose portal has no address any more.
var ErrNobody = errors.New("backchannel: portal has no address for logout tokens")

// A Post sends a form with the parameter logout_token and returns the status of the answer.
type Post func(ctx context.Context, uri, token string) (status int, err error)

// Config is what a Sender needs. Everything is required but where it says otherwise.
type Config struct {
	Store  storage.Store
	Tokens Tokens
	Post   Post
	Audit  audit.Log
	Log    *slog.Logger     // nil means slog.Default
	Now    func() time.Time // nil means time.Now
}

// A Sender sends what is waiting. Safe for concurrent use; several processes may serve one queue.
type Sender struct {
	cfg  Config
	wake chan struct{}

	mu   sync.Mutex
	busy map[string]bool // portals that are being told
	wg   sync.WaitGroup
}

// New returns a Sender. It sends while Run runs.
func New(cfg Config) (*Sender, error) {
	if cfg.Store == nil || cfg.Tokens == nil || cfg.Post == nil || cfg.Audit == nil {
		return nil, errors.New("backchannel: store, tokens, post and audit are needed")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Sender{cfg: cfg, wake: make(chan struct{}, 1), busy: map[string]bool{}}, nil
}

// Wake says that messages may be waiting. It never blocks.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends, and returns when the tries under way have ended too.
func (s *Sender) Run(ctx context.Context) {
	defer s.wg.Wait()
	for {
		wait := idleRound
		next, err := s.round(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.cfg.Log.LogAttrs(ctx, slog.LevelError, "messages of ended sessions cannot be read", slog.String("err", err.Error()))
		case !next.IsZero():
			wait = min(wait, max(next.Sub(s.cfg.Now()), time.Second))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-s.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// round starts what is due, one worker a portal, and returns when the next message will be.
func (s *Sender) round(ctx context.Context) (time.Time, error) {
	var due []storage.Farewell
	var next time.Time
	err := s.cfg.Store.View(ctx, func(tx storage.Tx) (err error) {
		due, next, err = storage.Farewells(tx, s.cfg.Now(), maxRound)
		return err
	})
	if err != nil {
		return time.Time{}, err
	}
	byClient := map[string][]storage.Farewell{}
	for _, f := range due {
		byClient[f.Client] = append(byClient[f.Client], f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for client, messages := range byClient {
		// A portal that hangs holds one worker, and its own messages: it wakes the loop at its end.
		if s.busy[client] || len(s.busy) >= atOnce {
			continue
		}
		s.busy[client] = true
		s.wg.Go(func() {
			defer func() {
				s.mu.Lock()
				delete(s.busy, client)
				s.mu.Unlock()
				s.Wake()
			}()
			s.tell(ctx, messages)
		})
	}
	return next, nil
}

// tell sends the messages of one portal in turn. After one failure the others wait for the next round like it.
func (s *Sender) tell(ctx context.Context, messages []storage.Farewell) {
	for i, m := range messages {
		if ctx.Err() != nil {
			return
		}
		if !s.try(ctx, m) {
			for _, later := range messages[i+1:] {
				s.update(ctx, func(tx storage.Tx) error {
					return storage.PutFarewellOff(tx, later, s.cfg.Now().Add(pauses[0]))
				})
			}
			return
		}
	}
}

// try makes one try; false says that the portal could not be told.
func (s *Sender) try(ctx context.Context, seen storage.Farewell) bool {
	var m storage.Farewell
	if !s.update(ctx, func(tx storage.Tx) (err error) {
		m, err = storage.ClaimFarewell(tx, seen, s.cfg.Now().Add(lease))
		return err
	}) {
		return true // somebody else has it, or it is gone
	}
	limited, cancel := context.WithTimeout(ctx, postTime)
	defer cancel()
	uri, token, err := s.cfg.Tokens(limited, m.Client, m.Person, m.SID)
	if errors.Is(err, ErrNobody) {
		s.update(ctx, func(tx storage.Tx) error { return storage.DeleteFarewell(tx, m.ID) })
		return true
	}
	status := 0
	if err == nil {
		status, err = s.cfg.Post(limited, uri, token)
	}
	// Back-Channel Logout 1.0, 2.8: 200; 204 is what some frameworks make of it.
	if err == nil && (status == 200 || status == 204) {
		s.record(ctx, m, audit.Passed, "")
		s.update(ctx, func(tx storage.Tx) error { return storage.DeleteFarewell(tx, m.ID) })
		return true
	}
	s.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "a portal could not be told of the end of a session",
		slog.String("client", m.Client), slog.Int("try", m.Tries), slog.Int("status", status), slog.Any("err", err))
	if m.Tries > len(pauses) {
		s.record(ctx, m, audit.Failed, "LOGOUT_NOT_HEARD")
		s.update(ctx, func(tx storage.Tx) error { return storage.DeleteFarewell(tx, m.ID) })
		return false
	}
	if ctx.Err() != nil {
		return false // we are stopping: the lease brings it back, to us or to another process
	}
	s.update(ctx, func(tx storage.Tx) error {
		return storage.PutFarewellOff(tx, m, s.cfg.Now().Add(pauses[m.Tries-1]))
	})
	return false
}

// update writes, and reports whether it did. That another process was faster is no error.
func (s *Sender) update(ctx context.Context, fn func(storage.Tx) error) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storesTime)
	defer cancel()
	err := s.cfg.Store.Update(ctx, fn)
	if err != nil && !errors.Is(err, storage.ErrConflict) && !errors.Is(err, storage.ErrNotFound) {
		s.cfg.Log.LogAttrs(ctx, slog.LevelError, "a message of an ended session cannot be written", slog.String("err", err.Error()))
	}
	return err == nil
}

func (s *Sender) record(ctx context.Context, m storage.Farewell, outcome audit.Outcome, code string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storesTime)
	defer cancel()
	if err := s.cfg.Audit.Record(ctx, audit.Event{Action: "logout.told", Outcome: outcome, Code: code, Client: m.Client, Person: m.Person, Actor: "system"}); err != nil {
		s.cfg.Log.LogAttrs(ctx, slog.LevelError, "the audit cannot be written", slog.String("err", err.Error()))
	}
}
