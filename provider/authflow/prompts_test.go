package authflow

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestPromptBombing: a telephone rings three times in ten minutes and ten times a day, however its number is written and
// from wherever it is typed (threat T52).
func TestPromptBombing(t *testing.T) {
	var p prompts
	now := time.Unix(1800000000, 0)
	forms := []string{"0501234567", "+380 50 123-45-67", "380501234567", "(050) 1234567"}
	for i, want := range []bool{true, true, true, false, false} {
		if got := p.allow(now, forms[i%len(forms)], "192.0.2."+string(rune('1'+i))); got != want {
			t.Errorf("press %d: %v", i, got)
		}
	}
	if !p.allow(now, "somebody@example.org", "192.0.2.9") {
		t.Error("another person is kept out")
	}
	allowed := 3
	for range 200 {
		now = now.Add(5 * time.Minute)
		if p.allow(now, forms[0], "192.0.2.1") {
			allowed++
		}
		if now.Sub(time.Unix(1800000000, 0)) > 12*time.Hour {
			break
		}
	}
	if allowed != promptsDaily {
		t.Errorf("%d in half a day, want %d", allowed, promptsDaily)
	}
	n := 0
	for i := range 50 {
		if p.allow(now, string(rune('a'+i%26))+string(rune('a'+i/26))+"@example.org", "198.51.100.1") {
			n++
		}
	}
	if n != promptsAddress {
		t.Errorf("one address rings %d telephones, want %d", n, promptsAddress)
	}
	// A whole /64 is one subscriber; a proxy on this machine is everybody, and stops nobody.
	for address, want := range map[string]int{"2001:db8::%x": promptsAddress, "127.0.0.1": 50, "::1": 50} {
		n := 0
		for i := range 50 {
			from := address
			if strings.Contains(from, "%") {
				from = fmt.Sprintf(address, i+1)
			}
			if p.allow(now, fmt.Sprintf("%s-%d@example.org", address, i), from) {
				n++
			}
		}
		if n != want {
			t.Errorf("%s rings %d telephones, want %d", address, n, want)
		}
	}
}

// TestBrowserName: what a stranger's header says never reaches a page.
func TestBrowserName(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                  "Firefox, Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142": "Edge, Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1":            "Safari, iPhone",
		"<script>": "unknown", "": "unknown", "curl/8": "unknown", "x Linux y": "Linux",
	} {
		if got := browserName(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}
