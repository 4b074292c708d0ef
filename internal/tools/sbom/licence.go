package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// marks tell licences apart by words that each of them has, and no other has all of. The order matters where one is part of
// another. What is not here is not linked without somebody having read it.
var marks = []struct {
	id    string
	words []string
}{
	{"Apache-2.0", []string{"apache license", "version 2.0, january 2004"}},
	{"MPL-2.0", []string{"mozilla public license", "version 2.0"}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "neither the name"}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "names of its contributors may"}},
	{"BSD-2-Clause", []string{"redistribution and use in source and binary forms", "this list of conditions"}},
	{"MIT", []string{"permission is hereby granted, free of charge", "the above copyright notice and this permission notice"}},
	{"ISC", []string{"permission to use, copy, modify, and/or distribute this software"}},
}

// licenceOf reads the licence of the module in dir.
func licenceOf(dir string) (string, error) {
	if dir == "" {
		return "", errors.New("its sources are not here (go mod download)")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var found []string
	for _, e := range entries {
		stem := strings.ToUpper(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())))
		if e.IsDir() || !slices.Contains([]string{"LICENSE", "LICENCE", "COPYING", "LICENSE-MIT", "LICENSE-APACHE"}, stem) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		id, err := readLicence(string(b))
		if err != nil {
			return "", fmt.Errorf("%s: %w", e.Name(), err)
		}
		found = append(found, id)
	}
	if len(found) == 0 {
		return "", errors.New("it has no licence")
	}
	return found[0], nil
}

func readLicence(text string) (string, error) {
	text = strings.Join(strings.Fields(strings.ToLower(text)), " ")
next:
	for _, m := range marks {
		for _, w := range m.words {
			if !strings.Contains(text, w) {
				continue next
			}
		}
		return m.id, nil
	}
	return "", errors.New("unknown licence")
}
