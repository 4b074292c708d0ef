//go:build unix

package adminonly

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// administrator is the uid that must own everything: root's. A test that does not run as root links another one in
// (-ldflags -X); nothing at run time changes it.
var administrator = "0"

// checkWay looks at every directory from the root to path and at path itself. A link is looked at as an entry of its
// directory; what it leads to, by Check.
func checkWay(path string) error {
	admin, err := strconv.ParseUint(administrator, 10, 32)
	if err != nil {
		return fmt.Errorf("the administrator's uid: %w", err)
	}
	for way := path; ; way = filepath.Dir(way) {
		info, err := os.Lstat(way)
		if err != nil {
			return err
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return fmt.Errorf("%s: %w: its owner cannot be read", way, ErrWritable)
		}
		if uint64(stat.Uid) != admin && stat.Uid != 0 {
			return fmt.Errorf("%s: %w: it belongs to uid %d", way, ErrWritable, stat.Uid)
		}
		mode := info.Mode()
		switch {
		case mode&os.ModeSymlink != 0: // its mode says nothing
		case way == path && !mode.IsRegular():
			return fmt.Errorf("%s: not a regular file", way)
		case mode.Perm()&0o022 == 0:
		case mode.IsDir() && mode&os.ModeSticky != 0: // as /tmp: entries of another owner stay where they are
		default:
			return fmt.Errorf("%s: %w: mode %v", way, ErrWritable, mode)
		}
		if way == filepath.Dir(way) {
			return nil
		}
	}
}
