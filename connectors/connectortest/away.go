package connectortest

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"brama/connectors"
)

// Choose opens the page of a double, posts the form of a button to /choose and returns the parameters of the way back to
// returnURL. fixed are the fields of the form that the page would have, made of the page's own parameters; choices are laid
// over them.
func Choose(t testing.TB, page, returnURL string, fixed func(page url.Values) url.Values, choices url.Values) url.Values {
	t.Helper()
	browser := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	do := func(method, address, body string) (status int, back *url.URL) {
		r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body != "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		res, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if back, err = res.Location(); err != nil && !errors.Is(err, http.ErrNoLocation) {
			t.Fatal(err)
		}
		return res.StatusCode, back
	}
	if status, _ := do(http.MethodGet, page, ""); status != http.StatusOK {
		t.Fatalf("the page answers %d", status)
	}
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	form := fixed(u.Query())
	for k, v := range choices {
		form[k] = v
	}
	status, back := do(http.MethodPost, u.Scheme+"://"+u.Host+"/choose", form.Encode())
	if back == nil {
		t.Fatalf("the form answers %d", status)
	}
	if got := back.Scheme + "://" + back.Host + back.Path; got != returnURL {
		t.Fatalf("the way back is %s", got)
	}
	return back.Query()
}

// CodeOf returns the code of a refusal, "" for any other error.
func CodeOf(err error) string {
	var r *connectors.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}

// WantRetry checks that an event was refused with code and left the login where it was.
func WantRetry(t testing.TB, what string, step connectors.Step, err error, code string) {
	t.Helper()
	if CodeOf(err) != code || !errors.Is(err, connectors.ErrRetry) || step != nil {
		t.Errorf("%s: %T, %v; want %s", what, step, err, code)
	}
}

// WantWait returns the wait that step must be.
func WantWait(t testing.TB, what string, step connectors.Step, err error) connectors.Wait {
	t.Helper()
	w, ok := step.(connectors.Wait)
	if !ok || err != nil {
		t.Fatalf("%s: %T, %v; want Wait", what, step, err)
	}
	return w
}

// Set makes values of pairs of name and value.
func Set(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}
