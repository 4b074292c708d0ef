//go:build unix

package main

import (
	"syscall"
	"time"
)

const warmUp = 20 * time.Millisecond

// processorTime is the processor time that this process has used: others on the machine do not count.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
