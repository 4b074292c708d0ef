package provider_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"brama/provider"
	"brama/provider/oauth"
	"brama/storage"
	"brama/storage/boltstore"
)

const (
	killedChild = "BRAMA_TEST_LOGOUT_CHILD" // path of the store that the child serves
	killedAt    = 8                         // sign-outs that are answered before the child kills itself
	killedOf    = 40
)

// A signedInBrowser is what the child tells of one sign-in.
type signedInBrowser struct{ URL, Cookie, Hint, SID string }

// TestLogoutChild is the child of TestKillDuringLogout and nothing by itself: it signs people in and, once it serves
// sign-outs, kills itself with the signal that nobody can catch, the moment after it has sent an answer.
func TestLogoutChild(t *testing.T) {
	path := os.Getenv(killedChild)
	if path == "" {
		t.Skip("runs as a child only")
	}
	store, err := boltstore.Open(boltstore.Config{Path: path, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	s := newStack(t, withLogout(func(c *oauth.Client) { c.BackchannelLogoutURI = "http://127.0.0.1:1/out" }),
		func(o *options) { o.config = func(c *provider.Config) { c.Store = store } })
	var sent atomic.Int32
	killing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		s.provider.ServeHTTP(answer, r)
		w.Header().Set("Location", answer.Header().Get("Location"))
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(answer.Code)
		_ = http.NewResponseController(w).Flush()
		if sent.Add(1) == killedAt {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}))
	out := json.NewEncoder(os.Stdout)
	for range killedOf {
		b := s.browser()
		claims := b.signIn("valid")
		if err := out.Encode(signedInBrowser{URL: killing.URL, Cookie: b.cookie("session"), Hint: b.idToken, SID: fmt.Sprint(claims["sid"])}); err != nil {
			t.Fatal(err)
		}
	}
	select {}
}

// TestKillDuringLogout: kill -9 in the middle of many sign-outs. After the restart every session whose end was answered is
// over, and a session is over exactly if its portal's message waits and what was granted in it is dead.
func TestKillDuringLogout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	cmd := exec.Command(os.Args[0], "-test.run=^TestLogoutChild$")
	cmd.Env = append(os.Environ(), killedChild+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	var list []signedInBrowser
	for lines := bufio.NewScanner(out); len(list) < killedOf && lines.Scan(); {
		var one signedInBrowser
		if !strings.HasPrefix(lines.Text(), "{") {
			continue // the words of the test program
		}
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			t.Fatal(err)
		}
		list = append(list, one)
	}
	if len(list) < killedOf {
		_ = cmd.Wait()
		t.Fatalf("the child signed %d people in", len(list))
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answered := make([]bool, len(list))
	var wg sync.WaitGroup
	for i, one := range list {
		wg.Go(func() {
			r, err := http.NewRequest(http.MethodGet, one.URL+"/logout?"+url.Values{"id_token_hint": {one.Hint}, "post_logout_redirect_uri": {signedOutURI}}.Encode(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			r.AddCookie(&http.Cookie{Name: "brama-session", Value: one.Cookie})
			res, err := client.Do(r)
			if err != nil {
				return // killed before the answer
			}
			res.Body.Close()
			answered[i] = res.Header.Get("Location") == signedOutURI
		})
	}
	wg.Wait()
	_ = cmd.Wait() // it was killed, so this is an error

	store, err := boltstore.Open(boltstore.Config{Path: path, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	n, over := 0, 0
	if err := store.View(t.Context(), func(tx storage.Tx) error {
		waiting := map[string]int{}
		for r, err := range tx.Scan(storage.KindFarewell, "") {
			if err != nil {
				return err
			}
			var f storage.Farewell
			if err := json.Unmarshal(r.Body, &f); err != nil {
				return err
			}
			waiting[f.SID]++
		}
		for i, one := range list {
			_, err := storage.GetSession(tx, storage.HashSecret(one.Cookie))
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				return err
			}
			ended := err != nil
			if answered[i] {
				n++
			}
			if ended {
				over++
			}
			if answered[i] && !ended {
				t.Errorf("session %d: its end was answered, and it lives", i)
			}
			if told := waiting[one.SID]; ended && told != 1 || !ended && told != 0 {
				t.Errorf("session %d, over %v: %d messages", i, ended, told)
			}
			if _, err := tx.Get(storage.KindEndedSession, one.SID); (err == nil) != ended {
				t.Errorf("session %d, over %v: the end of its grants: %v", i, ended, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d answered, %d over", n, len(list), over)
	if n == 0 {
		t.Error("the kill came before the first answer")
	}
}
