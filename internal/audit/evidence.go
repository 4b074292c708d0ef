package audit

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"brama/internal/disk"
	"brama/internal/pack"
)

// Evidence stands in one file a day, named by it (UTC, 20261231), one sealed value behind the other, so that retention is
// deleting files by name, and keeping one is a write and a sync. Its id says where:
//
//	day - random name - offset - length
//
// The name is what it is sealed for. What no line names is what a crash left. A large revocation value has a file of its own,
// named by the day and its SHA-256.

// sealedEvidence is one evidence on its way to the disk.
type sealedEvidence struct {
	name   string
	sealed []byte
	id     string // once it is kept
	sum    [sha256.Size]byte
}

// A segment is the file of a day. It is the writer's.
type segment struct {
	day  string
	file *os.File
	end  int64
	tail disk.Tail
}

const dayFormat = "20060102"

// evidenceForm is the first byte of packed evidence: it says how the rest is written.
const evidenceForm = 1

// pack appends e to b.
func (e *Evidence) pack(b []byte) []byte {
	b = append(b, evidenceForm)
	for _, p := range e.octets() {
		b = pack.AppendString(b, *p)
	}
	return pack.AppendString(pack.AppendString(b, e.TrustList), e.RevocationList)
}

// unpack reads what pack wrote; b is e's from then on.
func (e *Evidence) unpack(b []byte) error {
	r := pack.NewReader(b)
	if r.Uint() != evidenceForm {
		return pack.ErrPacked
	}
	for _, p := range e.octets() {
		if v := r.Bytes(int(r.Uint())); len(v) > 0 {
			*p = v
		}
	}
	e.TrustList, e.RevocationList = r.String(), r.String()
	return r.End()
}

func (e *Evidence) octets() [3]*[]byte {
	return [...]*[]byte{&e.Signature, &e.Content, &e.Revocation}
}

// packed are buffers of evidence that was sealed.
var packed = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// maxPacked bounds the buffers that are kept.
const maxPacked = 16 << 10

// dropPacked gives back a buffer, without what was in it.
func dropPacked(b []byte) {
	if clear(b); cap(b) <= maxPacked {
		packed.Put(&b)
	}
}

func (f *File) sealEvidence(e *Evidence) (*sealedEvidence, error) {
	plain := e.pack((*packed.Get().(*[]byte))[:0])
	defer dropPacked(plain)
	if len(plain) > MaxEvidence {
		return nil, fmt.Errorf("audit: evidence of %d bytes, limit %d", len(plain), MaxEvidence)
	}
	s := &sealedEvidence{name: rand.Text()}
	s.sealed = f.cfg.Sealer.Seal("evidence:"+s.name, plain)
	s.sum = sha256.Sum256(s.sealed)
	return s, nil
}

// keep writes the evidence of a batch.
func (f *File) keep(entries []*entry) error {
	var all []byte
	for _, it := range entries {
		if it.evidence == nil {
			continue
		}
		if all == nil {
			if err := f.openSegment(f.cfg.Now().UTC().Format(dayFormat)); err != nil {
				return fmt.Errorf("audit: keeping evidence: %w", err)
			}
		}
		it.evidence.id = evidenceID(f.kept.day, it.evidence.name, f.kept.end+int64(len(all)), len(it.evidence.sealed))
		if all == nil {
			all = it.evidence.sealed // most batches have one
		} else {
			all = append(all, it.evidence.sealed...)
		}
		it.evidence.sealed = nil
	}
	if all == nil {
		return nil
	}
	if _, err := f.kept.file.WriteAt(all, f.kept.end); err != nil {
		return fmt.Errorf("audit: keeping evidence: %w", err)
	}
	f.kept.end += int64(len(all))
	f.kept.tail.Wrote()
	return nil
}

// sync makes what the segment holds durable.
func (s *segment) sync() error {
	if err := s.tail.Sync(); err != nil {
		return fmt.Errorf("audit: keeping evidence: %w", err)
	}
	return nil
}

// openSegment opens the file of a day, unless it is open.
func (f *File) openSegment(day string) error {
	if f.kept.day == day && f.kept.file != nil {
		return nil
	}
	if f.kept.file != nil {
		if err := errors.Join(f.kept.sync(), f.kept.file.Close()); err != nil {
			return err
		}
	}
	f.kept = segment{day: day}
	folder := filepath.Join(f.cfg.Dir, evidenceDir)
	file, err := os.OpenFile(filepath.Join(folder, day), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	f.kept.file, f.kept.tail = file, disk.NewTail(file)
	if f.kept.end, err = file.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	return disk.SyncDir(folder)
}

// Evidence returns what was kept under the id that a line names.
func (f *File) Evidence(id string) (*Evidence, error) {
	day, name, offset, size, err := readEvidenceID(id)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(f.cfg.Dir, evidenceDir, day))
	if err != nil {
		return nil, fmt.Errorf("audit: reading evidence: %w", err)
	}
	sealed := make([]byte, size)
	_, err = file.ReadAt(sealed, offset)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("audit: reading evidence: %w", err)
	}
	plain, err := f.cfg.Sealer.Open("evidence:"+name, sealed)
	if err != nil {
		return nil, fmt.Errorf("audit: opening evidence: %w", err)
	}
	e := &Evidence{}
	if err := e.unpack(plain); err != nil {
		return nil, fmt.Errorf("audit: decoding evidence: %w", err)
	}
	if e.RevocationList != "" {
		if e.Revocation, err = f.list(e.RevocationList); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func evidenceID(day, name string, offset int64, size int) string {
	var room [64]byte
	b := append(append(append(append(room[:0], day...), '-'), name...), '-')
	return string(strconv.AppendInt(append(strconv.AppendInt(b, offset, 10), '-'), int64(size), 10))
}

func readEvidenceID(id string) (day, name string, offset int64, size int, err error) {
	bad := errors.New("audit: not an evidence id")
	parts := strings.Split(id, "-")
	if len(parts) != 4 || len(parts[0]) != len(dayFormat) || strings.Trim(parts[0], "0123456789") != "" {
		return "", "", 0, 0, bad
	}
	offset, err = strconv.ParseInt(parts[2], 10, 64)
	if err != nil || offset < 0 {
		return "", "", 0, 0, bad
	}
	size, err = strconv.Atoi(parts[3])
	if err != nil || size < 0 || size > 2*MaxEvidence {
		return "", "", 0, 0, bad
	}
	return parts[0], parts[1], offset, size, nil
}
