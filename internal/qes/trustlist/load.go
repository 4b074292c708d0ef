package trustlist

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"brama/internal/der"
)

// A Source is a file of candidates or a CA list that an operator names in the configuration.
type Source struct {
	Path string
	// SHA256, if set, is the digest that the file must have (64 hexadecimal digits): what was reviewed is what is used.
	SHA256 string
	// NextUpdate, if set, is the time after which the file counts as stale. A bundle does not say it itself.
	NextUpdate time.Time
}

// ErrDigest says that a file is not the one that was recorded.
var ErrDigest = errors.New("trustlist: the file's SHA-256 is not the recorded one")

// Load reads the candidates of all sources, each a PKCS#7 bundle, a certificate, or certificates in PEM, and the earliest
// of their NextUpdate (zero if none has one).
func Load(sources []Source) (candidates [][]byte, nextUpdate time.Time, err error) {
	for _, source := range sources {
		b, err := source.read(MaxBundle)
		if err != nil {
			return nil, time.Time{}, err
		}
		list, err := ParseCertificates(b)
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("reading %s: %w", source.Path, err)
		}
		candidates = append(candidates, list...)
		if t := source.NextUpdate; !t.IsZero() && (nextUpdate.IsZero() || t.Before(nextUpdate)) {
			nextUpdate = t
		}
	}
	return candidates, nextUpdate, nil
}

func (s Source) read(limit int64) ([]byte, error) {
	f, err := os.Open(s.Path)
	if err != nil {
		return nil, fmt.Errorf("trustlist: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("trustlist: %w", err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("reading %s: larger than %d bytes", s.Path, limit)
	}
	if s.SHA256 != "" && !strings.EqualFold(FingerprintOf(b).String(), s.SHA256) {
		return nil, fmt.Errorf("reading %s: %w", s.Path, ErrDigest)
	}
	return b, nil
}

// ParseCertificates splits b into certificates in DER: a PKCS#7 bundle, one certificate in DER, or any number of either
// in PEM. The certificates themselves are not parsed.
func ParseCertificates(b []byte) ([][]byte, error) {
	if len(b) > MaxBundle {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrBundle, MaxBundle)
	}
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("-----BEGIN")) {
		return parsePEM(b)
	}
	if v, err := der.Parse(b); err == nil && v.Tag == der.Sequence && v.Reader().Peek(der.Sequence) {
		return [][]byte{v.Full}, nil // a certificate begins with a SEQUENCE, a ContentInfo with an OID
	}
	return ParseBundle(b)
}

func parsePEM(b []byte) ([][]byte, error) {
	var out [][]byte
	for {
		block, rest := pem.Decode(b)
		if block == nil {
			break
		}
		switch block.Type {
		case "CERTIFICATE":
			out = append(out, block.Bytes)
		case "PKCS7", "CMS":
			list, err := ParseBundle(block.Bytes)
			if err != nil {
				return nil, err
			}
			out = append(out, list...)
		}
		if len(out) > MaxBundleCertificates {
			return nil, fmt.Errorf("%w: more than %d certificates", ErrBundle, MaxBundleCertificates)
		}
		b = rest
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: no certificate in PEM", ErrBundle)
	}
	return out, nil
}
