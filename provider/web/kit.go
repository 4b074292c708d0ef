package web

import (
	"embed"
	"net/http"
	"path"
)

// The entry button for portals, with a page that shows it: files to copy, under names that stay.
//
//go:embed docs/kit/*.css docs/kit/*.svg docs/kit/*.html
var kitFiles embed.FS

// KitPath is where the files of the entry button are served, below the issuer.
const KitPath = DocsPath + "/kit"

// kitCSP: the page that shows the button has a style and no script.
const kitCSP = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Kit serves a file of the entry button, and reports whether there is one of this name.
func (s *Site) Kit(w http.ResponseWriter, name string) bool {
	body, err := kitFiles.ReadFile("docs/kit/" + path.Base(name))
	if err != nil {
		return false
	}
	kind, ok := contentTypes[path.Ext(name)]
	if !ok {
		kind = "text/html; charset=utf-8"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", kitCSP)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(body) // a browser that went away is nobody's error
	return true
}
