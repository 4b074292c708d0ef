package asic

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits bound a container before its meaning is looked at. A zero field is no allowance at all.
type Limits struct {
	Size     int // octets of the container
	Entries  int
	Expanded int // octets of everything in it
	Ratio    int // how much larger an entry may become
}

// The limits in use (threat T65).
var (
	// LoginLimits are for a container with one short text.
	LoginLimits = Limits{Size: 64 << 10, Entries: 16, Expanded: 512 << 10, Ratio: 100}
	// DocumentLimits are for the verbs of the command line, where the person chose the file.
	DocumentLimits = Limits{Size: 256 << 20, Entries: 1000, Expanded: 512 << 20, Ratio: 100}
)

// smallEntry is a size below which no ratio is looked at: a few repeated letters compress well.
const smallEntry = 4 << 10

// Errors of Read, each one cause (errors.Is).
var (
	ErrNotASiC   = errors.New("asic: not an associated signature container")
	ErrTooBig    = errors.New("asic: the container is too large, or holds too much")
	ErrMalformed = errors.New("asic: malformed container")
	ErrName      = errors.New("asic: a name in the container is not safe, or stands twice")
	ErrManifest  = errors.New("asic: malformed manifest")
	ErrDigest    = errors.New("asic: a document is not the one of the manifest")
	ErrAlgorithm = errors.New("asic: the digest of a document is of an unknown algorithm")
	ErrXAdES     = errors.New("asic: the signature is XAdES")
	ErrUnsigned  = errors.New("asic: no signature, or a document without one")
)

// A Kind is a form of container. The zero value is none.
type Kind int

// Kinds.
const (
	Simple   Kind = iota + 1 // ASiC-S: one document
	Extended                 // ASiC-E: documents named by manifests
)

// Media types (EN 319 162-1 A.2).
const (
	typeSimple   = "application/vnd.etsi.asic-s+zip"
	typeExtended = "application/vnd.etsi.asic-e+zip"
)

// A Document is a data object.
type Document struct {
	Name    string // path in the container, UTF-8, without "..", backslashes and control characters
	Content []byte
}

// A Signature is one CAdES signature of the container.
type Signature struct {
	Name      string
	CMS       []byte   // not looked at
	Signed    []byte   // what CMS must cover: the manifest, or the document of the simple form
	Documents []string // names of what is signed; the digests in the manifest are those of the documents
}

// A Container is what was read. Every document is signed by at least one signature.
type Container struct {
	Kind       Kind
	Documents  []Document
	Signatures []Signature
}

// Document returns the data object called name.
func (c *Container) Document(name string) ([]byte, bool) {
	for _, d := range c.Documents {
		if d.Name == name {
			return d.Content, true
		}
	}
	return nil, false
}

// IsZIP reports whether b begins as a ZIP does.
func IsZIP(b []byte) bool { return bytes.HasPrefix(b, []byte("PK\x03\x04")) }

const metaInf = "META-INF/"

// Read reads a container. It returns nothing beside an error.
func Read(b []byte, limits Limits) (*Container, error) {
	if len(b) > limits.Size {
		return nil, ErrTooBig
	}
	if !IsZIP(b) {
		return nil, ErrNotASiC
	}
	entries, err := unpack(b, limits)
	if err != nil {
		return nil, err
	}
	c := &Container{}
	var said Kind
	var meta []Document
	for i, e := range entries {
		switch {
		case e.Name == "mimetype":
			if said, err = kindOf(i, e.Content); err != nil {
				return nil, err
			}
		case strings.HasPrefix(e.Name, metaInf):
			meta = append(meta, e)
		case strings.EqualFold(e.Name[:min(len(e.Name), len(metaInf))], metaInf):
			return nil, fmt.Errorf("%w: %q", ErrName, e.Name)
		default:
			c.Documents = append(c.Documents, e)
		}
	}
	if err := c.sign(meta); err != nil {
		return nil, err
	}
	if said != 0 && said != c.Kind {
		return nil, fmt.Errorf("%w: mimetype is of another form", ErrMalformed)
	}
	if err := c.covered(); err != nil {
		return nil, err
	}
	return c, nil
}

// kindOf reads the entry mimetype, which stands first if it is there (EN 319 162-1 A.1).
func kindOf(place int, content []byte) (Kind, error) {
	switch {
	case place != 0:
		return 0, fmt.Errorf("%w: mimetype is not the first entry", ErrMalformed)
	case string(bytes.TrimSpace(content)) == typeSimple:
		return Simple, nil
	case string(bytes.TrimSpace(content)) == typeExtended:
		return Extended, nil
	}
	return 0, fmt.Errorf("%w: it says that it is something else", ErrNotASiC)
}

// sign finds the signatures among the entries of META-INF, and what each is over.
func (c *Container) sign(meta []Document) error {
	files := map[string][]byte{}
	for _, m := range meta {
		files[m.Name] = m.Content
	}
	for _, m := range meta {
		base := strings.ToLower(path.Base(m.Name))
		switch {
		case strings.Contains(base, "signatures") && strings.HasSuffix(base, ".xml"):
			return ErrXAdES
		case strings.HasPrefix(base, "asicmanifest") && strings.HasSuffix(base, ".xml"):
			s, err := c.manifest(m, files)
			if err != nil {
				return err
			}
			if s != nil {
				c.Signatures = append(c.Signatures, *s)
			}
			c.Kind = Extended
		}
	}
	if c.Kind == Extended {
		return c.strays(meta)
	}
	// EN 319 162-1, 4.3: one document, one file with signatures.
	cms, ok := files[metaInf+"signature.p7s"]
	switch {
	case !ok && len(meta) == 0:
		return fmt.Errorf("%w: no META-INF", ErrNotASiC)
	case !ok:
		return ErrUnsigned
	case len(c.Documents) != 1:
		return fmt.Errorf("%w: %d documents in the simple form", ErrMalformed, len(c.Documents))
	}
	c.Kind = Simple
	c.Signatures = []Signature{{Name: metaInf + "signature.p7s", CMS: cms, Signed: c.Documents[0].Content, Documents: []string{c.Documents[0].Name}}}
	return nil
}

// strays refuses a signature that no manifest names: nobody could say what it is over.
func (c *Container) strays(meta []Document) error {
	named := map[string]bool{}
	for _, s := range c.Signatures {
		named[s.Name] = true
	}
	for _, m := range meta {
		if strings.HasSuffix(strings.ToLower(m.Name), ".p7s") && !named[m.Name] {
			return fmt.Errorf("%w: no manifest names %q", ErrMalformed, m.Name)
		}
	}
	return nil
}

// manifest reads one manifest and checks what it says. A manifest of a time-stamp is passed over: nil.
func (c *Container) manifest(m Document, files map[string][]byte) (*Signature, error) {
	read, err := readManifest(m.Content)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(strings.ToLower(read.signature), ".tst") {
		return nil, nil //nolint:nilnil // there is no signature, and that is no error
	}
	cms, ok := files[read.signature]
	if !ok {
		return nil, fmt.Errorf("%w: no signature %q", ErrUnsigned, read.signature)
	}
	s := &Signature{Name: read.signature, CMS: cms, Signed: m.Content}
	for _, ref := range read.references {
		content, ok := c.Document(ref.name)
		if !ok {
			return nil, fmt.Errorf("%w: it names %q, which is not there", ErrManifest, ref.name)
		}
		if err := ref.check(content); err != nil {
			return nil, fmt.Errorf("%w: %q", err, ref.name)
		}
		s.Documents = append(s.Documents, ref.name)
	}
	return s, nil
}

// covered refuses a document that no signature covers: it would be shown as if it were signed.
func (c *Container) covered() error {
	signed := map[string]bool{}
	for _, s := range c.Signatures {
		for _, name := range s.Documents {
			signed[name] = true
		}
	}
	for _, d := range c.Documents {
		if !signed[d.Name] {
			return fmt.Errorf("%w: %q", ErrUnsigned, d.Name)
		}
	}
	if len(c.Signatures) == 0 {
		return ErrUnsigned
	}
	return nil
}

// unpack reads every entry, within limits.
func unpack(b []byte, limits Limits) ([]Document, error) {
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(r.File) > limits.Entries {
		return nil, ErrTooBig
	}
	left := limits.Expanded
	seen := map[string]bool{}
	var entries []Document
	for _, f := range r.File {
		if err := checkName(f.Name); err != nil {
			return nil, err
		}
		fold := strings.ToLower(strings.TrimSuffix(f.Name, "/"))
		if seen[fold] {
			return nil, fmt.Errorf("%w: %q stands twice", ErrName, f.Name)
		}
		seen[fold] = true
		if strings.HasSuffix(f.Name, "/") {
			if f.UncompressedSize64 != 0 {
				return nil, fmt.Errorf("%w: a folder with content", ErrMalformed)
			}
			continue
		}
		content, err := expand(f, left, limits.Ratio)
		if err != nil {
			return nil, err
		}
		left -= len(content)
		entries = append(entries, Document{Name: f.Name, Content: content})
	}
	return entries, nil
}

// expand reads one entry: stored or deflated, not encrypted, as long as it says, and not a bomb.
func expand(f *zip.File, left, ratio int) ([]byte, error) {
	const encrypted = 1 | 1<<6
	switch {
	case f.Flags&encrypted != 0:
		return nil, fmt.Errorf("%w: an entry is encrypted", ErrMalformed)
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return nil, fmt.Errorf("%w: compression method %d", ErrMalformed, f.Method)
	case !f.Mode().IsRegular():
		return nil, fmt.Errorf("%w: an entry is no file", ErrMalformed)
	case f.UncompressedSize64 > uint64(left): //nolint:gosec // left is never negative
		return nil, ErrTooBig
	case f.UncompressedSize64 > smallEntry && f.UncompressedSize64/uint64(ratio) > f.CompressedSize64: //nolint:gosec // a limit of ours
		return nil, fmt.Errorf("%w: an entry grows more than %d times", ErrTooBig, ratio)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	defer r.Close()
	// What an entry says of its length is checked by the reader at the end; until then nothing larger is taken.
	content, err := io.ReadAll(io.LimitReader(r, int64(f.UncompressedSize64)+1)) //nolint:gosec // bounded above
	if err != nil || uint64(len(content)) != f.UncompressedSize64 {
		return nil, fmt.Errorf("%w: %q does not unpack", ErrMalformed, f.Name)
	}
	return content, nil
}

// maxName bounds a path in a container.
const maxName = 255

// checkName takes relative paths in UTF-8 whose every part is a name.
func checkName(name string) error {
	bad := len(name) == 0 || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsAny(name, `\:`) ||
		strings.ContainsFunc(name, func(r rune) bool {
			return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
		})
	for part := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
		bad = bad || part == "" || part == "." || part == ".."
	}
	if bad {
		return fmt.Errorf("%w: %q", ErrName, name)
	}
	return nil
}
