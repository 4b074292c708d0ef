package wiring

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// forgetStart gives back the pages of the program's own file that only the start needed: code of initialisation, embedded
// files, tables. They are clean copies of the file; what is still needed comes back by itself.
func forgetStart() {
	program, err := os.Executable()
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return // a machine without /proc keeps them
	}
	for line := range bytes.Lines(maps) {
		from, to, ok := unwritten(string(line), program)
		if !ok {
			continue
		}
		// Advice that is not taken changes nothing.
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_DONTNEED)
	}
}

// unwritten reads a line of /proc/self/maps, proc(5): the range of a mapping of program that nobody can write.
func unwritten(line, program string) (from, to uintptr, ok bool) {
	var mode, offset, device, inode, name string
	n, err := fmt.Sscanf(line, "%x-%x %s %s %s %s %s", &from, &to, &mode, &offset, &device, &inode, &name)
	return from, to, err == nil && n == 7 && name == program && (mode == "r--p" || mode == "r-xp") && from < to
}
