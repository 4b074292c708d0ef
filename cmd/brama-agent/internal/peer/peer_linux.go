package peer

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// check looks for the far socket in the kernel's tables, where each has its owner.
func check(remote, local netip.AddrPort) error {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if os.IsNotExist(err) {
			continue // a kernel without IPv6
		} else if err != nil {
			return fmt.Errorf("%w: %w", ErrUnknown, err)
		}
		uid, found, err := find(f, remote, local)
		_ = f.Close()
		switch {
		case err != nil:
			return fmt.Errorf("%w: %s: %w", ErrUnknown, table, err)
		case found && uid != os.Getuid():
			return fmt.Errorf("%w: uid %d", ErrOther, uid)
		case found:
			return nil
		}
	}
	return ErrUnknown
}

// maxTable bounds what is read of a table: a busy server has some ten thousand connections of 150 octets.
const maxTable = 64 << 20

// find reads a table of proc(5), tcp, for the socket that is bound to remote and connected to local.
func find(table io.Reader, remote, local netip.AddrPort) (uid int, found bool, err error) {
	lines := bufio.NewScanner(io.LimitReader(table, maxTable))
	lines.Scan() // the heading
	const established = "01"
	for lines.Scan() {
		// sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode ...
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 {
			return 0, false, fmt.Errorf("a line of %d fields", len(fields))
		}
		if fields[3] != established {
			continue // a socket that waits for its end has no owner any more
		}
		own, ok1 := parseAddress(fields[1])
		far, ok2 := parseAddress(fields[2])
		if !ok1 || !ok2 {
			return 0, false, fmt.Errorf("addresses %q and %q", fields[1], fields[2])
		}
		if own == remote && far == local {
			uid, err := strconv.Atoi(fields[7])
			return uid, err == nil, err
		}
	}
	return 0, false, lines.Err()
}

// parseAddress reads "0100007F:1F90": 32-bit words in the order of the machine, the port as a number.
func parseAddress(s string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(s, ":")
	octets, err := hex.DecodeString(host)
	p, err2 := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || err2 != nil || len(octets)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(octets); i += 4 {
		binary.BigEndian.PutUint32(octets[i:], binary.NativeEndian.Uint32(octets[i:]))
	}
	a, ok := netip.AddrFromSlice(octets)
	return netip.AddrPortFrom(a.Unmap(), uint16(p)), ok
}
