package web

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http/httptest"
	"strings"
	"testing"
)

// picture draws something that does not compress to nothing.
func picture(t testing.TB, w, h int, encode func(*bytes.Buffer, image.Image) error) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.NRGBA{uint8(x * 7), uint8(y * 5), uint8(x ^ y), 255})
		}
	}
	var b bytes.Buffer
	if err := encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(b *bytes.Buffer, m image.Image) error  { return png.Encode(b, m) }
func asJPEG(b *bytes.Buffer, m image.Image) error { return jpeg.Encode(b, m, nil) }
func asGIF(b *bytes.Buffer, m image.Image) error  { return gif.Encode(b, m, nil) }

// withChunk puts a chunk of text behind the header of a PNG file.
func withChunk(file []byte, kind, text string) []byte {
	const header = 8 + 25
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	body := append([]byte(kind), text...)
	chunk = binary.BigEndian.AppendUint32(append(chunk, body...), crc32.ChecksumIEEE(body))
	return bytes.Join([][]byte{file[:header], chunk, file[header:]}, nil)
}

// resized is a PNG file whose header tells another size.
func resized(file []byte, w, h uint32) []byte {
	b := bytes.Clone(file)
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func TestReadLogo(t *testing.T) {
	small := picture(t, 40, 20, asPNG)
	for name, file := range map[string][]byte{
		"PNG": small, "JPEG": picture(t, 40, 20, asJPEG), "with a text": withChunk(small, "tEXt", "Comment\x00<script>alert(1)</script>"),
		"with a page behind it": append(bytes.Clone(small), "<html><script>alert(1)</script>"...),
	} {
		out, err := ReadLogo(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if bytes.Contains(out, []byte("script")) {
			t.Errorf("%s: what is no picture goes on", name)
		}
		if c, err := png.DecodeConfig(bytes.NewReader(out)); err != nil || c.Width != 40 || c.Height != 20 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	for name, file := range map[string][]byte{
		"nothing": nil, "SVG": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "GIF": picture(t, 4, 4, asGIF),
		"half": small[:len(small)/2], "too wide": picture(t, maxLogoSide+1, 1, asPNG), "a bomb": resized(small, 60000, 60000),
		"no pixels": resized(small, 0, 20), "too long": append(bytes.Clone(small), make([]byte, MaxLogo)...),
	} {
		if out, err := ReadLogo(file); err == nil {
			t.Errorf("%s: taken, %d bytes", name, len(out))
		}
	}
}

// FuzzLogo: what is served is a picture of bounded size and nothing behind it (threat T98).
func FuzzLogo(f *testing.F) {
	small := picture(f, 12, 9, asPNG)
	f.Add(small)
	f.Add(picture(f, 12, 9, asJPEG))
	f.Add(withChunk(small, "iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00<script>"))
	f.Add(resized(small, 1024, 1024))
	f.Add([]byte("\xff\xd8\xff<svg onload=alert(1)>"))
	f.Fuzz(func(t *testing.T, file []byte) {
		out, err := ReadLogo(file)
		if (out == nil) == (err == nil) {
			t.Fatal("logo and error together")
		}
		if err != nil {
			return
		}
		c, err := png.DecodeConfig(bytes.NewReader(out))
		if err != nil || c.Width > maxLogoSide || c.Height > maxLogoSide || len(out) > MaxLogo {
			t.Fatalf("%+v, %d bytes, %v", c, len(out), err)
		}
		// Chunks of a picture only, the last of them the end.
		for at, end := 8, false; at < len(out); {
			n := int(binary.BigEndian.Uint32(out[at:]))
			kind := string(out[at+4 : at+8])
			if end || !strings.Contains("IHDR PLTE tRNS IDAT IEND", kind) {
				t.Fatalf("chunk %q at %d of %d", kind, at, len(out))
			}
			end = kind == "IEND"
			at += 12 + n
		}
	})
}

func TestServeLogo(t *testing.T) {
	file, err := ReadLogo(picture(t, 40, 20, asPNG))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Issuer: "https://id.example.gov.ua/sub", Logos: map[string][]byte{"cabinet": file}})
	if err != nil {
		t.Fatal(err)
	}
	address := s.Logo("cabinet")
	name, ok := strings.CutPrefix(address, "/sub"+LogoPath+"/")
	if !ok || s.Logo("other") != "" {
		t.Fatalf("addresses %q, %q", address, s.Logo("other"))
	}
	w := httptest.NewRecorder()
	if !s.ServeLogo(w, name) || !bytes.Equal(w.Body.Bytes(), file) {
		t.Fatal("the logo is not served")
	}
	for header, want := range map[string]string{"Content-Type": "image/png", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'", "Cross-Origin-Resource-Policy": "same-origin"} {
		if got := w.Header().Get(header); got != want {
			t.Errorf("%s: %q", header, got)
		}
	}
	if s.ServeLogo(httptest.NewRecorder(), strings.Repeat("0", 64)+".png") {
		t.Error("a logo that is not there")
	}
	w = httptest.NewRecorder()
	if err := s.Render(w, Page{Template: "demo", Title: "login.heading", Lang: English, Portal: &Portal{Name: "Cabinet", Host: "a.ua", Logo: address},
		Data: Method{Method: "demo", Panel: struct{ Persons []string }{}}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.Body.String(), `<img class="logo" src="`+address+`" alt="">`) {
		t.Errorf("the page does not show it:\n%s", w.Body.String())
	}
}
