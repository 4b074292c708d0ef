package disk

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A waiter has the kernel sync a file and waits for the answer in the runtime's poller, io_submit(2). A thread that blocks in
// fdatasync(2) instead is found by the runtime's monitor, which moves the processor to another thread and wakes every few
// microseconds from then on: on one core that costs as much as the sync itself.
//
// The kernel puts an answer where io_getevents(2) finds it and then adds to the eventfd, and the poller sees each addition by
// itself: nobody has to read the sum.
type waiter struct {
	queue uintptr         // aio_context_t
	event *os.File        // eventfd(2)
	conn  syscall.RawConn // of event
	fd    uint32          // of event
	look  func(uintptr) bool
	err   error // of the order, or of asking for its answer
	lost  bool  // the latter
}

// iocb is struct iocb of <linux/aio_abi.h>.
type iocb struct {
	_             uint64    // aio_data
	_             [2]uint32 // aio_key and aio_rw_flags: their order is the machine's
	opcode        uint16
	_             int16 // priority
	fd            uint32
	_             [4]uint64 // buf, nbytes, offset, reserved2: zero for a sync
	flags, signal uint32    // signal is the eventfd
}

// ioEvent is struct io_event of <linux/aio_abi.h>.
type ioEvent struct {
	_      [2]uint64 // data, obj
	result int64
	_      int64 // res2
}

const (
	opSyncData = 3 // IOCB_CMD_FDSYNC, since Linux 4.18
	flagSignal = 1 // IOCB_FLAG_RESFD
)

func newWaiter() (*waiter, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	w := &waiter{event: os.NewFile(uintptr(fd), "eventfd"), fd: uint32(fd)}
	w.look = w.answered
	if w.conn, err = w.event.SyscallConn(); err != nil {
		_ = w.event.Close()
		return nil, err
	}
	if _, _, e := unix.Syscall(unix.SYS_IO_SETUP, 1, uintptr(unsafe.Pointer(&w.queue)), 0); e != 0 {
		_ = w.event.Close()
		return nil, e
	}
	return w, nil
}

// order has the kernel sync fd. False if the kernel did not take the order: nothing is known then.
func (w *waiter) order(fd uintptr) bool {
	cb := iocb{opcode: opSyncData, fd: uint32(fd), flags: flagSignal, signal: w.fd}
	list := [1]*iocb{&cb}
	n, _, e := unix.RawSyscall(unix.SYS_IO_SUBMIT, w.queue, 1, uintptr(unsafe.Pointer(&list)))
	return e == 0 && n == 1
}

// wait returns once the order is done. If it may still owe an answer, the waiter is not used again.
func (w *waiter) wait() error {
	if err := w.conn.Read(w.look); err != nil {
		return fmt.Errorf("disk: waiting for a sync: %w", err)
	}
	if w.lost {
		return w.err
	}
	err := w.err
	putWaiter(w)
	return err
}

// answered asks for the answer. The poller calls it before it waits, when it has forgotten the signals until then, and after
// each signal; it waits as long as false is returned.
func (w *waiter) answered(uintptr) bool {
	var answer ioEvent
	var now unix.Timespec // it does not block
	for {
		n, _, e := unix.RawSyscall6(unix.SYS_IO_GETEVENTS, w.queue, 0, 1, uintptr(unsafe.Pointer(&answer)), uintptr(unsafe.Pointer(&now)), 0)
		switch {
		case e == unix.EINTR:
			continue
		case e != 0 || n > 1:
			w.err, w.lost = fmt.Errorf("disk: %d answers to a sync: %w", n, e), true
			return true
		case n == 0:
			return false
		}
		w.err = nil
		if answer.result < 0 {
			w.err = unix.Errno(-answer.result)
		}
		return true
	}
}

// idle are the waiters that nobody uses: as many as files were ever synced at once.
var idle struct {
	sync.Mutex
	list []*waiter
	none bool // an old kernel, or a sandbox without these calls
}

// begin orders a sync of f, nil if that cannot be: its caller uses Sync. Whoever waits for it gets its error, which the kernel
// tells once.
func begin(f *os.File) *waiter {
	w := takeWaiter()
	if w != nil && !w.order(f.Fd()) {
		putWaiter(w)
		return nil
	}
	return w
}

// takeWaiter returns nil where there are none.
func takeWaiter() *waiter {
	idle.Lock()
	defer idle.Unlock()
	if idle.none {
		return nil
	}
	if n := len(idle.list); n > 0 {
		w := idle.list[n-1]
		idle.list = idle.list[:n-1]
		return w
	}
	w, err := newWaiter()
	if err != nil {
		idle.none = true
		return nil
	}
	return w
}

func putWaiter(w *waiter) {
	idle.Lock()
	defer idle.Unlock()
	idle.list = append(idle.list, w)
}
