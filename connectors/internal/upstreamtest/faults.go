package upstreamtest

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Faults that any system can have, by the value of a page's choice.
const (
	FaultHang    = "hang"    // no answer at all
	FaultSlow    = "slow"    // a byte now and then
	FaultBig     = "big"     // 10 MB
	FaultGarbage = "garbage" // octets of no form
	FaultHTML    = "html"    // a page of an error, with status 200
	FaultDown    = "down"    // status 503
	FaultTwice   = "twice"   // a member of the object stands twice
)

// maxHang bounds a fault if the other side never goes away.
const maxHang = 30 * time.Second

// Fault answers with a fault, and reports whether it is one.
func Fault(w http.ResponseWriter, r *http.Request, fault string) bool {
	switch fault {
	case FaultHang:
		select {
		case <-r.Context().Done():
		case <-time.After(maxHang):
		}
	case FaultSlow:
		w.Header().Set("Content-Type", "application/json")
		for until := time.Now().Add(maxHang); time.Now().Before(until) && r.Context().Err() == nil; time.Sleep(50 * time.Millisecond) {
			if _, err := w.Write([]byte(" ")); err != nil {
				return true
			}
			_ = http.NewResponseController(w).Flush()
		}
	case FaultBig:
		w.Header().Set("Content-Type", "application/json")
		chunk := []byte(`{"message":"` + strings.Repeat("a", 1<<20) + `"}`)
		for range 10 {
			if _, err := w.Write(chunk); err != nil {
				return true
			}
		}
	case FaultGarbage:
		_, _ = w.Write([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0, '{', '"'})
	case FaultHTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>502</title><h1>Bad gateway</h1>"))
	case FaultDown:
		http.Error(w, "down", http.StatusServiceUnavailable)
	case FaultTwice:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"aaaa","access_token":"bbbb","user_id":"1","error":0}`))
	default:
		return false
	}
	return true
}

// CheckAddress refuses an address that is not of this computer: a double never stands where people could take it for the
// real system (threat T92).
func CheckAddress(base string) error {
	u, err := url.Parse(base)
	if err != nil || strings.HasSuffix(base, "/") || u.Path != "" {
		return errors.New("upstreamtest: the address of a double has neither path nor slash at the end")
	}
	a, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() != "localhost" && !strings.HasSuffix(u.Hostname(), ".localhost") && (err != nil || !a.IsLoopback()) {
		return errors.New("upstreamtest: a double answers on this computer only")
	}
	return nil
}
