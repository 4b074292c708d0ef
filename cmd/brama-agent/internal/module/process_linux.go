package module

import "golang.org/x/sys/unix"

func undumpable() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }

func duplicate(from, to int) error { return unix.Dup3(from, to, 0) }
