package fetch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// dial resolves the host and connects to the first address that answers. Every address is checked after resolution and
// again in the socket's own hook, so that a name which changes its meaning between two look-ups gains nothing.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, ErrURL
	}
	var addrs []netip.Addr
	if ip, err := netip.ParseAddr(host); err == nil {
		addrs = []netip.Addr{ip}
	} else if addrs, err = c.cfg.Resolve(ctx, host); err != nil {
		return nil, fmt.Errorf("resolving the host: %w", err)
	}
	dialer := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil || !c.allowed(ap.Addr()) {
			return ErrAddress
		}
		return nil
	}}
	err = fmt.Errorf("%w: the host has none", ErrAddress)
	for _, ip := range addrs {
		if !c.allowed(ip) {
			// One bad address is enough: a host that mixes inner and outer addresses is not one we should talk to.
			return nil, ErrAddress
		}
	}
	for _, ip := range addrs {
		var conn net.Conn
		if conn, err = dialer.DialContext(ctx, network, net.JoinHostPort(ip.Unmap().String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// allowed reports whether a connection to ip may be made.
func (c *Client) allowed(ip netip.Addr) bool {
	ip = ip.Unmap() // ::ffff:127.0.0.1 is 127.0.0.1
	if ip.Zone() != "" {
		return false
	}
	for _, n := range c.cfg.AllowNetworks {
		if n.Contains(ip) {
			return true
		}
	}
	if ip.IsLoopback() {
		return c.cfg.AllowLoopback
	}
	return public(ip)
}

// public reports whether ip is an address of the open internet: an allow-list for IPv6 (only 2000::/3 is given out) and
// the special-purpose registries (IANA, RFC 6890) taken out of both.
func public(ip netip.Addr) bool {
	if !ip.IsValid() || !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	if ip.Is6() && !globalUnicast6.Contains(ip) {
		return false
	}
	for _, n := range special {
		if n.Contains(ip) {
			return false
		}
	}
	return true
}

var (
	globalUnicast6 = netip.MustParsePrefix("2000::/3")

	special = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),       // this network
		netip.MustParsePrefix("100.64.0.0/10"),   // shared address space (carrier NAT)
		netip.MustParsePrefix("192.0.0.0/24"),    // IETF protocol assignments
		netip.MustParsePrefix("192.0.2.0/24"),    // documentation
		netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
		netip.MustParsePrefix("198.18.0.0/15"),   // benchmarking
		netip.MustParsePrefix("198.51.100.0/24"), // documentation
		netip.MustParsePrefix("203.0.113.0/24"),  // documentation
		netip.MustParsePrefix("240.0.0.0/4"),     // reserved, broadcast
		netip.MustParsePrefix("2001::/23"),       // IETF protocol assignments, Teredo: it carries an IPv4 address inside
		netip.MustParsePrefix("2001:db8::/32"),   // documentation
		netip.MustParsePrefix("2002::/16"),       // 6to4: it carries an IPv4 address inside
		netip.MustParsePrefix("3fff::/20"),       // documentation
	}
)
