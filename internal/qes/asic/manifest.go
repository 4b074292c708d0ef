package asic

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"brama/internal/dstu/gost34311"
	"brama/internal/dstu/kupyna"
)

// Namespaces of a manifest (EN 319 162-1 A.4).
const (
	nsASiC = "http://uri.etsi.org/02918/v1.2.1#"
	nsDSig = "http://www.w3.org/2000/09/xmldsig#"
)

// Limits of a manifest without a knob.
const (
	maxManifest = 1 << 20
	maxDepth    = 16
	maxElements = 20000
)

// A reference is what a manifest says of one document.
type reference struct {
	name      string
	algorithm string
	digest    []byte
}

type manifest struct {
	signature  string
	references []reference
}

// readManifest reads an ASiCManifest. There is no DTD, no second root, and nothing twice that may stand once; extensions are
// passed over.
func readManifest(b []byte) (*manifest, error) {
	m := &manifest{}
	var err error
	if len(b) > maxManifest {
		return nil, ErrTooBig
	}
	d := xml.NewDecoder(bytes.NewReader(b))
	var path []string // names of ours carry their namespace, all others are "?"
	var ref *reference
	var text strings.Builder
	elements, roots := 0, 0
	for err == nil {
		var token xml.Token
		if token, err = d.Token(); err != nil {
			break
		}
		switch token := token.(type) {
		case xml.Directive:
			err = errors.New("a declaration")
		case xml.ProcInst:
			if token.Target != "xml" {
				err = errors.New("an instruction")
			}
		case xml.StartElement:
			if elements++; elements > maxElements || len(path) == maxDepth {
				return nil, ErrTooBig
			}
			if len(path) == 0 {
				roots++
			}
			path = append(path, nameOf(token.Name))
			text.Reset()
			ref, err = m.start(strings.Join(path, " "), token, ref)
		case xml.CharData:
			if text.Len()+len(token) > 4<<10 {
				return nil, ErrTooBig
			}
			text.Write(token)
		case xml.EndElement:
			if strings.Join(path, " ") == "ASiCManifest DataObjectReference DigestValue" {
				err = ref.setDigest(text.String())
			}
			path = path[:len(path)-1]
			text.Reset()
		}
	}
	switch {
	case !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	case roots != 1, m.signature == "", len(m.references) == 0:
		return nil, fmt.Errorf("%w: it lacks a part", ErrManifest)
	}
	seen := map[string]bool{}
	for _, r := range m.references {
		if seen[r.name] || r.algorithm == "" || len(r.digest) == 0 {
			return nil, fmt.Errorf("%w: reference to %q", ErrManifest, r.name)
		}
		seen[r.name] = true
	}
	return m, nil
}

func nameOf(n xml.Name) string {
	switch {
	case n.Space == nsASiC && (n.Local == "ASiCManifest" || n.Local == "SigReference" || n.Local == "DataObjectReference"),
		n.Space == nsDSig && (n.Local == "DigestMethod" || n.Local == "DigestValue"):
		return n.Local
	}
	return "?"
}

// start takes an element by its path.
func (m *manifest) start(path string, e xml.StartElement, ref *reference) (*reference, error) {
	attribute := func(name string) (string, error) {
		value, n := "", 0
		for _, a := range e.Attr {
			if a.Name.Space == "" && a.Name.Local == name {
				value, n = a.Value, n+1
			}
		}
		if n != 1 {
			return "", fmt.Errorf("attribute %s stands %d times", name, n)
		}
		return value, nil
	}
	switch path {
	case "ASiCManifest", "ASiCManifest DataObjectReference DigestValue":
	case "ASiCManifest SigReference":
		uri, err := attribute("URI")
		if err != nil || m.signature != "" {
			return nil, errors.Join(errors.New("reference to the signature"), err)
		}
		m.signature, err = fileName(uri)
		return nil, err
	case "ASiCManifest DataObjectReference":
		uri, err := attribute("URI")
		if err != nil {
			return nil, err
		}
		name, err := fileName(uri)
		if err != nil {
			return nil, err
		}
		m.references = append(m.references, reference{name: name})
		return &m.references[len(m.references)-1], nil
	case "ASiCManifest DataObjectReference DigestMethod":
		algorithm, err := attribute("Algorithm")
		if err != nil || ref.algorithm != "" {
			return nil, errors.Join(errors.New("digest method"), err)
		}
		ref.algorithm = algorithm
	default:
		if !strings.Contains(path, "?") {
			return nil, errors.New("an element in a wrong place")
		}
	}
	return ref, nil
}

func (r *reference) setDigest(text string) error {
	digest, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || r == nil || r.digest != nil || len(digest) == 0 {
		return errors.Join(errors.New("digest value"), err)
	}
	r.digest = digest
	return nil
}

// fileName decodes a relative address once; what comes out must be a safe name (threat T65).
func fileName(uri string) (string, error) {
	name, err := url.PathUnescape(strings.TrimPrefix(uri, "./"))
	if err != nil || strings.ContainsAny(uri, "?#") {
		return "", fmt.Errorf("address %q", uri)
	}
	if err := checkName(name); err != nil {
		return "", err
	}
	return name, nil
}

// Digests whose names are settled (RFC 6931 2.1, 2.3.2).
var known = map[string]func([]byte) []byte{
	"http://www.w3.org/2001/04/xmlenc#sha256":       func(b []byte) []byte { d := sha256.Sum256(b); return d[:] },
	"http://www.w3.org/2001/04/xmldsig-more#sha384": func(b []byte) []byte { d := sha512.Sum384(b); return d[:] },
	"http://www.w3.org/2001/04/xmlenc#sha512":       func(b []byte) []byte { d := sha512.Sum512(b); return d[:] },
}

// weak are names of digests that bind nothing any more.
var weak = []string{"#md5", "#sha1", "#ripemd160", "#sha224"}

// national are the digests of Ukrainian standards. No document gives them a name for XML, and programs differ; the value
// binds the document whatever its name is.
var national = []func([]byte) []byte{
	func(b []byte) []byte { d := gost34311.Sum(b); return d[:] },
	func(b []byte) []byte { d := kupyna.Sum256(b); return d[:] },
	func(b []byte) []byte { d := kupyna.Sum384(b); return d[:] },
	func(b []byte) []byte { d := kupyna.Sum512(b); return d[:] },
}

// check compares the digest with that of content.
func (r *reference) check(content []byte) error {
	same := func(digest []byte) bool { return subtle.ConstantTimeCompare(digest, r.digest) == 1 }
	if sum, ok := known[r.algorithm]; ok {
		if !same(sum(content)) {
			return ErrDigest
		}
		return nil
	}
	for _, suffix := range weak {
		if strings.HasSuffix(strings.ToLower(r.algorithm), suffix) {
			return ErrAlgorithm
		}
	}
	for _, sum := range national {
		if same(sum(content)) {
			return nil
		}
	}
	return ErrAlgorithm
}
