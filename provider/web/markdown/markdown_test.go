package markdown

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var follow = Options{Link: func(target string) (string, bool) { return target, strings.HasPrefix(target, "https://") }}

func TestRender(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"words", "a **b** *c* `d*e` \\*f\\* 2 * 3 * 4 &amp;", "<p>a <strong>b</strong> <em>c</em> <code translate=\"no\">d*e</code> *f* 2 * 3 * 4 &amp;amp;</p>\n"},
		{"lines", "a\nb\n\nc", "<p>a b</p>\n<p>c</p>\n"},
		{"heading", "## One `x`\n### Two\n## One x", `<h2 id="one-x"><a class="anchor" href="#one-x">One <code translate="no">x</code></a></h2>` + "\n" +
			`<h3 id="two"><a class="anchor" href="#two">Two</a></h3>` + "\n" + `<h2 id="one-x-2"><a class="anchor" href="#one-x-2">One x</a></h2>` + "\n"},
		{"own name", "## Слова? {#words}\n## {#x}", `<h2 id="words"><a class="anchor" href="#words">Слова?</a></h2>` + "\n" + `<h2 id="x"><a class="anchor" href="#x">{#x}</a></h2>` + "\n"},
		{"link", "[a **b**](https://x.example/?a=1&b=2) [c](javascript:x) [d](e", `<p><a href="https://x.example/?a=1&amp;b=2">a <strong>b</strong></a> c [d](e</p>` + "\n"},
		{"list", "* a\n  b\n* c\n  - d\n\ntext", "<ul>\n<li>a b</li>\n<li>c<ul>\n<li>d</li>\n</ul>\n</li>\n</ul>\n<p>text</p>\n"},
		{"numbers", "3. a\n\n   ```\n   x  <y>\n   ```\n4. b", "<ol start=\"3\">\n<li><p>a</p>\n<pre><code translate=\"no\">x  &lt;y&gt;</code></pre>\n</li>\n<li>b</li>\n</ol>\n"},
		{"two lists", "* a\n1. b", "<ul>\n<li>a</li>\n</ul>\n<ol>\n<li>b</li>\n</ol>\n"},
		{"table", "| a | b\\|c |\n|---|---|\n| `d|e` |\n", `<div class="scroll" role="region" tabindex="0" aria-label="1"><table>` + "\n<thead><tr><th scope=\"col\">a</th><th scope=\"col\">b|c</th></tr></thead>\n" +
			"<tbody>\n<tr><td><code translate=\"no\">d|e</code></td><td></td></tr>\n</tbody></table></div>\n"},
		{"quote", "> a\n> b", "<div class=\"note\">\n<p>a b</p>\n</div>\n"},
		{"html", "<script>x</script> <!-- y --> ![p](https://x.example/p.png)", "<p>&lt;script&gt;x&lt;/script&gt; &lt;!-- y --&gt; !<a href=\"https://x.example/p.png\">p</a></p>\n"},
		{"quotes in a target", `[a](https://x/"onclick="y) [b](https://x/<y>)`, "<p>[a](https://x/&#34;onclick=&#34;y) [b](https://x/&lt;y&gt;)</p>\n"},
	} {
		d, err := Render("# T\n"+c.in, follow)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if string(d.HTML) != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, d.HTML, c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"no title":      {"text", ErrTitle},
		"two titles":    {"# a\n# b", ErrTitle},
		"skipped level": {"# a\n### b", ErrHeading},
		"open fence":    {"# a\n```\nx", ErrFence},
		"table":         {"# a\n| x |", ErrNoHeader},
		"control":       {"# a\nx\x00", ErrNotUTF8},
		"encoding":      {"# a\n\xff", ErrNotUTF8},
		"size":          {"# a\n" + strings.Repeat("x", maxSize), ErrTooBig},
		"depth":         {"# a\n" + strings.Repeat("* ", 20) + "x", ErrTooDeep},
	} {
		if d, err := Render(c.in, follow); !errors.Is(err, c.want) || d != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestDocument(t *testing.T) {
	d, err := Render("# A `b`\n\nFirst *words*.\n\n## C\n", follow)
	if err != nil || d.Title != "A b" || d.Lead != "First words." || len(d.Headings) != 1 || d.Headings[0] != (Heading{2, "c", "C"}) {
		t.Errorf("%+v, %v", d, err)
	}
}

// balanced reads out as XML: every tag is closed and every name is one that Render writes.
func balanced(out string) error {
	known := regexp.MustCompile(`^(p|h[234]|a|strong|em|code|pre|ul|ol|li|div|table|thead|tbody|tr|th|td|root)$`)
	d := xml.NewDecoder(strings.NewReader("<root>" + out + "</root>"))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); ok && !known.MatchString(e.Name.Local) {
			return errors.New("element " + e.Name.Local)
		}
	}
}

// FuzzRender: whatever a file holds, what comes out is well formed, has only the elements of the subset and follows no link
// that was not allowed.
func FuzzRender(f *testing.F) {
	files, err := filepath.Glob("../docs/*.md")
	if err != nil || len(files) == 0 {
		f.Fatal("no seed")
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Add("# a\n1. b\n   > c\n\n   | d |\n   |-|\n* [e](https://f) ![g](h)\n```\n<i>\n```\n<b onclick=x>")
	href := regexp.MustCompile(`href="([^"]*)"`)
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 8<<10 {
			return
		}
		d, err := Render(s, follow)
		if err != nil {
			if d != nil {
				t.Error("a document beside an error")
			}
			return
		}
		if err := balanced(string(d.HTML)); err != nil {
			t.Errorf("%v in\n%s", err, d.HTML)
		}
		for _, m := range href.FindAllStringSubmatch(string(d.HTML), -1) {
			if !strings.HasPrefix(m[1], "#") && !strings.HasPrefix(m[1], "https://") {
				t.Errorf("leads to %q", m[1])
			}
		}
	})
}
