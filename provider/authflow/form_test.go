package authflow

import (
	"bytes"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzForm: whatever is posted to a step gives an input within its limits or a problem with a code, and no panic.
func FuzzForm(f *testing.F) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("revision", "1")
	_ = w.WriteField("mac", "x")
	part, _ := w.CreateFormFile("signed", "request.txt.p7s")
	_, _ = part.Write([]byte{0x30, 0})
	_ = w.Close()
	f.Add("application/x-www-form-urlencoded", []byte("revision=1&mac=x&signature=MAA%3D"), false)
	f.Add("application/x-www-form-urlencoded", []byte("revision=1&revision=2"), false)
	f.Add(w.FormDataContentType(), body.Bytes(), true)
	f.Add(w.FormDataContentType(), body.Bytes(), false)
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"signed\"\r\n\r\n"+strings.Repeat("a", maxUpload)+"\r\n--x--\r\n"), true)
	f.Add("multipart/form-data", []byte("--"), true)
	f.Add("application/json", []byte(`{"revision":1}`), true)
	f.Fuzz(func(t *testing.T, contentType string, b []byte, upload bool) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(b))
		r.Header["Content-Type"] = []string{contentType}
		in, err := readInput(r, upload)
		if err != nil {
			var p *problem
			if !errors.As(err, &p) || p.code == "" || in != nil {
				t.Fatalf("%v, %v: every refusal has a code and no input", in, err)
			}
			return
		}
		if len(in.body) > maxUpload || len(in.body) > 0 && !upload {
			t.Errorf("a file of %d bytes, upload %v", len(in.body), upload)
		}
		for k, v := range in.values {
			if len(v) != 1 || len(k)+len(v[0]) > maxForm {
				t.Errorf("field %q has %d values", k, len(v))
			}
		}
	})
}

// TestMultipartLimits: each bound of S16 has its code.
func TestMultipartLimits(t *testing.T) {
	field := func(name, value string) string {
		return "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	for name, c := range map[string]struct {
		body, code string
	}{
		"good":         {field("revision", "1") + field("signed", "abc") + "--x--\r\n", ""},
		"at the limit": {field("signed", strings.Repeat("a", maxUpload)) + "--x--\r\n", ""},
		"over":         {field("signed", strings.Repeat("a", maxUpload+1)) + "--x--\r\n", "UPLOAD_TOO_BIG"},
		"huge":         {field("signed", strings.Repeat("a", 1<<20)) + "--x--\r\n", "UPLOAD_TOO_BIG"},
		"long field":   {field("revision", strings.Repeat("1", maxField+1)) + "--x--\r\n", "UPLOAD_TOO_BIG"},
		"two files":    {field("signed", "a") + field("signed", "b") + "--x--\r\n", "TX_UNKNOWN"},
		"field twice":  {field("mac", "a") + field("mac", "b") + "--x--\r\n", "TX_UNKNOWN"},
		"many parts":   {strings.Repeat(field("a", ""), 1) + field("b", "") + field("c", "") + field("d", "") + field("e", "") + field("f", "") + field("g", "") + field("h", "") + field("i", "") + "--x--\r\n", "TX_UNKNOWN"},
		"cut":          {"--x\r\nContent-Disposition: form-data; name=\"signed\"\r\n\r\nabc", "TX_UNKNOWN"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		_, err := readInput(r, true)
		got := ""
		var p *problem
		if errors.As(err, &p) {
			got = p.code
		}
		if got != c.code {
			t.Errorf("%s: %q (%v), want %q", name, got, err, c.code)
		}
	}
}
