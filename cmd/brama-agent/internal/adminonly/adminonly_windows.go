package adminonly

import (
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// administrators own the computer: BUILTIN\Administrators, SYSTEM and TrustedInstaller.
var administrators = []string{"S-1-5-32-544", "S-1-5-18", "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"}

// Rights that let their holder change a file or a directory, or put another in its place.
const (
	fileWriteData   = 0x2 // of a directory: add a file
	fileAppendData  = 0x4 // of a directory: add a directory
	fileDeleteChild = 0x40
	replace         = windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_ALL | windows.GENERIC_WRITE
	change          = replace | fileWriteData | fileAppendData
)

// checkWay looks at path, where nobody else may write, at its directory, where nobody else may add a file that a module
// would load, and at every directory above, where nobody else may delete or rename: to add beside it does no harm.
func checkWay(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("%s: not a regular file", path)
	}
	if err := checkRights(path, change); err != nil {
		return err
	}
	way := filepath.Dir(path)
	if err := checkRights(way, replace|fileDeleteChild|fileWriteData); err != nil {
		return err
	}
	for way != filepath.Dir(way) {
		way = filepath.Dir(way)
		rights := windows.ACCESS_MASK(replace | fileDeleteChild)
		if way == filepath.Dir(way) {
			rights &^= windows.DELETE // a drive has no name to delete
		}
		if err := checkRights(way, rights); err != nil {
			return err
		}
	}
	return nil
}

func checkRights(path string, rights windows.ACCESS_MASK) error {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("%s: reading its rights: %w", path, err)
	}
	owner, _, err := sd.Owner()
	if err != nil || owner == nil || !isAdministrator(owner) {
		return fmt.Errorf("%s: %w: its owner is no administrator", path, ErrWritable)
	}
	acl, _, err := sd.DACL()
	if err != nil || acl == nil { // no list at all means everything to everybody
		return fmt.Errorf("%s: %w: it has no list of rights", path, ErrWritable)
	}
	for i := range uint32(acl.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(acl, i, &ace); err != nil {
			return fmt.Errorf("%s: reading its rights: %w", path, err)
		}
		const inheritOnly = 0x8
		if ace.Header.AceType == windows.ACCESS_DENIED_ACE_TYPE || ace.Header.AceFlags&inheritOnly != 0 {
			continue
		}
		if ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE {
			return fmt.Errorf("%s: %w: a right of an unknown kind", path, ErrWritable)
		}
		sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart))
		if ace.Mask&rights != 0 && !isAdministrator(sid) {
			return fmt.Errorf("%s: %w: %s has the rights 0x%x", path, ErrWritable, sid, uint32(ace.Mask))
		}
	}
	return nil
}

func isAdministrator(sid *windows.SID) bool {
	text := sid.String()
	for _, a := range administrators {
		if a == text {
			return true
		}
	}
	return false
}
