package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// Limits of JSON that portals send. No request needs a tenth of them.
const (
	maxJSONDepth   = 10
	maxJSONMembers = 256 // of all objects and arrays together
)

var errJSON = errors.New("JSON cannot be read")

// readJSON reads one JSON object as nothing else could be read: UTF-8, no name twice in an object, nothing behind its end,
// depth and number of members bounded. Numbers are json.Number.
func readJSON(raw []byte) (map[string]any, error) {
	if !utf8.Valid(raw) {
		return nil, errJSON
	}
	r := jsonReader{d: json.NewDecoder(bytes.NewReader(raw))}
	r.d.UseNumber()
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := r.d.Token(); !errors.Is(err, io.EOF) {
		return nil, errJSON
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errJSON
	}
	return object, nil
}

type jsonReader struct {
	d       *json.Decoder
	members int
}

func (r *jsonReader) value(depth int) (any, error) {
	t, err := r.d.Token()
	if err != nil || depth > maxJSONDepth {
		return nil, errJSON
	}
	switch t {
	case json.Delim('{'):
		return r.object(depth)
	case json.Delim('['):
		list := []any{}
		for r.d.More() {
			if err := r.member(); err != nil {
				return nil, err
			}
			v, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := r.d.Token()
		return list, jsonError(err)
	case json.Delim('}'), json.Delim(']'):
		return nil, errJSON
	}
	return t, nil
}

func (r *jsonReader) object(depth int) (any, error) {
	object := map[string]any{}
	for r.d.More() {
		if err := r.member(); err != nil {
			return nil, err
		}
		t, err := r.d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, errJSON
		}
		if _, twice := object[name]; twice {
			return nil, errors.New("a name stands twice in a JSON object")
		}
		if object[name], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err := r.d.Token()
	return object, jsonError(err)
}

func (r *jsonReader) member() error {
	if r.members++; r.members > maxJSONMembers {
		return errors.New("JSON has too many members")
	}
	return nil
}

func jsonError(err error) error {
	if err != nil {
		return errJSON
	}
	return nil
}
