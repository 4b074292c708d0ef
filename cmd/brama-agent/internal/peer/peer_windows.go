package peer

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

var procGetExtendedTCPTable = windows.NewLazySystemDLL("iphlpapi.dll").NewProc("GetExtendedTcpTable")

// check finds the process of the far socket in the system's table and compares its user with ours.
func check(remote, local netip.AddrPort) error {
	pid, err := owner(remote, local)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	theirs, err := userOf(pid)
	if err != nil {
		// The process of another user does not let itself be opened.
		return fmt.Errorf("%w: process %d: %w", ErrOther, pid, err)
	}
	ours, err := userOf(windows.GetCurrentProcessId())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	if !theirs.Equals(ours) {
		return ErrOther
	}
	return nil
}

// owner returns the process that has the socket bound to remote and connected to local. The table is DWORD count and then
// rows: MIB_TCPROW_OWNER_PID is state, local address, local port, remote address, remote port, pid, a DWORD each; in
// MIB_TCP6ROW_OWNER_PID an address has 16 octets and a scope, and the state comes before the pid.
func owner(remote, local netip.AddrPort) (uint32, error) {
	const tableOwnerPIDConnections = 4
	family, row := uint32(windows.AF_INET), 24
	if remote.Addr().Is6() {
		family, row = windows.AF_INET6, 56
	}
	size := uint32(1 << 16)
	for range 8 { // the table grows while it is asked for
		table := make([]byte, size)
		rc, _, _ := syscall.SyscallN(procGetExtendedTCPTable.Addr(), uintptr(unsafe.Pointer(&table[0])),
			uintptr(unsafe.Pointer(&size)), 0, uintptr(family), tableOwnerPIDConnections, 0)
		if rc == uintptr(windows.ERROR_INSUFFICIENT_BUFFER) {
			continue
		}
		if rc != 0 {
			return 0, syscall.Errno(rc)
		}
		n := int(binary.LittleEndian.Uint32(table))
		for i := 0; i < n && 4+(i+1)*row <= len(table); i++ {
			own, far, pid := parseRow(table[4+i*row:][:row])
			if own == remote && far == local {
				return pid, nil
			}
		}
		return 0, fmt.Errorf("the connection is not in the table")
	}
	return 0, fmt.Errorf("the table grows too fast")
}

func parseRow(b []byte) (own, far netip.AddrPort, pid uint32) {
	port := func(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
	if len(b) == 24 {
		own = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), port(b[8:]))
		far = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:16])), port(b[16:]))
		return own, far, binary.LittleEndian.Uint32(b[20:])
	}
	own = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[0:16])), port(b[20:]))
	far = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[24:40])), port(b[44:]))
	return own, far, binary.LittleEndian.Uint32(b[52:])
}

func userOf(pid uint32) (*windows.SID, error) {
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return nil, err
	}
	defer func() { _ = windows.CloseHandle(process) }()
	var token windows.Token
	if err := windows.OpenProcessToken(process, windows.TOKEN_QUERY, &token); err != nil {
		return nil, err
	}
	defer func() { _ = token.Close() }()
	user, err := token.GetTokenUser()
	if err != nil {
		return nil, err
	}
	return user.User.Sid.Copy()
}
