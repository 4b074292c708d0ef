package cloud

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of an answer beside its size.
const (
	maxDepth   = 16
	maxMembers = 4096 // names and elements of the whole answer
)

// ErrAnswer says that a provider's answer is not the JSON it should be.
var ErrAnswer = errors.New("cloud: answer does not parse")

// parseAnswer reads exactly one JSON object into out. Names it does not know are skipped; a name that stands twice in one
// object, in whatever case, is refused, since readers disagree about which one counts.
func parseAnswer(b []byte, out any) error {
	if len(b) > maxAnswer || !utf8.Valid(b) || !startsObject(b) {
		return ErrAnswer
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	members := 0
	if err := walk(dec, 0, &members); err != nil {
		return ErrAnswer
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return ErrAnswer
	}
	if err := json.Unmarshal(b, out); err != nil {
		return ErrAnswer
	}
	return nil
}

func startsObject(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	return len(b) > 0 && b[0] == '{'
}

// walk reads one value.
func walk(dec *json.Decoder, depth int, members *int) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxDepth {
		return ErrAnswer
	}
	seen := make(map[string]bool)
	for dec.More() {
		if *members++; *members > maxMembers {
			return ErrAnswer
		}
		if open == '{' {
			name, err := dec.Token()
			if err != nil {
				return err
			}
			folded := strings.ToLower(name.(string)) // the decoder gives nothing else here
			if seen[folded] {
				return ErrAnswer
			}
			seen[folded] = true
		}
		if err := walk(dec, depth+1, members); err != nil {
			return err
		}
	}
	_, err = dec.Token() // the closing one
	return err
}

// decode64 reads standard base64 of at most limit octets; some servers break it into lines.
func decode64(s string, limit int) ([]byte, error) {
	if len(s) > limit*3/2+64 {
		return nil, ErrAnswer
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) == 0 || len(b) > limit {
		return nil, ErrAnswer
	}
	return b, nil
}
