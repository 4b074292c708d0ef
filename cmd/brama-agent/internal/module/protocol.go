package module

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"brama/internal/pkcs11"
)

// Verb is the hidden argument that makes the agent a child: `brama-agent pkcs11-module PATH`.
const Verb = "pkcs11-module"

// Limits of the protocol. A token has a few certificates of two kilobytes.
const (
	maxFrame        = 2 << 20
	maxTokens       = 64
	maxCertificates = 64
	maxCertificate  = 64 << 10
	maxKeys         = 64
	maxValue        = 4 << 10
)

// Errors beside those of package pkcs11, which keep their meaning across the pipe.
var (
	ErrCrashed = errors.New("module: the child process ended")
	ErrHung    = errors.New("module: no answer within the time limit")
	ErrGarbage = errors.New("module: the child process talks nonsense")
)

// verbs of a request. "open" belongs to a token, "login" and "sign" to the session that it opens.
const (
	verbTokens  = "tokens"  // → Tokens
	verbOpen    = "open"    // Slot → Token, Certificates
	verbLogin   = "login"   // PIN → Token
	verbObjects = "objects" // → Certificates, Keys
	verbSign    = "sign"    // Key, Input, PIN → Value; Token where the PIN was refused
)

// A request is one frame to the child. The PIN travels here and nowhere else.
type request struct {
	ID    int           `json:"id"`
	Verb  string        `json:"verb"`
	Slot  uint          `json:"slot,omitempty"`
	Key   int           `json:"key,omitempty"` // index into the keys of the last objects
	PIN   []byte        `json:"pin"`           // null is none; empty is a login without a PIN of ours, for a PIN pad
	Input *pkcs11.Input `json:"input,omitempty"`
}

// A response is one frame from the child.
type response struct {
	ID           int            `json:"id"`
	Error        string         `json:"error,omitempty"` // a key of causes, or "fault"
	Detail       string         `json:"detail,omitempty"`
	Tokens       []pkcs11.Token `json:"tokens,omitempty"`
	Token        *pkcs11.Token  `json:"token,omitempty"`
	Certificates [][]byte       `json:"certificates,omitempty"`
	Keys         []pkcs11.Key   `json:"keys,omitempty"`
	Value        []byte         `json:"value,omitempty"`
}

// causes are the names of errors on the pipe.
var causes = map[string]error{
	"not built":      pkcs11.ErrNotBuilt,
	"no module":      pkcs11.ErrNoModule,
	"pin wrong":      pkcs11.ErrPINWrong,
	"pin locked":     pkcs11.ErrPINLocked,
	"pin expired":    pkcs11.ErrPINExpired,
	"cancelled":      pkcs11.ErrCancelled,
	"removed":        pkcs11.ErrRemoved,
	"unsupported":    pkcs11.ErrUnsupported,
	"authentication": pkcs11.ErrAuthentication,
	"fault":          pkcs11.ErrFault,
}

func causeOf(err error) string {
	for name, cause := range causes {
		if name != "fault" && errors.Is(err, cause) {
			return name
		}
	}
	return "fault"
}

// writeFrame writes the length of the JSON, four octets, big-endian, and the JSON.
func writeFrame(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	defer clear(b) // it may hold the PIN
	if len(b) > maxFrame {
		return fmt.Errorf("frame of %d octets: %w", len(b), ErrGarbage)
	}
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
	defer clear(frame)
	_, err = w.Write(frame)
	return err
}

// readFrame reads one frame into v, strictly.
func readFrame(r io.Reader, v any) error {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxFrame {
		return fmt.Errorf("frame of %d octets: %w", n, ErrGarbage)
	}
	b := make([]byte, n)
	defer clear(b)
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return errors.Join(ErrGarbage, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("more than one value in a frame: %w", ErrGarbage)
	}
	return nil
}

// check refuses an answer that no honest child gives: the parent goes on only with values of known size.
func (r *response) check(q request) error {
	bad := r.ID != q.ID || len(r.Tokens) > maxTokens || len(r.Certificates) > maxCertificates || len(r.Keys) > maxKeys || len(r.Value) > maxValue
	for _, c := range r.Certificates {
		bad = bad || len(c) > maxCertificate
	}
	if r.Error == "" {
		switch q.Verb {
		case verbOpen, verbLogin:
			bad = bad || r.Token == nil
		case verbSign:
			bad = bad || len(r.Value) == 0
		}
	}
	if _, ok := causes[r.Error]; bad || r.Error != "" && !ok {
		return fmt.Errorf("answer to %s: %w", q.Verb, ErrGarbage)
	}
	return nil
}
