// Package adminonly tells whether a file can be changed by nobody but an administrator of this computer (threat T61): the
// list of origins, the PKCS#11 modules and the dialog program are taken from such files only. It reads owners and rights;
// what is in a file is not its business.
package adminonly

import (
	"errors"
	"fmt"
	"path/filepath"
)

// ErrWritable says that somebody else could change the file, or put another in its place.
var ErrWritable = errors.New("somebody who is no administrator can change it")

// Check returns an error unless path is absolute and leads to a regular file that only an administrator can change,
// replace or rename, on every step of the way, symbolic links included.
func Check(path string) error {
	if !filepath.IsAbs(path) || filepath.Clean(path) != path {
		return fmt.Errorf("%q: not an absolute path in its plain form", path)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	if err := checkWay(path); err != nil {
		return err
	}
	return checkWay(real)
}
