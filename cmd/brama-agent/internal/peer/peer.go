// Package peer tells whether the program at the other end of a loopback connection runs as the same user of this computer
// (threat T57): on a terminal server the loopback is shared by everybody. It knows addresses and owners only.
package peer

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// Causes for which a peer is refused.
var (
	ErrOther   = errors.New("peer: the connection belongs to another user")
	ErrUnknown = errors.New("peer: the owner of the connection is not known")
)

// Check returns nil only if the socket at the far end of conn, which must be a TCP connection within this computer,
// belongs to the user of this process.
func Check(conn net.Conn) error {
	remote, okRemote := address(conn.RemoteAddr())
	local, okLocal := address(conn.LocalAddr())
	if !okRemote || !okLocal || !remote.Addr().IsLoopback() || !local.Addr().IsLoopback() {
		return fmt.Errorf("%w: not on the loopback", ErrUnknown)
	}
	return check(remote, local)
}

func address(a net.Addr) (netip.AddrPort, bool) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), true
}
