package layers

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReproducible: two clones of the commit, in two places, under two time zones, masks and languages, each compiled with a cache
// of its own, give the same bytes: what is published can be made again by anybody (threat T102). It takes minutes, so it is run
// by `make reproducible`.
func TestReproducible(t *testing.T) {
	if os.Getenv("BRAMA_REPRODUCIBLE") == "" {
		t.Skip("compiles everything twice: make reproducible")
	}
	work := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	head, err := exec.Command("git", "-C", root, "rev-parse", "HEAD").Output()
	if err != nil {
		t.Skipf("this is no clone: %v", err)
	}
	commit := strings.TrimSpace(string(head)) // another may come while this runs
	made := []string{"bin/brama", "provider/web/static/wasm/brama.wasm.br", "provider/web/static/wasm/brama.wasm.gz"}
	var first []string
	for _, place := range []struct{ dir, environment string }{
		{"a", "TZ=UTC LC_ALL=C"}, {"another/and/deeper", "TZ=Asia/Tokyo LC_ALL=C.UTF-8"},
	} {
		clone := filepath.Join(work, place.dir)
		run := func(script string) {
			t.Helper()
			cmd := exec.Command("bash", "-euc", script)
			cmd.Env = append(os.Environ(), append(strings.Fields(place.environment), "GOCACHE="+filepath.Join(work, filepath.Base(clone)+"-cache"), "GOFLAGS=", "MAKEFLAGS=")...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", script, err, out)
			}
		}
		run(fmt.Sprintf("git clone -q --no-hardlinks --no-checkout %q %q; git -C %q checkout -q %s", root, clone, clone, commit))
		mask := "022"
		if first != nil {
			mask = "077"
		}
		run(fmt.Sprintf("umask %s; make -C %q build", mask, clone))
		var sums []string
		for _, name := range made {
			b, err := os.ReadFile(filepath.Join(clone, name))
			if err != nil {
				t.Fatal(err)
			}
			sums = append(sums, fmt.Sprintf("%x", sha256.Sum256(b)))
			t.Logf("%s  %s", sums[len(sums)-1], name)
		}
		if first == nil {
			first = sums
			continue
		}
		for i, name := range made {
			if sums[i] != first[i] {
				t.Errorf("%s differs from one clone to the other", name)
			}
		}
	}
}
