// Command compress FOLDER FILE... writes FILE.br and FILE.gz into the folder for each FILE: the browser program is served in
// these forms, made once at build time.
package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/andybalholm/brotli"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: compress FOLDER FILE...")
		os.Exit(2)
	}
	for _, name := range os.Args[2:] {
		if err := compress(name, filepath.Join(os.Args[1], filepath.Base(name))); err != nil {
			fmt.Fprintln(os.Stderr, "compress:", err)
			os.Exit(1)
		}
	}
}

func compress(name, to string) error {
	plain, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	br, err := write(to+".br", plain, func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, brotli.BestCompression) })
	if err != nil {
		return err
	}
	gz, err := write(to+".gz", plain, func(w io.Writer) io.WriteCloser {
		z, _ := gzip.NewWriterLevel(w, gzip.BestCompression) // the level is valid
		return z
	})
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes, gzip %d, brotli %d\n", name, len(plain), gz, br)
	return nil
}

func write(name string, plain []byte, open func(io.Writer) io.WriteCloser) (int64, error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	z := open(f)
	if _, err := z.Write(plain); err != nil {
		return 0, err
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), f.Close()
}
