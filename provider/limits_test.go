package provider_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"brama/internal/qes/qestest"
)

// TestUpload walks S16 without a script: request.txt, any program, the file.
func TestUpload(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize()
	b.get(strings.Replace(b.url.Path, "/file", "/upload", 1))
	page := b.url.Path
	b.submit("/upload/request")
	if b.url.Path != page || !strings.Contains(b.page, "request.txt") {
		t.Fatalf("asking leads to %s", b.url)
	}
	shown := b.page
	b.get(page + "/request.txt")
	request := []byte(b.page)
	if !bytes.HasPrefix(request, []byte("brama-login-v1\nлише для входу, не є документом\n")) || !strings.Contains(b.header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("request.txt is %q %v", request, b.header)
	}
	signed := s.signAs("valid", request, "")
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"nothing":     {nil, "UPLOAD_MISSING"},
		"too big":     {make([]byte, 300<<10), "UPLOAD_TOO_BIG"},
		"the request": {request, "UPLOAD_NOT_SIGNED"},
		"noise":       {[]byte("\x30\x82noise"), "CMS_MALFORMED"},
	} {
		// A fresh login each: five tries are enough for one.
		b := s.browser()
		b.authorize()
		b.get(strings.Replace(b.url.Path, "/file", "/upload", 1))
		b.submit("/upload/request")
		if name == "the request" {
			page, address := b.page, b.url.Path
			b.get(address + "/request.txt")
			c.file = []byte(b.page)
			b.page = page
		}
		b.upload(c.file)
		if b.code() != c.code || b.status < 400 || b.status > 499 {
			t.Errorf("%s: %d %s, want %s", name, b.status, b.code(), c.code)
		}
		if _, ok := find(b, "/upload"); !ok {
			t.Errorf("%s: the step is not kept", name)
		}
	}
	pair, err := qestest.NewKey(qestest.P256)
	if err != nil {
		t.Fatal(err)
	}
	key, err := pair.PKCS8()
	if err != nil {
		t.Fatal(err)
	}
	b.page = shown
	b.upload(key)
	if b.code() != "UPLOAD_IS_KEY" {
		t.Errorf("a key: %s", b.code())
	}
	b.upload([]byte(base64.StdEncoding.EncodeToString(signed)))
	if !strings.HasSuffix(b.url.Path, "/confirm") {
		t.Fatalf("the signed file: %s %d %s", b.url, b.status, b.code())
	}
	b.submit("/confirm")
	if claims := b.exchange(); claims["rnokpp"] != "3184710691" {
		t.Errorf("claims are %v", claims)
	}
}

// TestChallengeExpired: after 15 minutes the signature is late and a new request is offered; after 30 the login is over.
func TestChallengeExpired(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize()
	sc := b.script("file")
	first, old := sc.post("ask").Challenge, sc.post("ask").Challenge
	if first == old {
		t.Error("a nonce was given twice")
	}
	s.forward(15*time.Minute + time.Second)
	if r := sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.sign("valid", []byte(old)))); r.Problem.Code != "CHALLENGE_EXPIRED" || r.Problem.Next == "" {
		t.Fatalf("%+v", r)
	}
	fresh := sc.post("ask").Challenge
	if fresh == old || fresh == "" {
		t.Error("the new request is the old one")
	}
	if r := sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.sign("valid", []byte(old)))); r.Problem.Code != "SIG_INVALID" {
		t.Errorf("the old signature: %+v", r)
	}
	s.forward(15 * time.Minute)
	if r := sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.sign("valid", []byte(fresh)))); r.Problem.Code != "TX_EXPIRED" || r.status != http.StatusGone {
		t.Errorf("after the end: %d %+v", r.status, r.Problem)
	}
	b.get("/login/" + loginID(b.url))
	if b.code() != "TX_EXPIRED" || !strings.Contains(b.page, "Електронний кабінет") {
		t.Errorf("the page says %s", b.code())
	}
}

// TestLonger: each press adds ten minutes, ten times at most, and what is being signed stays valid.
func TestLonger(t *testing.T) {
	s := newStack(t)
	longer := regexp.MustCompile(`id="longer"[^>]*data-action="([^"]+)" data-mac="([^"]+)"`)
	b := s.browser()
	b.authorize("idp_hint", "demo")
	before := s.store.count()
	press := func() {
		t.Helper()
		m := longer.FindStringSubmatch(b.page)
		if m == nil {
			t.Fatalf("no more time is offered at %s %s", b.url, b.code())
		}
		b.post(m[1], url.Values{"revision": {"0"}, "mac": {m[2]}})
	}
	press()
	if s.store.count() != before {
		t.Error("more time for a login that is not stored writes something")
	}
	s.forward(35 * time.Minute)
	sc := b.script("file")
	challenge := sc.post("ask").Challenge
	b.get("/login/" + loginID(b.url) + "/file")
	press()
	// The challenge was to end with the login; its text is still the one that was signed, and the open page is good.
	if r := sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.sign("valid", []byte(challenge)))); !strings.HasSuffix(r.URL, "/confirm") {
		t.Fatalf("%+v", r)
	}
	s.forward(14 * time.Minute)
	b.get("/login/" + loginID(b.url) + "/confirm")
	for range 8 {
		press()
	}
	if longer.MatchString(b.page) {
		t.Error("an eleventh time is offered")
	}
	b.post("/login/"+loginID(b.url)+"/longer", url.Values{"revision": {"0"}, "mac": {stepMAC(t, s, loginID(b.url), 0, "longer")}})
	if b.code() != "RATE_LIMITED" {
		t.Errorf("an eleventh press: %d %s", b.status, b.code())
	}
	b.get("/login/" + loginID(b.url) + "/confirm")
	// The login lives; its code is not tried, for fosite has a clock of its own.
	if !strings.Contains(b.page, `id="confirm"`) {
		t.Errorf("after 49 minutes: %s", b.code())
	}
}

// TestOtherPersonsSignatureStopsAtS8: the first proof counts; what comes later for the same login changes nothing (threat T7).
func TestOtherPersonsSignatureStopsAtS8(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("idp_hint", "demo")
	page := b.page
	b.submit("demo", "person", "valid")
	b.page = page
	b.submit("demo", "person", "valid-official")
	if !strings.HasSuffix(b.url.Path, "/confirm") || !strings.Contains(b.page, "3184710691") || strings.Contains(b.page, "2999999993") {
		t.Errorf("%s shows %s", b.url, b.code())
	}
}

// TestAttemptLimit: five tries, then the login is over.
func TestAttemptLimit(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize("idp_hint", "demo")
	for range 5 {
		b.submit("demo", "person", "seal")
		if b.code() != "CERT_SEAL" {
			t.Fatalf("%s", b.code())
		}
	}
	// Beginning anew is for those who were proven: it gives nobody new tries.
	id, page := loginID(b.url), b.page
	b.get("/login/" + id + "/restart")
	if loginID(b.url) != id {
		t.Error("restart gives five more tries")
	}
	b.page = page
	b.submit("demo", "person", "valid")
	if b.code() != "RATE_LIMITED" || b.status != http.StatusTooManyRequests {
		t.Errorf("%d %s", b.status, b.code())
	}
	b.get("/login/" + loginID(b.url))
	if b.code() != "TX_UNKNOWN" {
		t.Errorf("afterwards: %s", b.code())
	}
}

// TestSearchBudget: certificates by key id, three times a login, key ids and nothing else (threat T95).
func TestSearchBudget(t *testing.T) {
	s := newStack(t)
	b := s.browser()
	b.authorize()
	sc := b.script("file")
	id := hexOf(s.people["valid"].Key.ID())
	r := sc.post("search", "issuer", qestest.MainEDRPOU, "key_ids", id)
	if len(r.Certificates) != 1 || !bytes.Equal(r.Certificates[0], s.people["valid"].Certificate.Raw) {
		t.Fatalf("%+v", r)
	}
	if r := sc.post("search", "issuer", "", "key_ids", strings.Repeat("ab", 32)); r.Problem.Code != "KEY_CERT_NOT_FOUND" {
		t.Errorf("an unknown key: %+v", r.Problem)
	}
	for _, bad := range []string{"", "zz", "ab", strings.TrimSuffix(strings.Repeat(id+",", 40), ",")} {
		if r := sc.post("search", "key_ids", bad); r.Problem.Code != "TX_UNKNOWN" {
			t.Errorf("key ids %.20q: %+v", bad, r.Problem)
		}
	}
	sc.post("search", "issuer", "", "key_ids", id)
	if r := sc.post("search", "issuer", "", "key_ids", id); r.Problem.Code != "RATE_LIMITED" {
		t.Errorf("the fourth search: %+v", r.Problem)
	}
	// The login itself goes on.
	r = sc.post("ask")
	if r = sc.post("action", "signature", base64.StdEncoding.EncodeToString(s.sign("valid", []byte(r.Challenge)))); !strings.HasSuffix(r.URL, "/confirm") {
		t.Errorf("after the searches: %+v", r)
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, o := range b {
		s.WriteByte(digits[o>>4])
		s.WriteByte(digits[o&15])
	}
	return s.String()
}
