package upstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// An Object is a JSON object (RFC 8259) whose members have not been looked at.
type Object map[string]json.RawMessage

// maxMembers and maxText bound an object: real ones have some thirty members, and texts of an address at most.
const (
	maxMembers = 256
	maxText    = 4096
	maxList    = 1024
)

var (
	errNotObject = errors.New("upstream: not a JSON object")
	errTwice     = errors.New("upstream: a member of the object stands twice")
)

// ParseObject reads exactly one object in UTF-8. A name that stands twice is an error: programs differ in which of the two
// they take (threat T27).
func ParseObject(b []byte) (Object, error) {
	if !utf8.Valid(b) || !json.Valid(b) {
		return nil, errNotObject
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errNotObject
	}
	o := Object{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok || len(o) == maxMembers {
			return nil, errNotObject
		}
		if _, twice := o[name]; twice {
			return nil, errTwice
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, errNotObject
		}
		o[name] = value
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, errNotObject
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotObject
	}
	return o, nil
}

// ParseList reads a list of objects.
func ParseList(b []byte) ([]Object, error) {
	var raw []json.RawMessage
	if !utf8.Valid(b) || json.Unmarshal(b, &raw) != nil || len(raw) > maxList {
		return nil, errNotObject
	}
	list := make([]Object, 0, len(raw))
	for _, r := range raw {
		o, err := ParseObject(r)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

// Text returns a member that is a text, a number as it is written, or a truth value as "1" or "0"; "" for one that is absent,
// null, too long or something else, and for the words that both systems write for nothing.
func (o Object) Text(name string) string {
	raw := o[name]
	var s string
	switch {
	case len(raw) == 0 || len(raw) > maxText:
	case raw[0] == '"':
		if json.Unmarshal(raw, &s) != nil {
			return ""
		}
	case raw[0] == 't':
		s = "1"
	case raw[0] == 'f':
		s = "0"
	case raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		s = string(raw)
	}
	s = strings.TrimSpace(s)
	switch strings.ToLower(s) {
	case "n/a", `n\a`:
		return ""
	}
	return s
}

// Secret returns a member that goes back as it came: a token or an identifier, visible ASCII of at most 4 KiB.
func (o Object) Secret(name string) (string, error) {
	s := o.Text(name)
	if s == "" || !visible(s) {
		return "", errors.New("upstream: the answer has no usable " + name)
	}
	return s, nil
}

// Bytes returns a member that is base64, with line breaks or without; nil if it is absent or no text.
func (o Object) Bytes(name string) ([]byte, error) {
	raw := o[name]
	if len(raw) == 0 || raw[0] != '"' {
		return nil, nil
	}
	var b []byte // encoding/json reads base64 of the standard alphabet into it, line breaks left out
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, errors.New("upstream: " + name + " is not base64")
	}
	return b, nil
}
