package config

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	c, err := parse([]byte("origins:\n  - https://id.example.gov.ua\n  - https://id.example.gov.ua:8443\n  - http://127.0.0.1:8080\nmodules: [/usr/lib/a.so]\nplatform_modules: false\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Origins) != 3 || c.Port != Port || c.Modules[0] != "/usr/lib/a.so" || c.PlatformModules == nil || *c.PlatformModules {
		t.Errorf("parsed %+v", c)
	}
	if c, err := parse(nil); err != nil || len(c.Origins) != 0 {
		t.Errorf("empty file: %+v, %v", c, err)
	}
	for name, text := range map[string]string{
		"http of another host": "origins: [http://id.example.gov.ua]",
		"path":                 "origins: [https://id.example.gov.ua/]",
		"query":                "origins: ['https://id.example.gov.ua?']",
		"user":                 "origins: [https://a@id.example.gov.ua]",
		"upper case":           "origins: [https://ID.example.gov.ua]",
		"default port":         "origins: [https://id.example.gov.ua:443]",
		"empty port":           "origins: ['https://id.example.gov.ua:']",
		"any host":             "origins: ['https://*.example.gov.ua']",
		"null":                 "origins: ['null']",
		"other letters":        "origins: [https://брама.укр]",
		"no host":              "origins: ['https://']",
		"unknown key":          "origin: [https://id.example.gov.ua]",
		"low port":             "port: 80",
		"language":             "language: ru",
		"not yaml":             "\x00",
		"too large":            "# " + strings.Repeat("x", maxSize),
	} {
		if c, err := parse([]byte(text)); err == nil {
			t.Errorf("%s: parsed %+v", name, c)
		}
	}
}

// TestSamplesOfDocs: what the guide tells administrators to write is read, and lets somebody in; what is installed does not.
func TestSamplesOfDocs(t *testing.T) {
	sample := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	for _, lang := range []string{"uk", "en"} {
		b, err := os.ReadFile("../../../../provider/web/docs/agent." + lang + ".md")
		if err != nil {
			t.Fatal(err)
		}
		found := sample.FindAllStringSubmatch(string(b), -1)
		if len(found) == 0 {
			t.Errorf("%s: no sample", lang)
		}
		for _, s := range found {
			if c, err := parse([]byte(s[1])); err != nil || len(c.Origins) == 0 {
				t.Errorf("%s: %+v, %v:\n%s", lang, c, err, s[1])
			}
		}
	}
	b, err := os.ReadFile("../../../../deploy/agent/agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := parse(b); err != nil || len(c.Origins) != 0 {
		t.Errorf("agent.yaml: %+v, %v", c, err)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte("origins: [https://id.example.gov.ua]\nport: 24145\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parse(b)
		if (c == nil) == (err == nil) {
			t.Errorf("parse = %v, %v", c, err)
		}
	})
}
