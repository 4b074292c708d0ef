package web

import (
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"brama/provider/web/markdown"
)

// The guides, served at /docs, and the texts of S17. Each file NAME.uk.md has a twin NAME.en.md.
//
//go:embed docs/*.md docs/*/*.md
var docFiles embed.FS

//go:embed texts/*.md
var textFiles embed.FS

// DocsPath is where the guides are served, below the issuer.
const DocsPath = "/docs"

// docOrder are the guides whose place in the index is not that of the alphabet.
var docOrder = []string{"sign-in", "integrator", "clients", "requests", "claims", "sessions", "codes", "admin", "agent"}

// A DocGroup is a part of the index.
type DocGroup struct {
	Key  string // of its heading
	Docs []DocLink
}

// A DocLink leads to a guide.
type DocLink struct{ URL, Title, Lead string }

// A Doc is the data of a guide's page.
type Doc struct {
	Title    string
	HTML     template.HTML
	Headings []markdown.Heading // of level 2
	Index    string             // where the list of guides is
}

// guides are texts in one language by name without language and suffix. Each is rendered when somebody first reads it: together
// they are a tenth of the memory of a server that nobody uses. That every one can be rendered is a test's.
type guides map[string]func() (*markdown.Document, error)

// loadDocs finds every file of fsys below root in language l.
func (s *Site) loadDocs(fsys fs.FS, root string, l Lang) (guides, error) {
	docs := guides{}
	suffix := "." + string(l) + ".md"
	err := fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if short, ok := strings.CutSuffix(strings.TrimPrefix(name, root+"/"), suffix); ok {
			docs[short] = sync.OnceValues(func() (*markdown.Document, error) { return s.renderDoc(fsys, root, name, short, l) })
		}
		return nil
	})
	return docs, err
}

// renderDoc renders the file called name, which is the guide called short.
func (s *Site) renderDoc(fsys fs.FS, root, name, short string, l Lang) (*markdown.Document, error) {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	d, err := markdown.Render(string(b), markdown.Options{
		Link: func(target string) (string, bool) { return s.docLink(fsys, root, short, target) },
		Table: func(n int) string {
			return s.texts[l].fill(s.texts[l].m["docs.table"], map[string]string{"n": fmt.Sprint(n)})
		},
	})
	if err != nil {
		return nil, fmt.Errorf("web: %s: %w", name, err)
	}
	return d, nil
}

// docLink is where a link of the guide called from leads: to the web by https, to a place in the page, to another guide by the
// name of its file, to a page of S17 by its path.
func (s *Site) docLink(fsys fs.FS, root, from, target string) (string, bool) {
	switch {
	case strings.HasPrefix(target, "https://"), strings.HasPrefix(target, "#"):
		return target, true
	case slices.Contains([]string{"/help", "/accessibility", "/privacy", "/feedback", DocsPath}, target):
		return s.base + target, true
	}
	file, anchor, _ := strings.Cut(target, "#")
	if anchor != "" {
		anchor = "#" + anchor
	}
	name := path.Join(path.Dir(from), file)
	if _, err := kitFiles.Open(path.Join(root, name)); err == nil && anchor == "" {
		return s.base + DocsPath + "/" + name, true
	}
	if strings.HasPrefix(file, DocsPath+"/") { // from the texts of S17
		name, fsys, root = strings.TrimPrefix(file, DocsPath+"/"), docFiles, "docs"
	}
	name = strings.TrimSuffix(name, ".md")
	for _, l := range Langs {
		name = strings.TrimSuffix(name, "."+string(l))
	}
	if _, err := fs.Stat(fsys, path.Join(root, name+"."+string(Ukrainian)+".md")); err != nil || root != "docs" {
		return "", false
	}
	return s.base + DocsPath + "/" + name + anchor, true
}

// DocIndex lists the guides in language l.
func (s *Site) DocIndex(l Lang) []DocGroup {
	guides, methods := DocGroup{Key: "docs.guides"}, DocGroup{Key: "docs.connectors"}
	names := make([]string, 0, len(s.docs[l]))
	for name := range s.docs[l] {
		names = append(names, name)
	}
	place := func(name string) int {
		if i := slices.Index(docOrder, name); i >= 0 {
			return i
		}
		return len(docOrder)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(place(a)-place(b), strings.Compare(a, b)) })
	for _, name := range names {
		d, err := s.docs[l][name]()
		if err != nil {
			continue // none is: see guides
		}
		link := DocLink{URL: s.base + DocsPath + "/" + name, Title: d.Title, Lead: d.Lead}
		if strings.HasPrefix(name, "connectors/") {
			methods.Docs = append(methods.Docs, link)
		} else {
			guides.Docs = append(guides.Docs, link)
		}
	}
	return []DocGroup{guides, methods}
}

// Doc returns the guide called name, such as "connectors/diia", ok being false if there is none.
func (s *Site) Doc(l Lang, name string) (doc Doc, ok bool) {
	render, ok := s.docs[l][name]
	if !ok {
		return Doc{}, false
	}
	d, err := render()
	if err != nil {
		return Doc{}, false
	}
	doc = Doc{Title: d.Title, HTML: d.HTML, Index: s.base + DocsPath}
	for _, h := range d.Headings {
		if h.Level == 2 {
			doc.Headings = append(doc.Headings, h)
		}
	}
	return doc, true
}
