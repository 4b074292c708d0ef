// Package audit is the record of who did what: append-only, chained, written before the act takes effect. It is not
// logging: an event that cannot be recorded is an error, and the caller must then not do what it was about to record.
//
// It does not decide what is worth recording (provider/authflow, provider/admin), and it keeps no personal data in its
// lines: identifiers of persons stand there masked and as keyed hashes, evidence lies apart and sealed.
package audit

import (
	"context"
	"time"
)

// A Log records events. Record returns nil only after the event is on the disk (but see Event.Unsynced and Event.Durable); the
// caller must treat an error as "it did not happen" and refuse the act.
type Log interface {
	Record(ctx context.Context, e Event) error
}

// An Outcome is how an act ended. The zero value is invalid.
type Outcome string

// Outcomes.
const (
	Passed        Outcome = "passed"
	Failed        Outcome = "failed"
	Indeterminate Outcome = "indeterminate" // could not be known now
	Fault         Outcome = "fault"         // our own error
)

// An Identifier is a typed number of a person. It is never written as it is: a line holds a mask and a keyed hash, so that
// whoever has the number and the key can find its lines.
type Identifier struct {
	Type, Country, Value string
}

// An Evidence is what is kept to repeat a decision later. It is stored apart from the line, sealed; the line holds its
// name and the SHA-256 of the sealed bytes, so that it can be erased by retention without breaking the chain.
type Evidence struct {
	Signature  []byte // SignedData, DER
	Content    []byte // the exact bytes that were signed
	Revocation []byte // OCSP response or CRL, DER
	TrustList  string // version or digest of the list
	// RevocationList names a large Revocation that is kept apart from the evidence, once for many. Record sets it.
	RevocationList string
}

// An Event is one act. Texts longer than MaxValue bytes are cut; control, format and bidi characters are written escaped.
type Event struct {
	Action    string  // what was done, a constant of the program: "login.verified", "grant.issued"
	Outcome   Outcome // how it ended
	Code      string  // stable code of the message, "" if passed
	Login     string  // id of the login
	Client    string
	Connector string
	Person    string // random id of the person's record
	Actor     string // who did it, if not the person: an officer, "system"
	Address   string // network address of the browser
	Detail    map[string]string

	Identifiers []Identifier // masked and hashed
	Evidence    *Evidence    // stored apart

	// Unsynced is for an act on which nothing is let out yet: Record returns once the event is written, which outlives the
	// process, and the next event without it brings both to the disk.
	Unsynced bool

	// Durable, if not nil, is for an act that is prepared while its line goes to the disk: Record returns once the event is
	// written, and nothing of the act may be let out before Durable.Wait has returned nil.
	Durable *Durable

	Time time.Time // zero means the log's clock
}

// A Durable tells when an event is on the disk. The zero value is for one event.
type Durable struct {
	wait func() error // nil: it is there since Record returned
}

// Await is called by a Log that will know later: wait returns once the event is on the disk.
func (d *Durable) Await(wait func() error) { d.wait = wait }

// Wait returns nil once the event is on the disk.
func (d *Durable) Wait() error {
	if d.wait == nil {
		return nil
	}
	return d.wait()
}
