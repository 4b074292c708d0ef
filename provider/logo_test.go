package provider_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"brama/provider/oauth"
	"brama/provider/web"
)

// The portal's logo stands on S1 and S8, and is a picture of ours to the browser.
func TestPortalLogo(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	logo, err := web.ReadLogo(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	s := newStack(t, func(o *options) { o.client = func(c *oauth.Client) { c.Logo = logo } })
	page := s.browser()
	page.authorize("idp_hint", "demo")
	const mark = `<img class="logo" src="`
	for _, step := range []string{"S1", "S8"} {
		_, rest, ok := strings.Cut(page.page, mark)
		address, _, _ := strings.Cut(rest, `"`)
		if !ok {
			t.Fatalf("%s shows no logo", step)
		}
		res, err := http.Get(s.server.URL + address)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		_, err = got.ReadFrom(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK || !bytes.Equal(got.Bytes(), logo) || !strings.Contains(res.Header.Get("Content-Security-Policy"), "sandbox") ||
			res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", step, res.StatusCode, res.Header)
		}
		if step == "S1" {
			page.submit("demo", "person", "valid")
		}
	}
	for _, path := range []string{"/logo/" + strings.Repeat("0", 64) + ".png", "/logo/../secret", "/logo/x.png"} {
		res, err := http.Get(s.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}
