//go:build unix

package adminonly

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// TestModulePath: a path is taken only if nobody but the administrator can change what it leads to (T61).
func TestModulePath(t *testing.T) {
	administrator = strconv.Itoa(os.Getuid())
	t.Cleanup(func() { administrator = "0" })
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "lib")
	file := filepath.Join(dir, "module.so")
	link := filepath.Join(dir, "link.so")
	fresh := func() {
		t.Helper()
		for _, err := range []error{os.RemoveAll(dir), os.Mkdir(dir, 0o755), os.WriteFile(file, nil, 0o644), os.Symlink("module.so", link)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name string
		path string
		do   func() error
		want error // nil: accepted; os.ErrInvalid: refused in whatever way
	}{
		{"plain", file, nil, nil},
		{"link to it", link, nil, nil},
		{"group may write", file, func() error { return os.Chmod(file, 0o664) }, ErrWritable},
		{"everybody may write", file, func() error { return os.Chmod(file, 0o646) }, ErrWritable},
		{"folder writable", file, func() error { return os.Chmod(dir, 0o757) }, ErrWritable},
		{"folder above writable", file, func() error { return os.Chmod(root, 0o775) }, ErrWritable},
		{"sticky folder", file, func() error { return os.Chmod(dir, 0o777|os.ModeSticky) }, nil},
		{"link to a writable file", link, func() error { return os.Chmod(file, 0o666) }, ErrWritable},
		{"relative", "lib/module.so", nil, os.ErrInvalid},
		{"not plain", root + "/lib/../lib/module.so", nil, os.ErrInvalid},
		{"folder", dir, nil, os.ErrInvalid},
		{"absent", filepath.Join(dir, "other.so"), nil, os.ErrNotExist},
	} {
		t.Run(c.name, func(t *testing.T) {
			fresh()
			if c.do != nil {
				if err := c.do(); err != nil {
					t.Fatal(err)
				}
				defer func() { _ = os.Chmod(root, 0o755) }()
			}
			switch err := Check(c.path); {
			case c.want == os.ErrInvalid && err != nil:
			case !errors.Is(err, c.want), c.want == nil && err != nil:
				t.Errorf("Check = %v, want %v", err, c.want)
			}
		})
	}
	t.Run("belongs to another", func(t *testing.T) {
		fresh()
		administrator = strconv.Itoa(os.Getuid() + 1)
		defer func() { administrator = strconv.Itoa(os.Getuid()) }()
		if os.Getuid() == 0 {
			if err := os.Chown(file, 2, 2); err != nil {
				t.Fatal(err)
			}
		}
		if err := Check(file); !errors.Is(err, ErrWritable) {
			t.Errorf("Check = %v, want ErrWritable", err)
		}
	})
}
