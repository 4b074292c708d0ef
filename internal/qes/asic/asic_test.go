package asic

import (
	"archive/zip"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"brama/internal/dstu/gost34311"
)

var request = Document{Name: "request.txt", Content: []byte("brama-login-v1\nлише для входу\n")}

func sign(manifest []byte) ([]byte, error) { return append([]byte("CMS over "), manifest[:5]...), nil }

// An item is one entry of a container that a test makes by hand.
type item struct {
	name, content string
	method        uint16
	flags         uint16
}

func packed(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, i := range items {
		f, err := w.CreateHeader(&zip.FileHeader{Name: i.name, Method: i.method, Flags: i.flags})
		if err == nil && !strings.HasSuffix(i.name, "/") {
			_, err = f.Write([]byte(i.content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func manifestOf(t testing.TB, documents ...Document) string {
	t.Helper()
	b, err := writeManifest(documents)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// good is a container in parts, so that a test can spoil one of them.
func good(t testing.TB) []item {
	return []item{{name: "mimetype", content: typeExtended}, {name: request.Name, content: string(request.Content), method: zip.Deflate},
		{name: "META-INF/", content: ""}, {name: "META-INF/ASiCManifest001.xml", content: manifestOf(t, request), method: zip.Deflate},
		{name: "META-INF/signature001.p7s", content: "CMS"}}
}

func TestPackAndRead(t *testing.T) {
	documents := []Document{request, {Name: "тека/a & b'%.txt", Content: []byte{}}}
	b, err := Pack(documents, sign)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Read(b, LoginLimits)
	if err != nil {
		t.Fatal(err)
	}
	if c.Kind != Extended || len(c.Documents) != 2 || len(c.Signatures) != 1 || len(c.Signatures[0].Documents) != 2 {
		t.Fatalf("%+v", c)
	}
	s := c.Signatures[0]
	if string(s.CMS) != "CMS over <?xml" || !bytes.HasPrefix(s.Signed, []byte("<?xml")) {
		t.Errorf("the signature is %q over %q", s.CMS, s.Signed)
	}
	if content, ok := c.Document(request.Name); !ok || !bytes.Equal(content, request.Content) {
		t.Errorf("the document is %q", content)
	}
}

func TestForms(t *testing.T) {
	simple := []item{{name: "mimetype", content: typeSimple}, {name: "request.txt", content: "x"}, {name: "META-INF/signature.p7s", content: "CMS"}}
	for name, items := range map[string][]item{"extended": good(t), "without mimetype": good(t)[1:], "simple": simple, "simple without mimetype": simple[1:]} {
		c, err := Read(packed(t, items...), LoginLimits)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.HasPrefix(name, "simple") && (c.Kind != Simple || string(c.Signatures[0].Signed) != "x") {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// TestNationalDigest: a digest of a Ukrainian standard binds the document under whatever name a program gives it; a weak one
// does not.
func TestNationalDigest(t *testing.T) {
	swap := func(algorithm string, digest []byte) error {
		items := good(t)
		m := items[3].content
		from, to := strings.Index(m, "<ds:DigestMethod"), strings.Index(m, "</asic:DataObjectReference>")
		items[3].content = m[:from] + fmt.Sprintf(`<ds:DigestMethod Algorithm="%s"/><ds:DigestValue> %s </ds:DigestValue>`, algorithm, base64.StdEncoding.EncodeToString(digest)) + m[to:]
		_, err := Read(packed(t, items...), LoginLimits)
		return err
	}
	gost := gost34311.Sum(request.Content)
	if err := swap("urn:any:gost34311", gost[:]); err != nil {
		t.Errorf("ГОСТ 34.311: %v", err)
	}
	other := gost34311.Sum([]byte("x"))
	if err := swap("urn:any:gost34311", other[:]); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("of another text: %v", err)
	}
	if err := swap("http://www.w3.org/2001/04/xmlenc#sha256", gost[:]); !errors.Is(err, ErrDigest) {
		t.Errorf("by the name of another digest: %v", err)
	}
	weak := sha1.Sum(request.Content)
	if err := swap("http://www.w3.org/2000/09/xmldsig#sha1", weak[:]); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("SHA-1: %v", err)
	}
}

// TestHostileContainers: what is not exactly one thing is refused, and why (threat T65).
func TestHostileContainers(t *testing.T) {
	change := func(f func([]item) []item) []byte { return packed(t, f(good(t))...) }
	with := func(more ...item) []byte { return change(func(i []item) []item { return append(i, more...) }) }
	manifest := func(from, to string) []byte {
		return change(func(i []item) []item {
			if !strings.Contains(i[3].content, from) {
				t.Fatalf("the manifest has no %q", from)
			}
			i[3].content = strings.Replace(i[3].content, from, to, 1)
			return i
		})
	}
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"no zip":                 {[]byte("0\x80"), ErrNotASiC},
		"a cut one":              {good0(t)[:100], ErrMalformed},
		"another zip":            {packed(t, item{name: "word/document.xml"}), ErrNotASiC},
		"another mimetype":       {packed(t, item{name: "mimetype", content: "application/epub+zip"}), ErrNotASiC},
		"other form":             {change(func(i []item) []item { i[0].content = typeSimple; return i }), ErrMalformed},
		"mimetype in the middle": {change(func(i []item) []item { return append(i[1:], i[0]) }), ErrMalformed},
		"no signature":           {change(func(i []item) []item { return i[:4] }), ErrUnsigned},
		"stray signature":        {with(item{name: "META-INF/signature002.p7s"}), ErrMalformed},
		"XAdES":                  {with(item{name: "META-INF/signatures001.xml"}), ErrXAdES},
		"unsigned document":      {with(item{name: "contract.pdf"}), ErrUnsigned},
		"document twice":         {with(item{name: "request.txt", content: "other"}), ErrName},
		"other case":             {with(item{name: "REQUEST.txt"}), ErrName},
		"up":                     {with(item{name: "../request.txt"}), ErrName},
		"absolute":               {with(item{name: "/request.txt"}), ErrName},
		"backslash":              {with(item{name: `a\request.txt`}), ErrName},
		"right to left":          {with(item{name: "a\u202etxt.exe"}), ErrName},
		"folder as a file":       {with(item{name: "request.txt/"}), ErrName},
		"other META-INF":         {with(item{name: "meta-inf/x"}), ErrName},
		"long name":              {with(item{name: strings.Repeat("a", 256)}), ErrName},
		"bomb":                   {with(item{name: "zero", content: strings.Repeat("\x00", 400<<10), method: zip.Deflate}), ErrTooBig},
		"too much":               {packed(t, item{name: "a", content: strings.Repeat("ab1", 20<<10)}, item{name: "b"}), ErrNotASiC},
		"many":                   {packed(t, make2(20)...), ErrTooBig},
		"too large":              {make([]byte, LoginLimits.Size+1), ErrTooBig},
		"changed document":       {change(func(i []item) []item { i[1].content += " "; return i }), ErrDigest},
		"missing document":       {manifest(`URI="request.txt"`, `URI="other.txt"`), ErrManifest},
		"percent twice":          {manifest(`URI="request.txt"`, `URI="request%252etxt"`), ErrManifest},
		"address":                {manifest(`URI="request.txt"`, `URI="https://x/request.txt"`), ErrManifest},
		"up in the manifest":     {manifest(`URI="request.txt"`, `URI="%2e%2e/request.txt"`), ErrManifest},
		"reference twice":        {manifest("</asic:ASiCManifest>", manifestTail(t)+"</asic:ASiCManifest>"), ErrManifest},
		"two algorithms":         {manifest("<ds:DigestValue>", `<ds:DigestMethod Algorithm="x"/><ds:DigestValue>`), ErrManifest},
		"attribute twice":        {manifest(`URI="request.txt"`, `URI="request.txt" URI="other"`), ErrManifest},
		"two digests":            {manifest("</ds:DigestValue>", "</ds:DigestValue><ds:DigestValue>AAAA</ds:DigestValue>"), ErrManifest},
		"no digest":              {manifest("<ds:DigestValue>", "<ds:Other>AAA</ds:Other><ds:DigestValue>"), nil},
		"DTD":                    {manifest("<asic:ASiCManifest", `<!DOCTYPE a [<!ENTITY b "c">]><asic:ASiCManifest`), ErrManifest},
		"two roots":              {change(func(i []item) []item { i[3].content += "<a/>"; return i }), ErrManifest},
		"other namespace":        {manifest(nsASiC, "http://example.org/"), ErrManifest},
		"deep":                   {manifest("</asic:ASiCManifest>", strings.Repeat("<a>", 20)+strings.Repeat("</a>", 20)+"</asic:ASiCManifest>"), ErrTooBig},
		"cut manifest":           {manifest("</asic:ASiCManifest>", ""), ErrManifest},
	} {
		got, err := Read(c.b, LoginLimits)
		if !errors.Is(err, c.want) || (got != nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func good0(t testing.TB) []byte { return packed(t, good(t)...) }

func manifestTail(t testing.TB) string {
	m := manifestOf(t, request)
	return m[strings.Index(m, "<asic:DataObjectReference"):strings.Index(m, "</asic:ASiCManifest>")]
}

func make2(n int) []item {
	items := make([]item, n)
	for i := range items {
		items[i].name = fmt.Sprint(i)
	}
	return items
}

// TestLyingSizes: an entry that unpacks to more or less than it says is no entry.
func TestLyingSizes(t *testing.T) {
	b := good0(t)
	at := bytes.LastIndex(b, []byte("PK\x01\x02")) // the central record of the signature, stored
	for _, delta := range []byte{1, 0xff} {
		spoilt := bytes.Clone(b)
		spoilt[at+24] += delta
		if _, err := Read(spoilt, LoginLimits); !errors.Is(err, ErrMalformed) {
			t.Errorf("size changed by %d: %v", int8(delta), err)
		}
	}
	spoilt := bytes.Clone(b)
	spoilt[at+8] |= 1
	if _, err := Read(spoilt, LoginLimits); !errors.Is(err, ErrMalformed) {
		t.Errorf("marked as encrypted: %v", err)
	}
}

// FuzzASiC: no panic; nothing beside an error; every document that comes out is covered and within the limits.
func FuzzASiC(f *testing.F) {
	f.Add(good0(f))
	f.Add(packed(f, item{name: "a", content: "x"}, item{name: "META-INF/signature.p7s", content: "CMS"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Read(b, LoginLimits)
		if err != nil {
			if c != nil {
				t.Error("a container beside an error")
			}
			return
		}
		total := 0
		for _, d := range c.Documents {
			total += len(d.Content)
			if checkName(d.Name) != nil {
				t.Errorf("name %q", d.Name)
			}
		}
		if total > LoginLimits.Expanded || len(c.Signatures) == 0 || c.Kind == 0 {
			t.Errorf("%d octets, %d signatures, kind %d", total, len(c.Signatures), c.Kind)
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(manifestOf(f, request)))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readManifest(b)
		if err != nil {
			return
		}
		for _, r := range m.references {
			if checkName(r.name) != nil || len(r.digest) == 0 || r.algorithm == "" {
				t.Errorf("%+v", r)
			}
			_ = r.check(nil)
		}
	})
}
