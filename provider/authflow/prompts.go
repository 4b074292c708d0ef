package authflow

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Limits of requests that make somebody's telephone ring (threat T52).
const (
	promptsSoon    = 3 // for one identifier within promptWindow
	promptsDaily   = 10
	promptsAddress = 30 // for one network address within promptWindow
	promptWindow   = 10 * time.Minute
	maxPrompted    = 50_000
)

// prompts counts requests by what the person typed to be found by: a telephone number, an e-mail. The value itself is not
// kept, only its keyed hash, in memory.
type prompts struct {
	key   [32]byte
	mu    sync.Mutex
	m     map[[32]byte][]time.Time
	swept time.Time
}

// allow takes one request, unless there were too many. The answer does not depend on whether there is such an account.
func (p *prompts) allow(now time.Time, identifier, address string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.m == nil || len(p.m) >= maxPrompted || now.Sub(p.swept) > promptWindow {
		p.sweep(now)
	}
	network, counted := subscriber(address)
	who, where := p.hash("identifier", sameIdentifier(identifier)), p.hash("address", network)
	if since(p.m[who], now.Add(-promptWindow)) >= promptsSoon || since(p.m[who], now.Add(-24*time.Hour)) >= promptsDaily ||
		counted && since(p.m[where], now.Add(-promptWindow)) >= promptsAddress {
		return false
	}
	p.m[who] = append(p.m[who], now)
	if counted {
		p.m[where] = append(p.m[where], now)
	}
	return true
}

// subscriber is the network of one subscriber: an address, or the /64 of an IPv6 one. Loopback does not count: that is a proxy
// whose word for addresses is not taken, and everybody stands behind it.
func subscriber(address string) (network string, counted bool) {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address, true
	}
	a = a.Unmap().WithZone("")
	if a.Is6() && !a.IsLoopback() {
		p, _ := a.Prefix(64)
		return p.String(), true
	}
	return a.String(), !a.IsLoopback()
}

func (p *prompts) hash(kind, value string) (sum [32]byte) {
	m := hmac.New(sha256.New, p.key[:])
	m.Write([]byte(kind + " " + value))
	return [32]byte(m.Sum(nil))
}

func (p *prompts) sweep(now time.Time) {
	kept := map[[32]byte][]time.Time{}
	for k, times := range p.m {
		if since(times, now.Add(-24*time.Hour)) == 0 {
			continue
		}
		if len(times) > promptsAddress {
			times = times[len(times)-promptsAddress:]
		}
		kept[k] = times
	}
	if len(kept) >= maxPrompted {
		clear(kept) // a flood: forgetting is better than refusing everybody
	}
	p.m, p.swept = kept, now
}

func since(times []time.Time, from time.Time) (n int) {
	for _, t := range times {
		if t.After(from) {
			n++
		}
	}
	return n
}

// sameIdentifier brings the ways to write one identifier to one form: spaces and capitals do not matter, and a telephone
// number is its last nine digits.
func sameIdentifier(s string) string {
	s = strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -()+\u00a0\t", r) {
			return -1
		}
		return r
	}, s))
	if strings.Trim(s, "0123456789") == "" && len(s) > 9 {
		s = s[len(s)-9:]
	}
	return s
}
