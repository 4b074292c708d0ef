package wiring

import (
	"errors"
	"fmt"
	"path/filepath"

	"brama/internal/audit"
	"brama/storage/boltstore"
	"brama/storage/seal"
)

// A State is what a server keeps on the disk: the store and the audit log.
type State struct {
	Store *boltstore.Store
	Audit *audit.File
}

// DevMarker is a file that tells a data folder of `brama dev` from that of `brama serve`. dev opens no folder without it, so
// that no production store meets test trust; serve none that has it, so that nothing that test trust let in is believed.
const DevMarker = "brama-dev"

// AuditDir is where the log of events is, in the data folder.
const AuditDir = "audit"

// AuditKey is the key of the chain of the log of events.
func AuditKey(secret []byte) []byte { return seal.Derive(secret, "audit") }

// OpenState opens, or makes, the state in a folder. The audit log's chain is verified first: a log that was edited or cut
// stops the start.
func OpenState(dir string, secret []byte) (*State, error) {
	store, err := boltstore.Open(boltstore.Config{Path: filepath.Join(dir, "brama.db")})
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	evidence, err := seal.New(seal.Derive(secret, "evidence"))
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	record, err := audit.Open(audit.Config{Dir: filepath.Join(dir, AuditDir), Key: AuditKey(secret), Sealer: evidence})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the audit log: %w", err), store.Close())
	}
	return &State{Store: store, Audit: record}, nil
}

// Close closes both.
func (s *State) Close() error { return errors.Join(s.Audit.Close(), s.Store.Close()) }
