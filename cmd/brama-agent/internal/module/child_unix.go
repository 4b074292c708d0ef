//go:build unix

package module

import (
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// Isolate prepares a child for a module's code and returns the pipe for answers: what a module prints must not get into
// it, and a crash must not leave a picture of the memory, where the PIN is, on the disk.
func Isolate() (*os.File, error) {
	if err := NoDumps(); err != nil {
		return nil, err
	}
	fd, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	for _, std := range []int{1, 2} {
		if err := duplicate(int(null.Fd()), std); err != nil {
			return nil, err
		}
	}
	return os.NewFile(uintptr(fd), "answers"), nil
}

// NoDumps forbids core dumps of this process and, on Linux, other processes of the same user to look into it.
func NoDumps() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return err
	}
	return undumpable()
}

func hostFor(program, _ string) string { return program }

func hideWindow(*exec.Cmd) {}
