package oauth

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A jsonObject is a JSON object that is written member by member: of what is answered at every request, reflection was a good part
// of the cost. Whoever writes it sees to it that no name stands twice.
type jsonObject struct{ b []byte }

// newObject begins an object in b, whose bytes are written over.
func newObject(b []byte) jsonObject { return jsonObject{append(b[:0], '{')} }

// member writes the name of a member, whose value follows. The name is one of ours.
func (o *jsonObject) member(name string) {
	if len(o.b) > 1 {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

func (o *jsonObject) text(name, value string) {
	o.member(name)
	o.b = appendJSONString(o.b, value)
}

func (o *jsonObject) number(name string, value int64) {
	o.member(name)
	o.b = strconv.AppendInt(o.b, value, 10)
}

func (o *jsonObject) texts(name string, values []string) {
	o.member(name)
	o.b = append(o.b, '[')
	for i, s := range values {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = appendJSONString(o.b, s)
	}
	o.b = append(o.b, ']')
}

// other writes a value by encoding/json.
func (o *jsonObject) other(name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	o.member(name)
	o.b = append(o.b, text...)
	return nil
}

// end returns the whole object, and nothing may be written any more.
func (o *jsonObject) end() []byte { return append(o.b, '}') }

// plainJSON are the ASCII characters that encoding/json writes as they are.
var plainJSON = func() (t [utf8.RuneSelf]bool) {
	for c := range t {
		t[c] = c >= ' ' && !strings.ContainsRune(`"\<>&`, rune(c))
	}
	return t
}()

// appendJSONString appends a string as json.Marshal does: as it is if nothing in it needs another form; what does is left to
// encoding/json.
func appendJSONString(b []byte, s string) []byte {
	ascii := true
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf {
			ascii = false
		} else if !plainJSON[c] {
			return appendEscaped(b, s)
		}
	}
	if !ascii && (!utf8.ValidString(s) || strings.Contains(s, "\u2028") || strings.Contains(s, "\u2029")) {
		return appendEscaped(b, s)
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendEscaped(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic("oauth: internal error: a string cannot be encoded") // encoding/json encodes every string
	}
	return append(b, text...)
}
