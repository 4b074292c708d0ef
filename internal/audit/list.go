package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"brama/internal/disk"
)

const (
	// largeRevocation is the size from which a revocation value is kept once a day for all whom it tells of: it is a CRL,
	// and while a responder cannot be reached every sign-in has the same one.
	largeRevocation = 64 << 10
	// maxList bounds it: a CRL and its delta.
	maxList = 40 << 20
)

// lists are the names of those that stand on the disk, of the day that is in use.
type lists struct {
	mu    sync.Mutex
	day   string
	known map[string]bool
}

// apart keeps a large revocation value of e apart and returns the evidence that names it.
func (f *File) apart(e *Evidence) (*Evidence, error) {
	if len(e.Revocation) < largeRevocation {
		return e, nil
	}
	if len(e.Revocation) > maxList {
		return nil, fmt.Errorf("audit: revocation value of %d bytes, limit %d", len(e.Revocation), maxList)
	}
	name, err := f.keepList(e.Revocation)
	if err != nil {
		return nil, fmt.Errorf("audit: keeping a list: %w", err)
	}
	small := *e
	small.Revocation, small.RevocationList = nil, name
	return &small, nil
}

// keepList makes sure that b stands on the disk, and returns its name: the day, as every evidence has, and the SHA-256.
func (f *File) keepList(b []byte) (name string, err error) {
	day := f.cfg.Now().UTC().Format(dayFormat)
	sum := sha256.Sum256(b)
	name = day + "-" + hex.EncodeToString(sum[:])
	l := &f.lists
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.day != day {
		l.day, l.known = day, make(map[string]bool)
	}
	if l.known[name] {
		return name, nil
	}
	folder := filepath.Join(f.cfg.Dir, evidenceDir)
	target := filepath.Join(folder, name)
	if _, err := os.Stat(target); err == nil { // of an earlier start
		l.known[name] = true
		return name, nil
	}
	file, err := os.CreateTemp(folder, "new-")
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name()) // which is gone unless something failed
	_, err = file.Write(f.cfg.Sealer.Seal("evidence:"+name, b))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return "", err
	}
	if err := os.Rename(file.Name(), target); err != nil {
		return "", err
	}
	if err := disk.SyncDir(folder); err != nil {
		return "", err
	}
	l.known[name] = true
	return name, nil
}

// list returns what was kept under name.
func (f *File) list(name string) ([]byte, error) {
	day, digest, ok := strings.Cut(name, "-")
	if want, err := hex.DecodeString(digest); !ok || err != nil || len(want) != sha256.Size || len(day) != len(dayFormat) || strings.Trim(day, "0123456789") != "" {
		return nil, errors.New("audit: not the name of a list")
	}
	sealed, err := os.ReadFile(filepath.Join(f.cfg.Dir, evidenceDir, name))
	if err != nil {
		return nil, fmt.Errorf("audit: reading a list: %w", err)
	}
	b, err := f.cfg.Sealer.Open("evidence:"+name, sealed)
	if err != nil {
		return nil, fmt.Errorf("audit: opening a list: %w", err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != digest {
		return nil, errors.New("audit: a list is not the one that was named")
	}
	return b, nil
}
