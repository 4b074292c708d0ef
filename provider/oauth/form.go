package oauth

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

const typeForm = "application/x-www-form-urlencoded"

// maxForm bounds the query and the body of a request, in bytes.
const maxForm = 64 << 10

// usualParameters is for how many there is room from the start.
const usualParameters = 16

var (
	errFormSize  = errors.New("request is larger than 64 KiB")
	errFormType  = errors.New("body is not application/x-www-form-urlencoded")
	errFormText  = errors.New("parameters cannot be read")
	errFormTwice = errors.New("a parameter stands twice")
)

// readBody reads the form in the body of a POST: urlencoded only (fosite would take multipart and spill it to the disk).
func readBody(r *http.Request) (url.Values, error) {
	if media := r.Header.Get("Content-Type"); media != typeForm { // as most say it
		if t, _, err := mime.ParseMediaType(media); err != nil || t != typeForm {
			return nil, errFormType
		}
	}
	if r.PostForm != nil {
		return r.PostForm, nil // somebody before us has read the body
	}
	if r.ContentLength > maxForm {
		return nil, errFormSize
	}
	var body []byte
	var err error
	if r.ContentLength >= 0 {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	}
	if err != nil {
		return nil, errFormText
	}
	_ = r.Body.Close()             // or the server would look for a rest before it answers
	return parseForm(string(body)) // which knows the limit too
}

func parseForm(raw string) (url.Values, error) {
	if len(raw) > maxForm {
		return nil, errFormSize
	}
	if raw == "" {
		return url.Values{}, nil
	}
	// As url.ParseQuery does, with one piece of memory for what usually is one value a name.
	n := min(strings.Count(raw, "&")+1, usualParameters)
	form, values := make(url.Values, n), make([]string, 0, n)
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if err != nil || strings.IndexByte(part, ';') >= 0 {
			return nil, errFormText
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, errFormText
		}
		if had := form[name]; had != nil {
			form[name] = append(had, value)
			continue
		}
		values = append(values, value)
		form[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return form, nil
}

// duplicated returns the name of a parameter that stands more than once (RFC 6749, 3.1 and 3.2 forbid it), "" if none.
func duplicated(form url.Values) string {
	for name, values := range form {
		if len(values) > 1 {
			return name
		}
	}
	return ""
}

// words splits a space-separated parameter.
func words(s string) []string { return strings.Fields(s) }
