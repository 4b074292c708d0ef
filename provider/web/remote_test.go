package web

import (
	"bytes"
	"image"
	"image/color"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/qr"
)

// TestQR: the drawing holds the very modules of the code, with four blank ones around it, black on white, and no more.
func TestQR(t *testing.T) {
	const link = "https://diia.app/acquirers/offer-request/dynamic/0123456789abcdef0123"
	svg := string(qrCode(link, `<"> & code`))
	if strings.Contains(svg, `<">`) || !strings.Contains(svg, `role="img"`) || !strings.Contains(svg, `aria-label="&lt;&#34;&gt; &amp; code"`) {
		t.Errorf("name is not escaped: %.200s", svg)
	}
	want, err := qr.Encode(link, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	n := want.Bounds().Dx()
	view := regexp.MustCompile(`viewBox="0 0 (\d+) \d+" width="(\d+)"`).FindStringSubmatch(svg)
	if view == nil || view[1] != strconv.Itoa(n+8) {
		t.Fatalf("view is %v, want %d modules and eight", view, n)
	}
	if px, _ := strconv.Atoi(view[2]); px < 240 {
		t.Errorf("%d pixels wide, want 240 at least", px)
	}
	got := image.NewGray(image.Rect(0, 0, n+8, n+8))
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(svg, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		w, _ := strconv.Atoi(m[3])
		for i := range w {
			got.SetGray(x+i, y, color.Gray{Y: 1})
		}
	}
	for y := range n + 8 {
		for x := range n + 8 {
			black := x >= 4 && y >= 4 && x < n+4 && y < n+4 && isBlack(want.At(x-4, y-4).RGBA())
			if black != (got.GrayAt(x, y).Y == 1) {
				t.Fatalf("module %d,%d is wrong", x, y)
			}
		}
	}
	if qrCode(strings.Repeat("x", 5000), "") != "" || qrCode("", "") != "" {
		t.Error("what does not fit has a drawing")
	}
	for _, bad := range []string{"<script", "style=", "href", "http://www"} {
		if strings.Contains(svg, bad) {
			t.Errorf("the drawing holds %q", bad)
		}
	}
}

// TestReadPanel: a page that was kept as JSON is what its connector made, at the time at which it is shown.
func TestReadPanel(t *testing.T) {
	now := time.Unix(1800000000, 0).UTC()
	type data struct {
		Phase, Link, Code string
		Expires           time.Time
	}
	kept := data{"waiting", "https://diia.app/x", "47", now.Add(100 * time.Second)}
	for _, c := range []struct {
		at      time.Time
		phase   string
		message string
		seconds int
	}{{now, "waiting", "", 100}, {now.Add(100 * time.Second), "expired", "REMOTE_EXPIRED", 0}} {
		panel, err := ReadPanel("diia", kept, c.at)
		r, ok := panel.(*Remote)
		if err != nil || !ok || r.Phase != c.phase || r.Message != c.message || r.Seconds != c.seconds || r.Code != "47" {
			t.Errorf("ReadPanel = %+v, %v; want %s, %s", panel, err, c.phase, c.message)
		}
	}
	if panel, err := ReadPanel("filekey", kept, now); err != nil || panel != any(kept) {
		t.Errorf("another page's data became %v, %v", panel, err)
	}
}

// TestWaitingPage: the link stands before the code in the order of the page, and both are there without a script.
func TestWaitingPage(t *testing.T) {
	s := site(t, false)
	for _, name := range []string{"diia", "cloud"} {
		body := renderPage(t, s, name, Ukrainian).Body.Bytes()
		link, code := bytes.Index(body, []byte(`id="open-app"`)), bytes.Index(body, []byte(`class="qr"`))
		if link < 0 || code < 0 || link > code {
			t.Errorf("%s: link at %d, code at %d", name, link, code)
		}
		for _, want := range []string{`id="check"`, `id="cancel"`, `>47<`, "02:41"} {
			if !bytes.Contains(body, []byte(want)) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
}
