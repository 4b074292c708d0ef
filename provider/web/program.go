package web

import (
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"sync"
)

// programFile is the browser program as make leaves it: compressed, since every browser that can run it unpacks it. Beside it
// stands a smaller form for those that know brotli.
const programFile = "brama.wasm"

// A program is the browser program. Its bytes stay in the file of the server and are read when somebody wants them: they are
// larger than all else that the server holds.
type program struct {
	files  fs.FS
	path   string // without the ending of a form
	br     bool   // it is there in that form too
	digest func() (digest, error)
}

// A digest is what is known of the program unpacked.
type digest struct {
	sum  [sha512.Size384]byte
	size int64
}

func newProgram(files fs.FS, path string) *program {
	p := &program{files: files, path: path}
	if f, err := files.Open(path + ".br"); err == nil {
		p.br = true
		_ = f.Close() // it was only looked for
	}
	p.digest = sync.OnceValues(func() (digest, error) {
		plain, err := p.open()
		if err != nil {
			return digest{}, err
		}
		sum := sha512.New384()
		n, err := io.Copy(sum, plain)
		return digest{[sha512.Size384]byte(sum.Sum(nil)), n}, errors.Join(err, plain.Close())
	})
	return p
}

// A plainFile closes the file that it unpacks.
type plainFile struct {
	*gzip.Reader
	file fs.File
}

func (f plainFile) Close() error { return errors.Join(f.Reader.Close(), f.file.Close()) }

// open returns the program unpacked.
func (p *program) open() (io.ReadCloser, error) {
	f, err := p.files.Open(p.path + ".gz")
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return plainFile{z, f}, nil
}

// name is that of the program's address: it holds its content. "" if it cannot be read.
func (p *program) name() string {
	d, err := p.digest()
	if err != nil {
		return ""
	}
	return "brama-" + hex.EncodeToString(d.sum[:10]) + ".wasm"
}

// integrity is "sha384-…" of the program, which the page gives to fetch.
func (p *program) integrity() string {
	d, err := p.digest()
	if err != nil {
		return ""
	}
	return "sha384-" + base64.StdEncoding.EncodeToString(d.sum[:])
}

// serve writes the program in the smallest form that the browser takes. What stands in every answer of a static file is set.
func (p *program) serve(w http.ResponseWriter, r *http.Request) error {
	var body io.ReadCloser
	var size int64
	encoding, ending := "", ""
	switch {
	case p.br && accepts(r, "br"):
		encoding, ending = "br", ".br"
	case accepts(r, "gzip"):
		encoding, ending = "gzip", ".gz"
	}
	if encoding == "" {
		d, err := p.digest()
		if err != nil {
			return err
		}
		if body, err = p.open(); err != nil {
			return err
		}
		size = d.size
	} else {
		f, err := p.files.Open(p.path + ending)
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err != nil {
			return errors.Join(err, f.Close())
		}
		body, size = f, info.Size()
		w.Header().Set("Content-Encoding", encoding)
	}
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, body) // a browser that went away is nobody's error
	}
	return body.Close()
}
