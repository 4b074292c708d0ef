//go:build unix

package qes_test

import (
	"syscall"
	"testing"
)

// cpuTime measures the processor time of the process, which other work on the machine does not lengthen as it does the
// clock's: call what it returns at the end of the loop.
func cpuTime(b *testing.B) (report func()) {
	b.Helper()
	now := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	start := now()
	return func() { b.ReportMetric(float64(now()-start)/float64(b.N), "cpu-ns/op") }
}
