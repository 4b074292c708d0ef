package offline

import (
	"encoding/hex"
	"flag"
	"fmt"
	"hash"
	"io"
	"os"

	"brama/internal/dstu/gost34311"
	"brama/internal/dstu/kupyna"
)

func runDigest(e *env, args []string) int {
	fs := flag.NewFlagSet("digest", flag.ContinueOnError)
	algorithm := fs.String("algorithm", "", "")
	file, code, ok := e.parse(fs, args)
	if !ok {
		return code
	}
	var h hash.Hash
	switch *algorithm {
	case "gost34311":
		h = gost34311.New()
	case "kupyna256":
		h = kupyna.New256()
	case "kupyna384":
		h = kupyna.New384()
	case "kupyna512":
		h = kupyna.New512()
	case "":
		return e.usage("--algorithm is needed")
	default:
		return e.usage("unknown algorithm %q", *algorithm)
	}
	r := e.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return e.usage("%v", err)
		}
		defer f.Close()
		r = f
	}
	if _, err := io.Copy(h, r); err != nil {
		return e.usage("%v", err)
	}
	fmt.Fprintln(e.stdout, hex.EncodeToString(h.Sum(nil)))
	return ExitOK
}
