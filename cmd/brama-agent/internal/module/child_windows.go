package module

import (
	"debug/pe"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Isolate prepares a child for a module's code and returns the pipe for answers: what a module prints must not get into
// it. Its folder is where the module's own libraries are.
func Isolate() (*os.File, error) {
	answers := os.Stdout
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	for _, std := range []uint32{windows.STD_OUTPUT_HANDLE, windows.STD_ERROR_HANDLE} {
		if err := windows.SetStdHandle(std, windows.Handle(null.Fd())); err != nil {
			return nil, err
		}
	}
	if err := NoDumps(); err != nil {
		return nil, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return nil, err
	}
	return answers, setDLLDirectory(path)
}

var procSetDllDirectory = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetDllDirectoryW")

func setDLLDirectory(path *uint16) error {
	if ok, _, err := syscall.SyscallN(procSetDllDirectory.Addr(), uintptr(unsafe.Pointer(path))); ok == 0 {
		return err
	}
	return nil
}

// NoDumps keeps the system from showing or storing anything of a crash.
func NoDumps() error {
	windows.SetErrorMode(windows.SEM_FAILCRITICALERRORS | windows.SEM_NOGPFAULTERRORBOX | windows.SEM_NOOPENFILEERRORBOX)
	return nil
}

// hostFor returns the agent of the module's word size: many makers have 32-bit modules only, which the 32-bit agent
// beside this one loads.
func hostFor(program, path string) string {
	f, err := pe.Open(path)
	if err != nil {
		return program // the child will tell
	}
	defer func() { _ = f.Close() }()
	if f.Machine == pe.IMAGE_FILE_MACHINE_I386 && runtime.GOARCH != "386" {
		return filepath.Join(filepath.Dir(program), "brama-agent32.exe")
	}
	return program
}

func hideWindow(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NO_WINDOW}
}
