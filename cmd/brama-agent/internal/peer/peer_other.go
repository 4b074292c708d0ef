//go:build !linux && !windows && !darwin

package peer

import "net/netip"

// check: this system does not tell, so nobody is let in.
func check(remote, local netip.AddrPort) error { return ErrUnknown }
