package oauth

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"brama/storage"
	"brama/storage/boltstore"
)

const childEnv = "BRAMA_TEST_KILLED_CHILD" // path of the store that the child serves

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		serveChild(path)
	}
	os.Exit(m.Run())
}

// dying lets a provider be made outside of a test.
type dying struct{ testing.TB }

func (dying) Helper()           {}
func (dying) Cleanup(func())    {}
func (dying) Fatal(args ...any) { fmt.Fprintln(os.Stderr, args...); os.Exit(1) }
func (dying) Error(args ...any) { fmt.Fprintln(os.Stderr, args...) }

// killAfter is how many token answers the child sends before it kills itself.
const killAfter = 20

// serveChild serves a provider and kills itself, with the signal that nobody can catch, the moment after it has sent the
// answer of some exchange, the others being under way: from outside the kill would come too late to catch an answer that
// was sent before its commit.
func serveChild(path string) {
	store, err := boltstore.Open(boltstore.Config{Path: path})
	if err != nil {
		dying{}.Fatal(err)
	}
	f := newFixture(dying{}, store).ownKeys()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		dying{}.Fatal(err)
	}
	fmt.Println(listener.Addr())
	h := f.handler()
	var sent atomic.Int32
	dying{}.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != PathToken {
			h.ServeHTTP(w, r)
			return
		}
		// Written at once and whole, so that what is flushed is the answer.
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
		_ = http.NewResponseController(w).Flush()
		if sent.Add(1) == killAfter {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	})))
}

// kill -9 in the middle of 200 exchanges: after the restart every code that was answered with tokens is spent, and every
// token that was answered is known.
func TestKillDuringExchanges(t *testing.T) {
	const codes = 200
	path := filepath.Join(t.TempDir(), "db")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	alive := true
	defer func() {
		if alive {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + strings.TrimSpace(address)
	client := &http.Client{
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConnsPerHost: codes},
	}

	code := make([]string, codes)
	each(codes, func(i int) {
		resp, err := client.Get(base + PathAuthorize + "?" + params().Encode())
		if err != nil {
			t.Error(err)
			return
		}
		_ = resp.Body.Close()
		to, err := resp.Location()
		if err != nil {
			t.Error(err)
			return
		}
		code[i] = to.Query().Get("code")
	})
	if t.Failed() {
		t.FailNow()
	}

	token := make([]string, codes)
	var answered atomic.Int32
	each(codes, func(i int) {
		got, ok := exchangeAt(client, base, code[i])
		if !ok {
			return // killed before the answer
		}
		token[i] = got
		answered.Add(1)
	})
	_ = cmd.Wait() // it was killed, so this is an error
	alive = false
	t.Logf("%d of %d exchanges were answered", answered.Load(), codes)
	if n := answered.Load(); n < killAfter/2 || n == codes {
		t.Fatalf("the kill came at the wrong moment: %d of %d answered", n, codes)
	}

	store, err := boltstore.Open(boltstore.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	f := newFixture(t, store).ownKeys()
	spent := 0
	for i := range codes {
		var g storage.Grant
		if err := store.View(t.Context(), func(tx storage.Tx) error {
			g, err = storage.GetGrant(tx, grantID(code[i]))
			return err
		}); err != nil {
			t.Fatalf("grant %d: %v", i, err)
		}
		if !g.Spent.IsZero() {
			spent++
		}
		if token[i] == "" {
			// Not answered: all or nothing. An unspent code still works, a spent one is refused.
			if status, body := f.exchange(code[i]); (status == 200) != g.Spent.IsZero() {
				t.Errorf("code %d, spent %v: %d %v", i, !g.Spent.IsZero(), status, body)
			}
			continue
		}
		if g.Spent.IsZero() {
			t.Errorf("code %d was answered and is not spent", i)
		}
		if status, body := f.userinfo(token[i]); status != 200 {
			t.Errorf("token %d was answered and is not known: %d %v", i, status, body)
		}
		status, body := f.exchange(code[i])
		want(t, fmt.Sprintf("answered code %d again", i), status, body, 400, "invalid_grant")
	}
	t.Logf("%d codes are spent", spent)
}

func each(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}

// exchangeAt exchanges a code over the network and returns the access token if a whole answer came.
func exchangeAt(client *http.Client, base, code string) (string, bool) {
	v := tokenParams(code)
	r, err := http.NewRequest("POST", base+PathToken, strings.NewReader(v.Encode()))
	if err != nil {
		return "", false
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("portal", url.QueryEscape(testSecret))
	resp, err := client.Do(r)
	if err != nil {
		return "", false
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		return "", false
	}
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if json.Unmarshal(raw, &body) != nil || body.AccessToken == "" {
		return "", false
	}
	return body.AccessToken, true
}
