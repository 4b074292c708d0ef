//go:build !cgo

package pkcs11

// A Module is a loaded PKCS#11 module; there is none without cgo.
type Module struct{}

// Open returns ErrNotBuilt.
func Open(string) (*Module, error) { return nil, ErrNotBuilt }

// Tokens returns ErrNotBuilt.
func (m *Module) Tokens() ([]Token, error) { return nil, ErrNotBuilt }

// Session returns ErrNotBuilt.
func (m *Module) Session(uint) (*Session, error) { return nil, ErrNotBuilt }

// Close does nothing.
func (m *Module) Close() error { return nil }

// A Session is an open session with a token; there is none without cgo.
type Session struct{}

// Token returns ErrNotBuilt.
func (s *Session) Token() (Token, error) { return Token{}, ErrNotBuilt }

// Login returns ErrNotBuilt.
func (s *Session) Login([]byte) error { return ErrNotBuilt }

// Certificates returns ErrNotBuilt.
func (s *Session) Certificates() ([][]byte, error) { return nil, ErrNotBuilt }

// Keys returns ErrNotBuilt.
func (s *Session) Keys() ([]Key, error) { return nil, ErrNotBuilt }

// Sign returns ErrNotBuilt.
func (s *Session) Sign(Key, Input, []byte) ([]byte, error) { return nil, ErrNotBuilt }

// Close does nothing.
func (s *Session) Close() error { return nil }
