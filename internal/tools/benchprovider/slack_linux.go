package main

import (
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// timerSlack is that of deploy/systemd, in nanoseconds.
const timerSlack = 1_000_000

// launch starts cmd as the service manager starts the server: its timers may be late by timerSlack, prctl(2). A program
// inherits it from the thread that starts it.
func launch(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, timerSlack, 0, 0, 0); err != nil {
		return err
	}
	defer unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) // the default again
	return cmd.Start()
}
