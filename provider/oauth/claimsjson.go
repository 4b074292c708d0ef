package oauth

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// marshalClaims returns claims as json.Marshal does, byte for byte, without its reflection for the kinds of values that claims
// have.
func marshalClaims(claims map[string]any) ([]byte, error) {
	names := make([]string, 0, len(claims))
	for name := range claims {
		names = append(names, name)
	}
	slices.Sort(names)
	b := append(make([]byte, 0, 1024), '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSONString(b, name), ':')
		var err error
		if b, err = appendJSONValue(b, claims[name]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendJSONValue(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case string:
		return appendJSONString(b, v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case []string:
		if v == nil {
			break
		}
		b = append(b, '[')
		for i, s := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSONString(b, s)
		}
		return append(b, ']'), nil
	}
	text, err := json.Marshal(value)
	return append(b, text...), err
}

// appendJSONString appends a string as it is if nothing in it needs another form; what does is left to encoding/json.
func appendJSONString(b []byte, s string) []byte {
	plain := true
	ascii := true
	for i := range len(s) {
		c := s[i]
		plain = plain && c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
		ascii = ascii && c < utf8.RuneSelf
	}
	if plain && (ascii || utf8.ValidString(s) && !strings.ContainsAny(s, "\u2028\u2029")) {
		return append(append(append(b, '"'), s...), '"')
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic("oauth: internal error: a string cannot be encoded") // encoding/json encodes every string
	}
	return append(b, text...)
}

var _ jsonAppender = (*tokenAnswer)(nil)

func (a *tokenAnswer) appendJSON(b []byte) []byte {
	b = appendJSONString(append(b, `{"access_token":`...), a.AccessToken)
	b = appendJSONString(append(b, `,"token_type":`...), a.TokenType)
	b = strconv.AppendInt(append(b, `,"expires_in":`...), a.ExpiresIn, 10)
	b = appendJSONString(append(b, `,"scope":`...), a.Scope)
	if a.RefreshToken != "" {
		b = appendJSONString(append(b, `,"refresh_token":`...), a.RefreshToken)
	}
	if a.IDToken != "" {
		b = appendJSONString(append(b, `,"id_token":`...), a.IDToken)
	}
	return append(b, '}')
}
