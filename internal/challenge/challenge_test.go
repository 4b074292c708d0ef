package challenge_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"brama/internal/challenge"
)

func sample() challenge.Challenge {
	c := challenge.Challenge{
		Issuer:  "https://id.example.gov.ua",
		Client:  "cabinet",
		Host:    "cabinet.example.gov.ua",
		Method:  "file",
		Login:   "5b0e1c9a",
		Expires: time.Date(2026, 11, 21, 18, 40, 0, 0, time.UTC),
	}
	for i := range c.Nonce {
		c.Nonce[i] = byte(i + 1)
	}
	return c
}

const text = `brama-login-v1
лише для входу, не є документом
issuer: https://id.example.gov.ua
client: cabinet
host: cabinet.example.gov.ua
method: file
login: 5b0e1c9a
nonce: 0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20
expires: 2026-11-21T18:40:00Z
`

func TestWriteAndParse(t *testing.T) {
	b, err := sample().Write()
	if err != nil || string(b) != text {
		t.Fatalf("%v\n%s", err, b)
	}
	c, err := challenge.Parse(b)
	if err != nil || c != sample() {
		t.Fatalf("%v\n%+v", err, c)
	}
}

func TestParseRefuses(t *testing.T) {
	swap := func(old, new string) string { return strings.Replace(text, old, new, 1) }
	for name, s := range map[string]string{
		"empty":                "",
		"no last line feed":    strings.TrimSuffix(text, "\n"),
		"another line":         text + "\n",
		"trailing":             text + "x",
		"byte order mark":      "\ufeff" + text,
		"leading space":        " " + text,
		"carriage returns":     strings.ReplaceAll(text, "\n", "\r\n"),
		"other version":        swap("v1", "v2"),
		"other notice":         swap("не є", "є"),
		"line left out":        swap("method: file\n", ""),
		"line twice":           swap("method: file\n", "method: file\nmethod: file\n"),
		"other order":          swap("client: cabinet\nhost: cabinet.example.gov.ua\n", "host: cabinet.example.gov.ua\nclient: cabinet\n"),
		"two spaces":           swap("client: ", "client:  "),
		"no space":             swap("client: ", "client:"),
		"name in upper case":   swap("client", "Client"),
		"empty client":         swap(": cabinet\n", ": \n"),
		"client with space":    swap(": cabinet\n", ": cabi net\n"),
		"cyrillic look-alike":  swap("cabinet.", "саbinet."),
		"direction mark":       swap(": cabinet\n", ": cabinet\u202e\n"),
		"host in upper case":   swap("cabinet.e", "Cabinet.e"),
		"host with user":       swap("host: ", "host: a@"),
		"host with path":       swap("gov.ua\nm", "gov.ua/x\nm"),
		"host ends with dot":   swap("gov.ua\nm", "gov.ua.\nm"),
		"host: port zero":      swap("gov.ua\nm", "gov.ua:0\nm"),
		"host: port too big":   swap("gov.ua\nm", "gov.ua:65536\nm"),
		"host: port 080":       swap("gov.ua\nm", "gov.ua:080\nm"),
		"issuer: other scheme": swap("https://id", "ftp://id"),
		"issuer: no host":      swap("https://id.example.gov.ua", "https:///x"),
		"issuer: upper case":   swap("https://id", "HTTPS://id"),
		"issuer: default port": swap("id.example.gov.ua", "id.example.gov.ua:443"),
		"issuer: query":        swap("id.example.gov.ua", "id.example.gov.ua?x"),
		"issuer: fragment":     swap("id.example.gov.ua", "id.example.gov.ua#x"),
		"issuer: user":         swap("id.example.gov.ua", "a@id.example.gov.ua"),
		"issuer: dots":         swap("id.example.gov.ua", "id.example.gov.ua/../x"),
		"issuer: empty part":   swap("id.example.gov.ua", "id.example.gov.ua/a//b"),
		"issuer: percent":      swap("id.example.gov.ua", "id.example.gov.ua/%61"),
		"nonce in upper case":  swap("0a0b", "0A0B"),
		"short nonce":          swap("0102", "01"),
		"long nonce":           swap("0102", "010102"),
		"zero nonce":           swap("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", strings.Repeat("0", 64)),
		"31 February":          swap("11-21", "02-31"),
		"hour 24":              swap("T18", "T24"),
		"fraction":             swap("00Z", "00.5Z"),
		"offset":               swap("00Z", "00+02:00"),
		"lower case z":         swap("00Z", "00z"),
		"leap second":          swap("40:00Z", "40:60Z"),
		"year 1999":            swap("2026", "1999"),
	} {
		if c, err := challenge.Parse([]byte(s)); !errors.Is(err, challenge.ErrMalformed) || c != (challenge.Challenge{}) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

func TestValues(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(c *challenge.Challenge)
		ok     bool
	}{
		{"issuer on loopback", func(c *challenge.Challenge) { c.Issuer = "http://127.0.0.1:8443" }, true},
		{"issuer on IPv6", func(c *challenge.Challenge) { c.Issuer = "http://[::1]:8443/x" }, true},
		{"issuer with path", func(c *challenge.Challenge) { c.Issuer = "https://a.ua/realms/b-1_~.c/" }, true},
		{"issuer in brackets unclosed", func(c *challenge.Challenge) { c.Issuer = "http://[::1" }, false},
		{"host on loopback", func(c *challenge.Challenge) { c.Host = "127.0.0.1:9000" }, true},
		{"host on IPv6", func(c *challenge.Challenge) { c.Host = "[::1]:9000" }, true},
		{"host, IDNA", func(c *challenge.Challenge) { c.Host = "xn--e1afmkfd.xn--j1amh" }, true},
		{"host, hyphen first", func(c *challenge.Challenge) { c.Host = "-a.ua" }, false},
		{"client is a URL", func(c *challenge.Challenge) { c.Client = "https://rp.example/x" }, true},
		{"client with line feed", func(c *challenge.Challenge) { c.Client = "a\nhost: b" }, false},
		{"client too long", func(c *challenge.Challenge) { c.Client = strings.Repeat("a", 256) }, false},
		{"method in upper case", func(c *challenge.Challenge) { c.Method = "File" }, false},
		{"zero nonce", func(c *challenge.Challenge) { c.Nonce = [32]byte{} }, false},
		{"no time", func(c *challenge.Challenge) { c.Expires = time.Time{} }, false},
		{"fraction of a second", func(c *challenge.Challenge) { c.Expires = c.Expires.Add(1) }, false},
		{"local time", func(c *challenge.Challenge) { c.Expires = c.Expires.In(time.FixedZone("", 7200)) }, false},
		{"everything at its limit", func(c *challenge.Challenge) {
			c.Issuer = "https://" + strings.Repeat("a.", 123) + "b"
			c.Client = strings.Repeat("a", 255)
			c.Host = strings.Repeat("a.", 126) + "b:65535"
			c.Method, c.Login = strings.Repeat("m", 32), strings.Repeat("L", 64)
		}, true},
	} {
		c := sample()
		test.change(&c)
		b, err := c.Write()
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if err != nil {
			continue
		}
		if back, err := challenge.Parse(b); err != nil || back != c {
			t.Errorf("%s: reads back %+v, %v", test.name, back, err)
		}
	}
}

func TestOrigin(t *testing.T) {
	for issuer, want := range map[string]string{
		"https://a.ua":            "https://a.ua",
		"https://a.ua/":           "https://a.ua",
		"https://a.ua/realm/x":    "https://a.ua",
		"http://127.0.0.1:8443/x": "http://127.0.0.1:8443",
	} {
		if got := (challenge.Challenge{Issuer: issuer}).Origin(); got != want {
			t.Errorf("%s: %s, want %s", issuer, got, want)
		}
	}
}

func FuzzChallengeRoundTrip(f *testing.F) {
	f.Add([]byte(text), "https://a.ua/x", "client", "a.ua:1", "file", "l", int64(1800000000))
	f.Add([]byte("\ufeff"+text), "http://[::1]:1", "a\nhost: b", "xn--a.ua", "", "\u202e", int64(-1))
	f.Fuzz(func(t *testing.T, b []byte, issuer, client, host, method, login string, expires int64) {
		if c, err := challenge.Parse(b); err == nil {
			again, err := c.Write()
			if err != nil || !bytes.Equal(again, b) {
				t.Fatalf("%q is written as %q, %v", b, again, err)
			}
			if !bytes.HasPrefix(b, []byte("brama-")) {
				t.Fatal("a challenge that does not look like one")
			}
		}
		c := challenge.Challenge{Issuer: issuer, Client: client, Host: host, Method: method, Login: login,
			Nonce: [32]byte{1}, Expires: time.Unix(expires, 0).UTC()}
		written, err := c.Write()
		if err != nil {
			return
		}
		if len(written) > challenge.MaxSize || bytes.Count(written, []byte("\n")) != 9 {
			t.Fatalf("%q", written)
		}
		if back, err := challenge.Parse(written); err != nil || back != c {
			t.Fatalf("%q reads back %+v, %v", written, back, err)
		}
	})
}

// TestWriteAllocations: the text and nothing beside it.
func TestWriteAllocations(t *testing.T) {
	c := challenge.Challenge{Issuer: "https://id.example.gov.ua", Client: "cabinet", Host: "cabinet.example.gov.ua", Method: "file", Login: "AAAA",
		Nonce: [challenge.NonceSize]byte{1}, Expires: time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)}
	if n := testing.AllocsPerRun(20, func() {
		if _, err := c.Write(); err != nil {
			t.Fatal(err)
		}
	}); n > 1 {
		t.Errorf("%v allocations, want 1", n)
	}
}
