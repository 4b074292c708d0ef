package authflow

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"brama/connectors"
	"brama/provider/session"
	"brama/storage"
)

// Limits of a posted form. A login signature is a few kilobytes; nothing that parses as a key container of the usual size
// with its password needs to fit (threat T36), and S16 takes one file.
const (
	maxForm     = 96 << 10 // base64 of connectors.MaxSignature and the fields beside it
	maxUpload   = connectors.MaxSignature
	maxOverhead = 8 << 10 // of multipart
	maxDrain    = 4 << 20
	maxParts    = 8
	maxField    = 4 << 10
)

// An input is a form that was posted to a step.
type input struct {
	values url.Values
	body   []byte // the file of S16
}

// errRevision says that the form is of an earlier state of the login.
var errRevision = errors.New("form of an earlier step")

// form reads a form that was posted to a step of l, and checks where it comes from and what it was made for: origin, step
// MAC, revision. Only S16 may be multipart.
func (f *Flow) form(r *http.Request, l *login, step string) (*input, error) {
	return f.formAt(r, l, step, l.revision)
}

// formAt is form for a step that is of a fixed revision.
func (f *Flow) formAt(r *http.Request, l *login, step string, at uint64) (*input, error) {
	if session.OriginOf(r, f.Issuer) == session.OriginForeign {
		return nil, &problem{code: codeUnknown, err: errors.New("posted from another origin")}
	}
	in, err := readInput(r, step == "upload")
	if err != nil {
		return nil, err
	}
	revision, err := strconv.ParseUint(in.values.Get("revision"), 10, 64)
	if err != nil {
		return nil, &problem{code: codeUnknown, err: errors.New("no revision")}
	}
	// The MAC first: what does not carry one is not a form of ours, whatever its revision.
	if !f.Sealer.CheckStepMAC(in.values.Get("mac"), l.ID, revision, step) {
		return nil, &problem{code: codeUnknown, err: errors.New("step MAC does not fit")}
	}
	if revision != at {
		return nil, errRevision
	}
	return in, nil
}

func readInput(r *http.Request, upload bool) (*input, error) {
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, &problem{code: codeUnknown, err: errors.New("no content type")}
	}
	switch {
	case kind == "application/x-www-form-urlencoded":
		b, err := readLimited(r.Body, maxForm)
		if err != nil {
			return nil, err
		}
		values, err := url.ParseQuery(string(b))
		if err != nil {
			return nil, &problem{code: codeUnknown, err: errors.New("form does not parse")}
		}
		for _, v := range values {
			if len(v) != 1 {
				return nil, &problem{code: codeUnknown, err: errors.New("field stands twice")}
			}
		}
		return &input{values: values}, nil
	case kind == "multipart/form-data" && upload:
		return readMultipart(r.Body, parameters["boundary"])
	}
	return nil, &problem{code: codeUnknown, err: errors.New("content type is not taken here")}
}

// readMultipart reads the form of S16: the file signed and the fields of the step, all in memory.
func readMultipart(body io.Reader, boundary string) (*input, error) {
	limited := &io.LimitedReader{R: body, N: maxUpload + maxOverhead}
	tooBig := func() error {
		_, _ = io.CopyN(io.Discard, body, maxDrain) // so that the browser hears the answer
		return &problem{code: codeTooBig, values: map[string]string{"n": strconv.Itoa(maxUpload >> 10)}}
	}
	broken := &problem{code: codeUnknown, err: errors.New("multipart form does not parse")}
	if boundary == "" {
		return nil, broken
	}
	in := &input{values: url.Values{}}
	reader := multipart.NewReader(limited, boundary)
	for n := 0; ; n++ {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return in, nil
		}
		if limited.N <= 0 {
			return nil, tooBig()
		}
		if err != nil || n == maxParts {
			return nil, broken
		}
		name := part.FormName()
		limit := int64(maxField)
		if name == "signed" {
			limit = maxUpload
		}
		b, err := io.ReadAll(io.LimitReader(part, limit+1))
		switch {
		case limited.N <= 0, int64(len(b)) > limit:
			return nil, tooBig()
		case err != nil, name == "":
			return nil, broken
		}
		if name == "signed" {
			if in.body != nil {
				return nil, broken
			}
			in.body = b
			continue
		}
		if in.values.Has(name) {
			return nil, broken
		}
		in.values.Set(name, string(b))
	}
}

// readLimited reads all of body, up to limit.
func readLimited(body io.ReadCloser, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, &problem{code: codeUnknown, err: errors.New("body does not arrive")}
	}
	if int64(len(b)) > limit {
		_, _ = io.CopyN(io.Discard, body, maxDrain)
		return nil, &problem{code: codeTooBig, values: map[string]string{"n": strconv.FormatInt(limit>>10, 10)}}
	}
	_ = body.Close() // or the server would look for a rest before it answers
	return b, nil
}

// stale reports whether err only means that the login has moved on: the answer is the step where it is now.
func stale(err error) bool { return errors.Is(err, errRevision) || errors.Is(err, storage.ErrConflict) }

// wantsJSON reports whether our script asks, and not a browser that navigates.
func wantsJSON(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Accept"), "application/json")
}

// headerNoStore is a value as net/http holds it: full, so that whoever adds to it makes a new one.
var headerNoStore = []string{"no-store"}

func noStore(w http.ResponseWriter) { w.Header()["Cache-Control"] = headerNoStore }
