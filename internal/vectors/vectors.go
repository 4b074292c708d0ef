// Package vectors finds the real signatures, key containers and CA lists that stand beside the project, for tests. They
// are read where they stand and never copied. A test without them is skipped with a reason; with CI set, or where the
// folder is empty, it fails, so that a broken checkout cannot pass for a tested one.
package vectors

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir returns the folder of the vectors.
func Dir(t testing.TB) string { t.Helper(); return folder(t, "vectors") }

// Trust returns the folder of the CA lists and bundles.
func Trust(t testing.TB) string { t.Helper(); return folder(t, "trust") }

// Read returns one file of the vectors, named relative to [Dir].
func Read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Dir(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ReadTrust returns one file of the CA lists, named relative to [Trust].
func ReadTrust(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Trust(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Glob returns the files of the vectors that match pattern, relative to [Dir]; none is a failure.
func Glob(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(Dir(t), filepath.FromSlash(pattern)))
	if err != nil || len(names) == 0 {
		t.Fatalf("no vector matches %q: %v", pattern, err)
	}
	return names
}

func folder(t testing.TB, name string) string {
	t.Helper()
	dir := find(name)
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("shared/%s is absent, and CI is set", name)
		}
		t.Skipf("shared/%s stands neither beside the project nor where BRAMA_SHARED says", name)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Fatalf("shared/%s is empty or unreadable: %v", name, err)
	}
	return dir
}

func find(name string) string {
	if root := os.Getenv("BRAMA_SHARED"); root != "" {
		return filepath.Join(root, name)
	}
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		candidate := filepath.Join(filepath.Dir(dir), "shared", name)
		if info, err := os.Stat(candidate); err == nil && info.IsDir() {
			return candidate
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}
