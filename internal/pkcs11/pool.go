//go:build cgo

package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	poolSessions = 4
	// poolWait is how long anybody waits for a session that others use.
	poolWait = 5 * time.Second
	// poolRest is the time between two attempts to find a lost token again.
	poolRest = 2 * time.Second
)

// PoolConfig names a token and how to log in to it.
type PoolConfig struct {
	// Module is the absolute path of the module.
	Module string
	// Token is the label of the token. No other token of the module may have it.
	Token string
	// PIN is called before each login: what it returns is cleared after it.
	PIN func() ([]byte, error)
	// Sessions is how many signatures are made at once; 0 means 4.
	Sessions int
}

// A Pool keeps sessions with one token for a server. It logs in at the start, and again when the token was lost and is
// back, but never again after the token has refused the PIN, nor while the token says that a wrong one was tried: a server
// that is restarted over and over would lock it. Safe for concurrent use.
type Pool struct {
	cfg    PoolConfig
	wait   time.Duration
	module *Module    // used with a seat, restarted with all of them
	seats  chan *seat // those that are free
	// mending is held by who reconnects; failed, rested and refused belong to it.
	mending chan struct{}
	failed  error     // of the last attempt
	rested  time.Time // no attempt before
	refused error     // ends all attempts

	generation atomic.Int64 // counts attempts; does not change while a seat is held
	probing    chan struct{}

	mu   sync.Mutex
	keys map[string]*PoolKey // by use and label
}

// A seat is a session and the keys that were found through it, by use and label. session is nil while the token is lost.
type seat struct {
	session *Session
	keys    map[string]Key
}

// OpenPool loads the module, finds the token and logs in, once.
func OpenPool(cfg PoolConfig) (*Pool, error) {
	if cfg.Sessions == 0 {
		cfg.Sessions = poolSessions
	}
	module, err := Open(cfg.Module)
	if err != nil {
		return nil, err
	}
	p := &Pool{cfg: cfg, wait: poolWait, module: module, seats: make(chan *seat, cfg.Sessions), mending: make(chan struct{}, 1),
		probing: make(chan struct{}, 1), keys: map[string]*PoolKey{}}
	seats := make([]*seat, cfg.Sessions)
	for i := range seats {
		seats[i] = new(seat)
	}
	if err := p.connect(seats); err != nil {
		return nil, errors.Join(err, module.Close())
	}
	for _, s := range seats {
		p.seats <- s
	}
	return p, nil
}

// Close logs out. Sessions still in use after a while are left to their fate.
func (p *Pool) Close() error {
	if _, err := p.all(); err != nil {
		return err
	}
	return p.module.Close() // C_Finalize ends sessions and logins
}

// connect opens the sessions of seats and logs in. The caller holds all seats.
func (p *Pool) connect(seats []*seat) error {
	token, err := p.find()
	if err != nil {
		return err
	}
	for _, s := range seats {
		session, err := p.module.Session(token.Slot)
		if err != nil {
			return err
		}
		*s = seat{session: session, keys: map[string]Key{}}
	}
	if !token.LoginRequired {
		return nil
	}
	pin, err := p.cfg.PIN()
	if err != nil {
		return err
	}
	defer clear(pin)
	return seats[0].session.Login(pin) // of the whole process: the other sessions have it too
}

// find returns the token with the label, if a login may be tried.
func (p *Pool) find() (Token, error) {
	tokens, err := p.module.Tokens()
	if err != nil {
		return Token{}, err
	}
	var labels []string
	var found []Token
	for _, t := range tokens {
		labels = append(labels, fmt.Sprintf("%q", t.Label))
		if t.Label == p.cfg.Token {
			found = append(found, t)
		}
	}
	if len(found) != 1 {
		return Token{}, fmt.Errorf("%w: %d tokens have the label %q, want one; there are: %s", ErrNoToken, len(found), p.cfg.Token,
			strings.Join(labels, ", "))
	}
	switch t := found[0]; {
	case t.PINPad:
		return Token{}, fmt.Errorf("%w: the PIN of the token %q is typed on a reader, which no server can do", ErrUnsupported, t.Label)
	case t.PINLocked:
		return Token{}, fmt.Errorf("token %q: %w", t.Label, ErrPINLocked)
	case t.LoginRequired && (t.PINCountLow || t.PINFinalTry):
		return Token{}, fmt.Errorf("token %q: %w was tried since the last login, so that no other attempt is spent; put the right PIN into "+
			"its file and log in once by hand (pkcs11-tool --login), which clears the count", t.Label, ErrPINWrong)
	default:
		return t, nil
	}
}

// do runs f with a session, and a second time with a new one where the first was lost.
func (p *Pool) do(f func(*seat) error) error {
	var err error
	for range 2 {
		var s *seat
		select {
		case s = <-p.seats:
		case <-time.After(p.wait):
			return ErrSilent
		}
		generation := p.generation.Load()
		if err = ErrRemoved; s.session != nil {
			err = f(s)
		}
		p.seats <- s
		if !errors.Is(err, ErrRemoved) && !errors.Is(err, ErrFault) && !errors.Is(err, ErrAuthentication) {
			return err
		}
		if err := p.mend(generation); err != nil {
			return err
		}
	}
	return err
}

// mend connects anew, unless that was done since generation, or just now.
func (p *Pool) mend(generation int64) error {
	select {
	case p.mending <- struct{}{}:
		defer func() { <-p.mending }()
	case <-time.After(2 * p.wait): // another waits for seats first, and then for the token
		return ErrSilent
	}
	switch {
	case p.refused != nil:
		return p.refused
	case p.generation.Load() != generation || time.Now().Before(p.rested):
		return p.failed
	}
	seats, err := p.all()
	if err != nil {
		return err
	}
	for _, s := range seats {
		*s = seat{}
	}
	if err = p.module.restart(); err == nil {
		err = p.connect(seats)
	}
	if err != nil {
		for _, s := range seats {
			*s = seat{}
		}
		if errors.Is(err, ErrPINWrong) || errors.Is(err, ErrPINLocked) || errors.Is(err, ErrPINExpired) {
			p.refused = err
		}
	}
	p.failed, p.rested = err, time.Now().Add(poolRest)
	p.generation.Add(1)
	for _, s := range seats {
		p.seats <- s
	}
	return err
}

// all takes every seat.
func (p *Pool) all() ([]*seat, error) {
	var seats []*seat
	limit := time.After(p.wait)
	for range p.cfg.Sessions {
		select {
		case s := <-p.seats:
			seats = append(seats, s)
		case <-limit:
			for _, s := range seats {
				p.seats <- s
			}
			return nil, ErrSilent
		}
	}
	return seats, nil
}

// Check tells whether the token is there, logged in to, and has every key that Key was asked for. What is lost is looked
// for anew. A module that hangs costs one goroutine, not one for each call.
func (p *Pool) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	select {
	case p.probing <- struct{}{}:
	case <-ctx.Done():
		return ErrSilent
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-p.probing }()
		done <- p.do(p.probe)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ErrSilent
	}
}

func (p *Pool) probe(s *seat) error {
	if _, err := s.session.Token(); err != nil {
		return err
	}
	p.mu.Lock()
	keys := make([]*PoolKey, 0, len(p.keys))
	for _, k := range p.keys {
		keys = append(keys, k)
	}
	p.mu.Unlock()
	for _, k := range keys {
		s.keys[k.name()] = Key{}
		if _, err := k.on(s); errors.Is(err, ErrNoKey) {
			return fmt.Errorf("%w: %w", ErrRemoved, err) // a session that lost its login sees no private key
		} else if err != nil {
			return err
		}
	}
	return nil
}

// A PoolKey is a key of the token of a Pool. Safe for concurrent use.
type PoolKey struct {
	pool      *Pool
	label     string
	agreement bool // it derives, and does not sign
	key       Key  // as it was at the start
}

// name tells a key that signs from one that derives under the same label.
func (k *PoolKey) name() string {
	if k.agreement {
		return "derive " + k.label
	}
	return "sign " + k.label
}

// find looks the key up.
func (k *PoolKey) find(s *Session) (Key, error) {
	if k.agreement {
		return s.AgreementKeyByLabel(k.label)
	}
	return s.KeyByLabel(k.label)
}

// Key finds the private key with this label. ErrNoKey; ErrAuthentication for a key that wants its PIN at each signature.
func (p *Pool) Key(label string) (*PoolKey, error) { return p.open(&PoolKey{pool: p, label: label}) }

// AgreementKey is Key for a key of ДСТУ 4145 that derives.
func (p *Pool) AgreementKey(label string) (*PoolKey, error) {
	return p.open(&PoolKey{pool: p, label: label, agreement: true})
}

func (p *Pool) open(k *PoolKey) (*PoolKey, error) {
	err := p.do(func(s *seat) (err error) {
		k.key, err = k.find(s.session)
		return err
	})
	if err != nil {
		return nil, err
	}
	if k.key.Authenticate {
		return nil, fmt.Errorf("%w: %q", ErrAuthentication, k.label)
	}
	p.mu.Lock()
	p.keys[k.name()] = k
	p.mu.Unlock()
	return k, nil
}

// sign makes one signature value, as Session.Sign does.
func (k *PoolKey) sign(in Input) (value []byte, err error) {
	err = k.pool.do(func(s *seat) error {
		key, err := k.on(s)
		if err == nil {
			value, err = s.session.Sign(key, in, nil)
		}
		return err
	})
	return value, err
}

// Point is CKA_EC_POINT of the public half as the token gave it at the start; nil if it shows none.
func (k *PoolKey) Point() []byte { return k.key.Point }

// Unwrap derives in the token and opens a wrapped key there, as Session.Unwrap does.
func (k *PoolKey) Unwrap(w Wrapped) (content []byte, err error) {
	err = k.pool.do(func(s *seat) error {
		key, err := k.on(s)
		if err == nil {
			content, err = s.session.Unwrap(key, w)
		}
		return err
	})
	return content, err
}

// on returns the key as the session of s knows it, which must be the key that it was at the start.
func (k *PoolKey) on(s *seat) (Key, error) {
	if key := s.keys[k.name()]; key.Type != 0 {
		return key, nil
	}
	key, err := k.find(s.session)
	if err != nil {
		return Key{}, err
	}
	if key.Type != k.key.Type || !slices.Equal(key.Point, k.key.Point) || !slices.Equal(key.Modulus, k.key.Modulus) {
		return Key{}, fmt.Errorf("%w: there is another key under the label %q than at the start", ErrUnsupported, k.label)
	}
	s.keys[k.name()] = key
	return key, nil
}
