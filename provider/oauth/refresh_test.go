package oauth

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brama/storage"
	"brama/storage/memstore"
)

// refresher is a portal that may have refresh tokens.
func refresher() Client {
	c := portal()
	c.GrantTypes = []string{GrantCode, GrantRefreshToken}
	c.Scopes = []string{"openid", "profile", scopeOffline}
	return c
}

func (f *fixture) refresh(token string, changes ...string) (int, map[string]any) {
	f.t.Helper()
	v := url.Values{"grant_type": {GrantRefreshToken}, "refresh_token": {token}}
	for i := 0; i < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
	}
	r := tokenRequest(v)
	r.SetBasicAuth("portal", testSecret)
	return f.tokens(r)
}

func (f *fixture) mustRefresh(token string, changes ...string) map[string]any {
	f.t.Helper()
	status, body := f.refresh(token, changes...)
	if status != 200 {
		f.t.Fatalf("refresh: %d %v", status, body)
	}
	return body
}

// with returns the provider of f again, its configuration changed.
func (f *fixture) with(change func(*Config)) *fixture {
	f.t.Helper()
	cfg := f.p.cfg
	change(&cfg)
	p, err := New(cfg)
	if err != nil {
		f.t.Fatal(err)
	}
	f.p = p
	return f
}

func noGrace(c *Config) { c.RefreshRetries = -1 }

func refreshOf(body map[string]any) string { s, _ := body["refresh_token"].(string); return s }
func accessOf(body map[string]any) string  { s, _ := body["access_token"].(string); return s }

func TestRefresh(t *testing.T) {
	f := newFixture(t, boltStore(t), refresher())
	first := f.mustExchange(f.code())
	second := f.mustRefresh(refreshOf(first))
	if refreshOf(second) == "" || refreshOf(second) == refreshOf(first) || accessOf(second) == accessOf(first) {
		t.Fatalf("answer %v", second)
	}
	if second["scope"] != "openid profile" || second["token_type"] != "Bearer" {
		t.Errorf("answer %v", second)
	}
	old, now := f.idClaims(first), f.idClaims(second)
	if now["nonce"] != nil || now["at_hash"] == old["at_hash"] {
		t.Errorf("ID token of the refresh: %v", now)
	}
	for _, name := range []string{"iss", "sub", "auth_time", "acr", "sid", "rnokpp"} {
		if now[name] != old[name] {
			t.Errorf("%s was %v, is %v", name, old[name], now[name])
		}
	}
	for _, body := range []map[string]any{first, second} {
		if status, _ := f.userinfo(accessOf(body)); status != 200 {
			t.Errorf("userinfo: %d", status)
		}
	}
	f.mustRefresh(refreshOf(second))
}

// A client that is not registered for refresh tokens gets none, whatever it asks.
func TestRefreshNeedsRegistration(t *testing.T) {
	f := newFixture(t, memStore(t))
	body := f.mustExchange(f.code("scope", "openid offline_access", "prompt", "consent"))
	if refreshOf(body) != "" || body["scope"] != "openid" {
		t.Errorf("answer %v", body)
	}
}

// T70: a refresh token that comes again after its grace kills the family, and the audit knows.
func TestRefreshReuseKillsFamily(t *testing.T) {
	f := newFixture(t, memStore(t), refresher()).with(noGrace)
	first := f.mustExchange(f.code())
	second := f.mustRefresh(refreshOf(first))
	status, body := f.refresh(refreshOf(first))
	want(t, "used token", status, body, 400, "invalid_grant")
	status, body = f.refresh(refreshOf(second))
	want(t, "its successor", status, body, 400, "invalid_grant")
	for _, b := range []map[string]any{first, second} {
		status, body = f.userinfo(accessOf(b))
		want(t, "access token of the family", status, body, 401, "invalid_token")
	}
	if len(f.audit.events) != 1 || f.audit.events[0].Code != refreshReused || f.audit.events[0].Person != "person-1" {
		t.Errorf("audit %v", f.audit.events)
	}
}

// T70: of 32 uses of one token at once one is answered, with a grace so many more; then the family is dead.
func TestRefreshRace(t *testing.T) {
	for name, open := range map[string]func(testing.TB) storage.Store{"mem": memStore, "bolt": boltStore} {
		t.Run(name, func(t *testing.T) {
			for _, retries := range []int{-1, 2} {
				f := newFixture(t, open(t), refresher()).with(func(c *Config) { c.RefreshRetries = retries })
				token := refreshOf(f.mustExchange(f.code()))
				const racers = 32
				status, bodies := make([]int, racers), make([]map[string]any, racers)
				var wg sync.WaitGroup
				start := make(chan struct{})
				for i := range racers {
					wg.Go(func() {
						<-start
						status[i], bodies[i] = f.refresh(token)
					})
				}
				close(start)
				wg.Wait()
				winners := 0
				for i := range racers {
					if status[i] != 200 {
						want(t, "loser", status[i], bodies[i], 400, "invalid_grant")
						continue
					}
					winners++
					s, b := f.refresh(refreshOf(bodies[i]))
					want(t, "token of a winner", s, b, 400, "invalid_grant")
				}
				if most := 1 + max(0, retries); winners < 1 || winners > most {
					t.Errorf("%d winners, want 1 to %d", winners, most)
				}
			}
		})
	}
}

// An answer that was lost is given again, twice in 20 seconds; the two tokens of the lost and the new answer are one
// generation: what is used first makes the other a used one.
func TestRefreshGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memstore.New(memstore.Config{}), refresher())
		token := refreshOf(f.mustExchange(f.code()))
		lost := refreshOf(f.mustRefresh(token))
		time.Sleep(19 * time.Second)
		again := refreshOf(f.mustRefresh(token))
		if again == "" || again == lost {
			t.Fatal("the same token again")
		}
		next := refreshOf(f.mustRefresh(again))
		time.Sleep(21 * time.Second)
		status, body := f.refresh(lost)
		want(t, "the lost token, found late", status, body, 400, "invalid_grant")
		status, body = f.refresh(next)
		want(t, "its family", status, body, 400, "invalid_grant")

		token = refreshOf(f.mustExchange(f.code()))
		for range 3 { // one use and two retries
			f.mustRefresh(token)
		}
		status, body = f.refresh(token)
		want(t, "third retry", status, body, 400, "invalid_grant")

		token = refreshOf(f.mustExchange(f.code()))
		f.mustRefresh(token)
		time.Sleep(20 * time.Second)
		status, body = f.refresh(token)
		want(t, "after the grace", status, body, 400, "invalid_grant")
	})
}

func TestRefreshLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memstore.New(memstore.Config{}), refresher())
		token := refreshOf(f.mustExchange(f.code()))
		for range 7 { // in use, but not beyond 8 hours without offline_access
			time.Sleep(time.Hour)
			token = refreshOf(f.mustRefresh(token))
		}
		time.Sleep(time.Hour)
		status, body := f.refresh(token)
		want(t, "after 8 hours", status, body, 400, "invalid_grant")

		token = refreshOf(f.mustExchange(f.code("scope", "openid offline_access", "prompt", "consent")))
		for range 6 {
			time.Sleep(13 * 24 * time.Hour)
			token = refreshOf(f.mustRefresh(token))
		}
		time.Sleep(13 * 24 * time.Hour)
		status, body = f.refresh(token)
		want(t, "after 91 days", status, body, 400, "invalid_grant")

		token = refreshOf(f.mustExchange(f.code("scope", "openid offline_access", "prompt", "consent")))
		time.Sleep(14 * 24 * time.Hour)
		status, body = f.refresh(token)
		want(t, "idle for 14 days", status, body, 400, "invalid_grant")
	})
}

// fosite ignores scope at a refresh. Here it narrows the access token, for once: the refresh token keeps what was granted.
func TestRefreshNarrowsScope(t *testing.T) {
	f := newFixture(t, memStore(t), refresher())
	body := f.mustExchange(f.code())
	body = f.mustRefresh(refreshOf(body), "scope", "profile")
	if body["scope"] != "profile" || body["id_token"] != nil {
		t.Errorf("narrowed to profile: %v", body)
	}
	status, answer := f.userinfo(accessOf(body))
	want(t, "userinfo without openid", status, answer, 403, "insufficient_scope")
	body = f.mustRefresh(refreshOf(body))
	if body["scope"] != "openid profile" || body["id_token"] == nil {
		t.Errorf("wide again: %v", body)
	}
	status, answer = f.refresh(refreshOf(body), "scope", "openid offline_access")
	want(t, "wider than granted", status, answer, 400, "invalid_scope")
	f.mustRefresh(refreshOf(body)) // a refused request spends nothing
}

// Failures of a refresh are invalid_grant (RFC 6749, 5.2), where fosite says invalid_request.
func TestRefreshErrors(t *testing.T) {
	other := refresher()
	other.ID = "other"
	f := newFixture(t, memStore(t), refresher(), other)
	body := f.mustExchange(f.code())
	for name, token := range map[string]string{
		"garbage": "garbage", "access token": accessOf(body), "code": f.code(), "touched": flip(refreshOf(body)), "long": strings.Repeat("A", maxToken+1),
	} {
		status, answer := f.refresh(token)
		want(t, name, status, answer, 400, "invalid_grant")
	}
	status, answer := f.refresh("")
	want(t, "none", status, answer, 400, "invalid_request")
	r := tokenRequest(url.Values{"grant_type": {GrantRefreshToken}, "refresh_token": {refreshOf(body)}})
	r.SetBasicAuth("other", testSecret)
	status, answer = f.tokens(r)
	want(t, "another client", status, answer, 400, "invalid_grant")
	status, answer = f.refresh(refreshOf(body))
	want(t, "stolen token, then its own client", status, answer, 400, "invalid_grant")
	if len(f.audit.events) != 1 || f.audit.events[0].Code != refreshStolen {
		t.Errorf("audit %v", f.audit.events)
	}
}

// T78, T80: what a token depends on is looked at again at every refresh.
func TestRefreshFollowsRegistrationAndPerson(t *testing.T) {
	alive := true
	f := newFixture(t, memStore(t), refresher()).with(func(c *Config) {
		c.PersonAlive = func(_ storage.Tx, person string) error {
			if person != "person-1" || !alive {
				return storage.ErrNotFound
			}
			return nil
		}
	})
	body := f.mustExchange(f.code())
	less := refresher()
	less.Scopes, less.Claims = []string{"openid"}, nil
	f.with(func(c *Config) { c.Clients, _ = NewRegistry(less) })
	body = f.mustRefresh(refreshOf(body))
	if body["scope"] != "openid" || f.idClaims(body)["rnokpp"] != nil {
		t.Errorf("after rights were taken: %v %v", body, f.idClaims(body))
	}
	f.with(func(c *Config) { c.Clients, _ = NewRegistry(refresher()) })
	code := f.code()
	f.with(func(c *Config) { c.Clients, _ = NewRegistry(less) })
	alive = false
	status, answer := f.refresh(refreshOf(body))
	want(t, "blocked person", status, answer, 400, "invalid_grant")
	status, answer = f.exchange(code)
	want(t, "code of a blocked person", status, answer, 400, "invalid_grant")
	status, answer = f.userinfo(accessOf(body))
	want(t, "access token of a blocked person", status, answer, 401, "invalid_token")
	alive = true
	f.with(func(c *Config) { c.Clients, _ = NewRegistry(portal()) })
	status, answer = f.refresh(refreshOf(body))
	want(t, "grant type taken", status, answer, 400, "unauthorized_client")
	f.with(func(c *Config) { c.Clients, _ = NewRegistry() })
	status, answer = f.refresh(refreshOf(body))
	want(t, "client gone", status, answer, 401, "invalid_client")
}

// T77, T80: with the session everything dies that was granted in it, except offline_access.
func TestRevokeSession(t *testing.T) {
	for name, open := range map[string]func(testing.TB) storage.Store{"mem": memStore, "bolt": boltStore} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, open(t), refresher())
			sid := "session-1"
			f.subject = func(*AuthorizeRequest) Subject { s := testSubject(time.Now()); s.SID = sid; return s }
			ends := f.mustExchange(f.code())
			pending := f.code()
			offline := f.mustExchange(f.code("scope", "openid offline_access", "prompt", "consent"))
			sid = "session-2"
			stays := f.mustExchange(f.code())
			for range 2 {
				if err := f.p.RevokeSession(t.Context(), "session-1"); err != nil {
					t.Fatal(err)
				}
			}
			status, body := f.refresh(refreshOf(ends))
			want(t, "refresh after logout", status, body, 400, "invalid_grant")
			status, body = f.userinfo(accessOf(ends))
			want(t, "userinfo after logout", status, body, 401, "invalid_token")
			status, body = f.exchange(pending)
			want(t, "code after logout", status, body, 400, "invalid_grant")
			for name, b := range map[string]map[string]any{"offline": offline, "other session": stays} {
				if status, _ := f.userinfo(accessOf(b)); status != 200 {
					t.Errorf("%s: userinfo %d", name, status)
				}
				f.mustRefresh(refreshOf(b))
			}
			if n, err := f.revokePerson("person-1"); err != nil || n < 2 {
				t.Errorf("revoked %d, %v", n, err)
			}
			status, body = f.refresh(refreshOf(offline))
			want(t, "offline after the person was blocked", status, body, 400, "invalid_grant")
		})
	}
}

// FAPI 2.0, 5.3.2.1: refresh tokens are not rotated; the idle limit counts all the same.
func TestRefreshWithoutRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, memstore.New(memstore.Config{}), refresher())
		token := refreshOf(f.mustExchange(f.code("scope", "openid offline_access", "prompt", "consent")))
		fapi := refresher()
		fapi.Profile = ProfileFAPI2
		f.with(func(c *Config) { c.Clients = fixed{fapi} })
		for range 4 {
			time.Sleep(10 * 24 * time.Hour)
			if body := f.mustRefresh(token); refreshOf(body) != "" {
				t.Errorf("rotated: %v", body)
			}
		}
		time.Sleep(14 * 24 * time.Hour)
		status, body := f.refresh(token)
		want(t, "idle", status, body, 400, "invalid_grant")
	})
}

// between runs once after the first View that it sees.
type between struct {
	storage.Store
	then func()
}

func (b *between) View(ctx context.Context, fn func(storage.Tx) error) error {
	err := b.Store.View(ctx, fn)
	if then := b.then; then != nil {
		b.then = nil
		then()
	}
	return err
}

// T77: a session that ends, or a grant that is revoked, while a request is under way: the request has seen it alive, but what it
// writes depends on what is there then.
func TestLogoutDuringRequest(t *testing.T) {
	for name, kill := range map[string]func(f *fixture, g string) error{
		"session": func(f *fixture, _ string) error { return f.p.RevokeSession(f.t.Context(), "session-1") },
		"person":  func(f *fixture, _ string) error { _, err := f.revokePerson("person-1"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			store := &between{Store: memStore(t)}
			f := newFixture(t, store, refresher())
			f.subject = func(*AuthorizeRequest) Subject { s := testSubject(time.Now()); s.SID = "session-1"; return s }
			code := f.code()
			body := f.mustExchange(f.code())
			die := func() {
				if err := kill(f, ""); err != nil {
					t.Error(err)
				}
			}
			if name == "session" {
				store.then = die
				status, answer := f.exchange(code)
				want(t, "code", status, answer, 400, "invalid_grant")
				f.with(func(c *Config) { c.Store = store })
				f.subject = func(*AuthorizeRequest) Subject { s := testSubject(time.Now()); s.SID = "session-2"; return s }
				body = f.mustExchange(f.code())
				die = func() {
					if err := f.p.RevokeSession(t.Context(), "session-2"); err != nil {
						t.Error(err)
					}
				}
			}
			store.then = die
			status, answer := f.refresh(refreshOf(body))
			want(t, "refresh", status, answer, 400, "invalid_grant")
			if answer["access_token"] != nil {
				t.Errorf("%v", answer)
			}
		})
	}
}

// Two uses of one refresh token that have both seen it unused: only the precondition of the commit decides.
func TestRefreshRaceAtCommit(t *testing.T) {
	m := &meeting{Store: memStore(t)}
	f := newFixture(t, m, refresher()).with(noGrace)
	m.n.Store(2) // nobody waits yet
	token := refreshOf(f.mustExchange(f.code()))
	m.n.Store(0)
	m.wg.Add(2)
	status, bodies := make([]int, 2), make([]map[string]any, 2)
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() { status[i], bodies[i] = f.refresh(token) })
	}
	wg.Wait()
	if status[0]+status[1] != 200+400 {
		t.Fatalf("%v %v", status, bodies)
	}
	for i := range 2 {
		if status[i] == 200 {
			s, b := f.userinfo(accessOf(bodies[i]))
			want(t, "token of the winner", s, b, 401, "invalid_token")
		}
	}
}

// A client whose minimum was raised after the login gets nothing more of it, and no code of a login below it; a lower acr that
// the request named does not hide a login that is good enough (threat T78).
func TestMinimumLevelOfClient(t *testing.T) {
	f := newFixture(t, memStore(t), refresher())
	demand := func(level string) {
		t.Helper()
		c := refresher()
		c.MinLevel = level
		f.with(func(cfg *Config) {
			var err error
			if cfg.Clients, err = NewRegistry(c); err != nil {
				t.Fatal(err)
			}
		})
	}
	low := f.mustExchange(f.code("claims", `{"id_token":{"acr":{"essential":true,"value":"low"}}}`))
	if acr := f.idClaims(low)["acr"]; acr != "low" {
		t.Fatalf("acr %v", acr)
	}
	plain := f.mustExchange(f.code())
	demand("substantial")
	low, plain = f.mustRefresh(refreshOf(low)), f.mustRefresh(refreshOf(plain))
	f.code()
	demand("high")
	for name, body := range map[string]map[string]any{"low was asked": low, "nothing was asked": plain} {
		status, answer := f.refresh(refreshOf(body))
		want(t, name, status, answer, 400, "invalid_grant")
		if answer["error_description"] != "LEVEL_TOO_LOW" {
			t.Errorf("%s: %v", name, answer)
		}
	}
	f.refused("a login below the minimum", "unmet_authentication_requirements")
	f.refused("a request for less", "unmet_authentication_requirements", "acr_values", "low")
	demand("low")
	f.mustRefresh(refreshOf(plain)) // what was refused was not spent
}

// revokePerson ends what a person has granted, as blocking does.
func (f *fixture) revokePerson(person string) (n int, err error) {
	err = f.p.cfg.Store.Update(f.t.Context(), func(tx storage.Tx) (err error) {
		n, err = storage.RevokeGrantsOf(tx, person, f.p.cfg.Now())
		return err
	})
	return n, err
}
