package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

// TestBill: every module that is linked into the program is in its bill, with a licence that somebody has read, and the bill of
// one program is the same every time (threat T102).
func TestBill(t *testing.T) {
	program := filepath.Join(t.TempDir(), "brama")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "brama/cmd/brama")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build has it: what was compiled there is used
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var first, second bytes.Buffer
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := run("v1.2.3", program, b); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two bills of one program differ")
	}
	var got bill
	d := json.NewDecoder(&first)
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if m := got.Metadata.Component; m.PURL != "pkg:golang/brama@v1.2.3#cmd/brama" || len(m.Hashes) != 1 || len(m.Hashes[0].Content) != 64 {
		t.Errorf("the program is %+v", m)
	}
	named := map[string]component{}
	for _, c := range got.Components {
		if _, twice := named[c.Ref]; twice {
			t.Errorf("%s stands twice", c.Ref)
		}
		named[c.Ref] = c
		if len(c.Licences) != 1 || c.Licences[0].Licence.ID == "" {
			t.Errorf("%s has no licence", c.Ref)
		}
	}
	if len(got.Dependencies) != 1 || len(got.Dependencies[0].DependsOn) != len(named) {
		t.Errorf("%d dependencies of %d components", len(got.Dependencies), len(named))
	}
	for ref, licence := range map[string]string{
		"pkg:golang/brama/internal/oryx@v1.2.3": "Apache-2.0", "pkg:golang/github.com/ory/fosite@v0.49.0": "Apache-2.0",
		"pkg:golang/go.etcd.io/bbolt@": "MIT", "pkg:golang/golang.org/x/crypto@": "BSD-3-Clause", "pkg:golang/std@1.": "BSD-3-Clause",
	} {
		found := false
		for have, c := range named {
			found = found || strings.HasPrefix(have, ref) && c.Licences[0].Licence.ID == licence
		}
		if !found {
			t.Errorf("no component %s under %s", ref, licence)
		}
	}
	// The list that somebody has read has nothing that the bill lacks: windows and pkcs11 alone bring what is not here.
	list, err := os.ReadFile("../../layers/testdata/modules.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got.Components {
		if strings.HasPrefix(c.Name, "brama/") || c.Name == "std" {
			continue
		}
		if !bytes.Contains(list, []byte(c.Name+" "+c.Version)) {
			t.Errorf("%s %s is not in the list of linked modules", c.Name, c.Version)
		}
	}
}

// Every module that any build of ours links has a licence that is read.
func TestLicences(t *testing.T) {
	list, err := os.ReadFile("../../layers/testdata/modules.txt")
	if err != nil {
		t.Fatal(err)
	}
	var modules []*debug.Module
	for line := range strings.Lines(string(list)) {
		fields := strings.Fields(line)
		if len(fields) == 2 { // a replaced one is ours
			modules = append(modules, &debug.Module{Path: fields[0], Version: fields[1]})
		}
	}
	dirs, err := moduleDirs(modules)
	if err != nil || len(dirs) < 20 {
		t.Fatalf("%d modules, %v", len(dirs), err)
	}
	for _, m := range modules {
		if _, err := licenceOf(dirs[m.Path]); err != nil {
			t.Errorf("%s: %v", m.Path, err)
		}
	}
}

func TestLicenceRefused(t *testing.T) {
	for name, text := range map[string]string{
		"GPL":      "GNU GENERAL PUBLIC LICENSE Version 3, 29 June 2007",
		"AGPL":     "GNU AFFERO GENERAL PUBLIC LICENSE Version 3, 19 November 2007",
		"BUSL":     "Business Source License 1.1. Change License: Apache License, Version 2.0",
		"no words": "All rights reserved.",
	} {
		if id, err := readLicence(text); err == nil {
			t.Errorf("%s is taken for %s", name, id)
		}
	}
	if _, err := licenceOf(t.TempDir()); err == nil {
		t.Error("a module without a licence is taken")
	}
}

func TestReplacedModule(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.1", Path: "brama/cmd/x", Main: debug.Module{Path: "brama"},
		Deps: []*debug.Module{{Path: "example.org/a", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/b", Version: "v1.0.1"}}}}
	licence := func(*debug.Module) (string, error) { return "MIT", nil }
	if _, err := billOf(info, "v1", [32]byte{}, licence); err == nil {
		t.Error("a module that is another's is named as if it were not")
	}
	info.Deps[0].Replace = nil
	if _, err := billOf(info, "v1", [32]byte{}, func(*debug.Module) (string, error) { return "", errors.New("unknown") }); err == nil {
		t.Error("a module without a licence is in a bill")
	}
	if got := purl("github.com/A/b", "v2.0.0+incompatible"); got != "pkg:golang/github.com/a/b@v2.0.0%2Bincompatible" {
		t.Errorf("purl %s", got)
	}
}
