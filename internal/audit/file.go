package audit

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"brama/internal/batch"
	"brama/internal/disk"
)

// Config of a File.
type Config struct {
	// Dir holds audit.jsonl and, below evidence/, what is kept to repeat decisions. Made (0700) if absent.
	Dir string
	// Key chains the lines and hashes identifiers: at least 32 random bytes, outside Dir. Who can write the file and does
	// not have it cannot change a line unseen.
	Key []byte
	// Sealer seals evidence.
	Sealer Sealer
	// Checkpoints is a file, best on another disk, that gets the head of the chain: a log whose tail was cut is then shorter
	// than its checkpoint says. "" means Dir/checkpoints.jsonl.
	Checkpoints string
	Now         func() time.Time // the clock; nil means time.Now
}

// A Sealer encrypts evidence, bound to a purpose (storage/seal).
type Sealer interface {
	Seal(purpose string, plaintext []byte) []byte
	Open(purpose string, sealed []byte) ([]byte, error)
}

const (
	logName        = "audit.jsonl"
	checkpointName = "checkpoints.jsonl"
	evidenceDir    = "evidence"
	checkpointTime = time.Minute // at most so much of the tail can be cut unseen
	// With these the longest line, each byte of it escaped, is below maxLine.
	maxIdentifiers = 8
	maxDetails     = 16
	// MaxEvidence bounds one evidence, in bytes.
	MaxEvidence = 4 << 20
)

// Errors of a File.
var (
	ErrClosed = errors.New("audit: closed")
	// ErrBroken is returned by every Record after a write has failed: the log is then opened again by a restart, which
	// checks it. Until then nothing that must be recorded happens.
	ErrBroken = errors.New("audit: an earlier write failed, restart the server")
)

// A File is a Log in a file of JSON lines, each with the HMAC of itself and of the one before. Records that come together
// share one sync. Safe for concurrent use.
type File struct {
	cfg    Config
	key    []byte // of the chain
	index  []byte // of identifiers
	writer batch.Writer[*entry]
	lists  lists

	// The writer's.
	broken            error // why there is nothing to be written any more
	file, checkpoints *os.File
	kept              segment
	lines             lineWriter
	head              head
	tail              disk.Tail // of file
	checkpointed      head
	checkpointAt      time.Time
}

var _ Log = (*File)(nil)

type entry struct {
	event    Event // one without an action is no line, and waits for those before
	evidence *sealedEvidence
	err      error
}

// Open opens the log in cfg.Dir, or makes it. The chain and the checkpoints are verified first: a log that was edited or
// cut is an error. A last line without its end is what a crash leaves of a record that nobody was told of: it is removed.
func Open(cfg Config) (*File, error) {
	if cfg.Dir == "" || cfg.Sealer == nil {
		return nil, errors.New("audit: folder and sealer are needed")
	}
	if len(cfg.Key) < 32 {
		return nil, fmt.Errorf("audit: key of %d bytes, want at least 32", len(cfg.Key))
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Checkpoints == "" {
		cfg.Checkpoints = filepath.Join(cfg.Dir, checkpointName)
	}
	if err := os.MkdirAll(filepath.Join(cfg.Dir, evidenceDir), 0o700); err != nil {
		return nil, fmt.Errorf("audit: making the folder: %w", err)
	}
	f := &File{cfg: cfg, key: subkey(cfg.Key, "chain"), index: subkey(cfg.Key, "identifier")}
	f.lines = newLineWriter(f.key, f.index)
	f.writer.Write, f.writer.Abort = f.write, f.abort
	if err := f.open(); err != nil {
		return nil, errors.Join(err, f.closeFiles())
	}
	return f, nil
}

func subkey(key []byte, label string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("brama audit " + label))
	return m.Sum(nil)
}

func (f *File) open() error {
	var err error
	if f.file, err = openAppend(filepath.Join(f.cfg.Dir, logName)); err != nil {
		return err
	}
	f.tail = disk.NewTail(f.file)
	if f.checkpoints, err = openAppend(f.cfg.Checkpoints); err != nil {
		return err
	}
	for _, file := range []*os.File{f.file, f.checkpoints} {
		if err := dropTornLine(file); err != nil {
			return err
		}
	}
	points, err := readCheckpoints(f.checkpoints, f.key)
	if err != nil {
		return err
	}
	if f.head, err = verify(f.file, f.key, points); err != nil {
		return err
	}
	f.checkpointed = f.head
	if len(points) == 0 {
		f.checkpointed = head{}
	}
	if err := disk.SyncDir(f.cfg.Dir); err != nil {
		return fmt.Errorf("audit: syncing the folder: %w", err)
	}
	return nil
}

func openAppend(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("audit: opening: %w", err)
	}
	return file, nil
}

// dropTornLine cuts what follows the last line feed.
func dropTornLine(file *os.File) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("audit: reading: %w", err)
	}
	end := size
	buf := make([]byte, 4096)
	for end > 0 {
		n := min(int64(len(buf)), end)
		if _, err := file.ReadAt(buf[:n], end-n); err != nil {
			return fmt.Errorf("audit: reading: %w", err)
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			end = end - n + int64(i) + 1
			break
		}
		end -= n
	}
	if end == size {
		return nil
	}
	if err := file.Truncate(end); err != nil {
		return fmt.Errorf("audit: removing a torn line: %w", err)
	}
	return file.Sync()
}

// Record implements Log. Evidence is on the disk before its line is, and the line before Record returns, but for events that
// need not be, or not yet. It waits for its sync even if ctx ends meanwhile, for the outcome must be known.
func (f *File) Record(ctx context.Context, e Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if e.Action == "" || e.Outcome == "" {
		return errors.New("audit: event without action or outcome")
	}
	if len(e.Identifiers) > maxIdentifiers || len(e.Detail) > maxDetails {
		return fmt.Errorf("audit: more than %d identifiers or %d details", maxIdentifiers, maxDetails)
	}
	if e.Time.IsZero() {
		e.Time = f.cfg.Now()
	}
	it := &entry{event: e}
	if e.Evidence != nil {
		evidence, err := f.apart(e.Evidence)
		if err != nil {
			return err
		}
		if it.evidence, err = f.sealEvidence(evidence); err != nil {
			return err
		}
	}
	if e.Durable != nil {
		e.Durable.Await(f.durable)
	}
	return f.do(it)
}

// durable returns once every line that was written before is on the disk.
func (f *File) durable() error { return f.do(&entry{}) }

func (f *File) do(it *entry) error {
	if !f.writer.Do(it) {
		return ErrClosed
	}
	return it.err
}

// write is what the writer does: what has gathered during the last sync it syncs as one.
func (f *File) write(entries []*entry) (after func()) {
	if f.broken == nil {
		if err := f.commit(entries); err != nil {
			f.broken = fmt.Errorf("%w: %w", ErrBroken, err)
		}
	}
	for _, it := range entries {
		it.err = f.broken
	}
	return nil
}

// abort is for a writer that did not come to its end: where the file ends then is not known.
func (f *File) abort(entries []*entry) {
	f.broken = fmt.Errorf("%w: the writer ended", ErrBroken)
	for _, it := range entries {
		it.err = f.broken
	}
}

func (f *File) commit(entries []*entry) error {
	sync, begin := false, false
	for _, it := range entries {
		begin = begin || it.event.Durable != nil
		sync = sync || it.event.Durable == nil && !it.event.Unsynced
	}
	if err := f.keep(entries); err != nil {
		return err
	}
	if sync || begin {
		if err := f.kept.sync(); err != nil {
			return err
		}
	} else {
		f.kept.tail.Begin()
	}
	h := f.lines.begin(f.head)
	for _, it := range entries {
		if it.event.Action != "" {
			h = f.lines.add(h, it)
		}
	}
	if len(f.lines.text) > 0 {
		if _, err := f.file.Write(f.lines.text); err != nil {
			return fmt.Errorf("audit: writing: %w", err)
		}
		f.head = h
		f.tail.Wrote()
	}
	if !sync {
		if begin {
			f.tail.Begin()
		}
		return nil
	}
	if err := f.sync(); err != nil {
		return err
	}
	if now := f.cfg.Now(); now.Sub(f.checkpointAt) >= checkpointTime {
		f.checkpointAt = now
		return f.checkpoint()
	}
	return nil
}

// sync brings every line to the disk.
func (f *File) sync() error {
	if err := f.tail.Sync(); err != nil {
		return fmt.Errorf("audit: syncing: %w", err)
	}
	return nil
}

// checkpoint writes the head of the chain to the other file, once the line is on the disk: a log must never be shorter than
// its checkpoint says.
func (f *File) checkpoint() error {
	if f.head == f.checkpointed {
		return nil
	}
	if err := errors.Join(f.kept.sync(), f.sync()); err != nil {
		return err
	}
	line, err := json.Marshal(checkpointOf(f.key, f.head, f.cfg.Now()))
	if err != nil {
		return err
	}
	if _, err := f.checkpoints.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("audit: writing a checkpoint: %w", err)
	}
	f.checkpointed = f.head
	return disk.Sync(f.checkpoints)
}

// Close writes what waits, and a last checkpoint.
func (f *File) Close() error {
	if !f.writer.Close() {
		return nil
	}
	if f.broken == nil {
		_ = f.checkpoint() // the next start verifies without it, only less
	}
	return f.closeFiles()
}

func (f *File) closeFiles() error {
	var errs []error
	for _, file := range []*os.File{f.file, f.checkpoints, f.kept.file} {
		if file != nil {
			errs = append(errs, file.Close())
		}
	}
	return errors.Join(errs...)
}

// IdentifierHash returns the keyed hash of an identifier as it stands in lines, in hex: who has the number and the key
// finds its lines.
func (f *File) IdentifierHash(i Identifier) string {
	return string(appendIdentifierHash(nil, hmac.New(sha256.New, f.index), i))
}
