package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
)

// Limits of a portal's logo, as it comes and as it is served.
const (
	MaxLogo     = 100 << 10 // bytes
	maxLogoSide = 1024      // pixels
)

// LogoPath is where logos are served, below the issuer.
const LogoPath = "/logo"

// ReadLogo makes a logo to be shown of a PNG or JPEG file: the picture alone, as PNG, whatever else the file holds. How large the
// picture is is read before it is decoded (threat T98).
func ReadLogo(file []byte) ([]byte, error) {
	if len(file) > MaxLogo {
		return nil, fmt.Errorf("web: logo is larger than %d bytes", MaxLogo)
	}
	var header image.Config
	var err error
	decode := png.Decode
	switch {
	case bytes.HasPrefix(file, []byte("\x89PNG\r\n\x1a\n")):
		header, err = png.DecodeConfig(bytes.NewReader(file))
	case bytes.HasPrefix(file, []byte("\xff\xd8\xff")):
		decode = jpeg.Decode
		header, err = jpeg.DecodeConfig(bytes.NewReader(file))
	default:
		return nil, errors.New("web: logo is neither PNG nor JPEG")
	}
	if err != nil {
		return nil, fmt.Errorf("web: reading a logo: %w", err)
	}
	if w, h := header.Width, header.Height; w < 1 || h < 1 || w > maxLogoSide || h > maxLogoSide {
		return nil, fmt.Errorf("web: logo of %d × %d pixels, want at most %d", w, h, maxLogoSide)
	}
	picture, err := decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("web: reading a logo: %w", err)
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("web: writing a logo: %w", err)
	}
	if out.Len() > MaxLogo {
		return nil, fmt.Errorf("web: logo is %d bytes as PNG, want at most %d: make it smaller", out.Len(), MaxLogo)
	}
	return out.Bytes(), nil
}

// logos are those of Config.Logos: files by the hash in their address, and addresses by client.
type logos struct {
	files     map[string][]byte
	addresses map[string]string
}

func (s *Site) makeLogos(byClient map[string][]byte) logos {
	l := logos{map[string][]byte{}, map[string]string{}}
	for client, file := range byClient {
		hash := sha256.Sum256(file)
		name := hex.EncodeToString(hash[:])
		l.files[name] = file
		l.addresses[client] = s.base + LogoPath + "/" + name + ".png"
	}
	return l
}

// Logo is the address of a client's logo, "" if it has none.
func (s *Site) Logo(client string) string { return s.logos.addresses[client] }

// ServeLogo serves a logo by the name of its file, and reports whether there is one. Opened by itself it is a picture and nothing
// else.
func (s *Site) ServeLogo(w http.ResponseWriter, name string) bool {
	file, ok := s.logos.files[strings.TrimSuffix(name, ".png")]
	if !ok {
		return false
	}
	h := w.Header()
	setStatic(h, "image/png")
	h.Del("Vary")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	h.Set("Content-Length", fmt.Sprint(len(file)))
	_, _ = w.Write(file) // a browser that went away is nobody's error
	return true
}
