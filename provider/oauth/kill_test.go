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

const (
	countHeader = "Brama-Test-Count" // on requests whose answers the child counts
	pathEnd     = "/end-of-a-session"
)

// serveChild serves a provider and kills itself, with the signal that nobody can catch, the moment after it has sent the
// answer of some exchange, the others being under way: from outside the kill would come too late to catch an answer that
// was sent before its commit.
func serveChild(path string) {
	store, err := boltstore.Open(boltstore.Config{Path: path})
	if err != nil {
		dying{}.Fatal(err)
	}
	f := newFixture(dying{}, store, refresher()).ownKeys()
	f.subject = func(r *AuthorizeRequest) Subject {
		s := testSubject(time.Now())
		s.SID = r.State // so that the parent can end one session of many
		return s
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		dying{}.Fatal(err)
	}
	fmt.Println(listener.Addr())
	h := f.handler()
	var sent atomic.Int32
	dying{}.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(countHeader) == "" {
			h.ServeHTTP(w, r)
			return
		}
		// Written at once and whole, so that what is flushed is the answer.
		answer := httptest.NewRecorder()
		if r.URL.Path == pathEnd {
			if err := f.p.RevokeSession(r.Context(), r.URL.Query().Get("sid")); err != nil {
				answer.Code = http.StatusInternalServerError
			}
		} else {
			h.ServeHTTP(answer, r)
		}
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
	client, base, wait := startChild(t, path, codes)

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
		got, _, ok := tokensAt(client, base, tokenParams(code[i]), true)
		if !ok {
			return // killed before the answer
		}
		token[i] = got
		answered.Add(1)
	})
	wait()
	t.Logf("%d of %d exchanges were answered", answered.Load(), codes)
	if n := answered.Load(); n < killAfter/2 || n == codes {
		t.Fatalf("the kill came at the wrong moment: %d of %d answered", n, codes)
	}

	store, err := boltstore.Open(boltstore.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	f := newFixture(t, store, refresher()).ownKeys()
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

// startChild starts a provider that will kill itself, and returns a client, its address, and a function that waits for the end.
func startChild(t *testing.T, path string, connections int) (*http.Client, string, func()) {
	t.Helper()
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
	t.Cleanup(func() {
		if alive {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConnsPerHost: connections},
	}
	return client, "http://" + strings.TrimSpace(address), func() {
		_ = cmd.Wait() // it was killed, so this is an error
		alive = false
	}
}

// kill -9 in the middle of 160 refreshes and 40 ends of sessions: after the restart every refresh token that was answered works,
// every refresh that was not answered can be asked again, and every session whose end was answered has ended.
func TestKillDuringRefreshAndLogout(t *testing.T) {
	const n = 200
	path := filepath.Join(t.TempDir(), "db")
	client, base, wait := startChild(t, path, n)
	access, refresh := make([]string, n), make([]string, n)
	each(n, func(i int) {
		resp, err := client.Get(base + PathAuthorize + "?" + params("state", fmt.Sprint("session-", i)).Encode())
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
		var ok bool
		if access[i], refresh[i], ok = tokensAt(client, base, tokenParams(to.Query().Get("code")), false); !ok || refresh[i] == "" {
			t.Error("no tokens")
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	next, done := make([]string, n), make([]bool, n)
	var answered atomic.Int32
	ends := func(i int) bool { return i%5 == 0 }
	each(n, func(i int) {
		if ends(i) {
			r, err := http.NewRequest("POST", base+pathEnd+"?sid=session-"+strconv.Itoa(i), nil)
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set(countHeader, "1")
			resp, err := client.Do(r)
			if err != nil {
				return
			}
			_ = resp.Body.Close()
			done[i] = resp.StatusCode == 200
		} else {
			_, next[i], done[i] = tokensAt(client, base, url.Values{"grant_type": {GrantRefreshToken}, "refresh_token": {refresh[i]}}, true)
		}
		if done[i] {
			answered.Add(1)
		}
	})
	wait()
	t.Logf("%d of %d requests were answered", answered.Load(), n)
	if got := answered.Load(); got < killAfter/2 || got == n {
		t.Fatalf("the kill came at the wrong moment: %d of %d answered", got, n)
	}

	store, err := boltstore.Open(boltstore.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	f := newFixture(t, store, refresher()).ownKeys().with(func(c *Config) { c.RefreshGrace = time.Hour })
	for i := range n {
		switch {
		case ends(i) && done[i]:
			status, body := f.refresh(refresh[i])
			want(t, fmt.Sprintf("refresh in the ended session %d", i), status, body, 400, "invalid_grant")
			status, body = f.userinfo(access[i])
			want(t, fmt.Sprintf("userinfo in the ended session %d", i), status, body, 401, "invalid_token")
		case ends(i):
			// All or nothing: the session has ended whole, or not at all.
			status, body := f.refresh(refresh[i])
			if s, _ := f.userinfo(access[i]); (status == 200) != (s == 200) {
				t.Errorf("session %d has ended by half: refresh %d %v, userinfo %d", i, status, body, s)
			}
		case done[i]:
			f.mustRefresh(next[i])
			status, body := f.refresh(refresh[i])
			want(t, fmt.Sprintf("refresh token %d, two generations old", i), status, body, 400, "invalid_grant")
		default:
			f.mustRefresh(refresh[i]) // spent or not: its answer was lost
		}
	}
}

func each(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}

// tokensAt asks for tokens over the network and returns the access and the refresh token if a whole answer came.
func tokensAt(client *http.Client, base string, v url.Values, counted bool) (access, refresh string, ok bool) {
	r, err := http.NewRequest("POST", base+PathToken, strings.NewReader(v.Encode()))
	if err != nil {
		return "", "", false
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("portal", url.QueryEscape(testSecret))
	if counted {
		r.Header.Set(countHeader, "1")
	}
	resp, err := client.Do(r)
	if err != nil {
		return "", "", false
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		return "", "", false
	}
	var body struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if json.Unmarshal(raw, &body) != nil || body.Access == "" {
		return "", "", false
	}
	return body.Access, body.Refresh, true
}
