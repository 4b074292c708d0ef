package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path"
	"runtime/debug"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: sbom VERSION PROGRAM")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(version, program string, w io.Writer) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	dirs, err := moduleDirs(info.Deps)
	if err != nil {
		return err
	}
	bill, err := billOf(info, version, sha256.Sum256(raw), func(m *debug.Module) (string, error) { return licenceOf(dirs[m.Path]) })
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(bill)
}

// A bill has what we fill of a CycloneDX document. Nothing in it changes from one run to the next.
type bill struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licences   []choice   `json:"licenses,omitempty"`
	PURL       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type choice struct {
	Licence struct {
		ID string `json:"id"` // SPDX
	} `json:"license"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

// billOf makes the bill of a program of that version and digest. licence finds the licence of a module.
func billOf(info *buildinfo.BuildInfo, version string, digest [sha256.Size]byte, licence func(*debug.Module) (string, error)) (*bill, error) {
	name := path.Base(info.Path)
	ref := purl(info.Main.Path, version) + "#" + strings.TrimPrefix(info.Path, info.Main.Path+"/")
	ours := licences("Apache-2.0")
	main := component{Type: "application", Ref: ref, Name: name, Version: version, PURL: ref,
		Hashes: []hash{{"SHA-256", hex.EncodeToString(digest[:])}}, Licences: ours}
	std := purl("std", strings.TrimPrefix(strings.Fields(info.GoVersion)[0], "go"))
	all := []component{{Type: "library", Ref: std, Name: "std", Version: strings.TrimPrefix(std, "pkg:golang/std@"), PURL: std, Licences: licences("BSD-3-Clause")}}
	for _, m := range info.Deps {
		if r := m.Replace; r != nil && strings.HasPrefix(r.Path, "./") {
			// Code of this project under another's name: holes of the other's are not in it.
			name := path.Join(info.Main.Path, r.Path)
			all = append(all, component{Type: "library", Ref: purl(name, version), Name: name, Version: version, PURL: purl(name, version), Licences: ours,
				Properties: []property{{"go:replaces", m.Path + " " + m.Version}}})
			continue
		}
		id, err := licence(m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Path, err)
		}
		c := component{Type: "library", Ref: purl(m.Path, m.Version), Name: m.Path, Version: m.Version, PURL: purl(m.Path, m.Version), Licences: licences(id)}
		if m.Sum != "" {
			c.Properties = append(c.Properties, property{"go:sum", m.Sum})
		}
		if m.Replace != nil {
			return nil, fmt.Errorf("%s is replaced by %s: which of the two to name is for somebody to say", m.Path, m.Replace.Path)
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b component) int { return strings.Compare(a.Ref, b.Ref) })
	needs := dependency{Ref: ref}
	for _, c := range all {
		needs.DependsOn = append(needs.DependsOn, c.Ref)
	}
	return &bill{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{main}, Components: all, Dependencies: []dependency{needs}}, nil
}

func licences(id string) []choice {
	var c choice
	c.Licence.ID = id
	return []choice{c}
}

// purl is the package URL of a module: its segments escaped, its name in lower case.
func purl(module, version string) string {
	segments := strings.Split(strings.ToLower(module), "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return "pkg:golang/" + strings.Join(segments, "/") + "@" + strings.ReplaceAll(url.PathEscape(version), "+", "%2B")
}

// moduleDirs finds where the sources of modules lie, by path.
func moduleDirs(modules []*debug.Module) (map[string]string, error) {
	args := []string{"list", "-m", "-f", "{{.Path}}\t{{.Dir}}"}
	for _, m := range modules {
		args = append(args, m.Path)
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			return nil, fmt.Errorf("%w: %s", err, failed.Stderr)
		}
		return nil, err
	}
	dirs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		module, dir, _ := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		dirs[module] = dir
	}
	return dirs, nil
}
