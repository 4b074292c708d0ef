package offline

import (
	"crypto"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/cms"
	"brama/internal/qes/keystore"
	"brama/internal/qes/tbs"
)

func runCreate(e *env, args []string) int {
	fs := flag.NewFlagSet("signature create", flag.ContinueOnError)
	keyFile := fs.String("key", "", "")
	passwordFile := fs.String("password-file", "", "")
	certFile := fs.String("cert", "", "")
	detached := fs.Bool("detached", false, "")
	out := fs.String("out", "", "")
	file, code, ok := e.parse(fs, args)
	if !ok {
		return code
	}
	if *keyFile == "" || *passwordFile == "" {
		return e.usage("--key and --password-file are needed")
	}
	password, err := e.password(*passwordFile)
	if err != nil {
		return e.usage("%v", err)
	}
	container, err := e.openContainer(*keyFile, password)
	if err != nil {
		return e.containerError(err)
	}
	content, err := e.read(file, maxDocument)
	if err != nil {
		return e.usage("%v", err)
	}
	if qes.IsLoginText(content) {
		// "Sign in your own program" (S16) is this: the person has the text before them and the key in hand. Verification as a
		// document refuses what comes out.
		e.errorf("note: this is the text of a sign-in, not a document; whoever gets the signature within 15 minutes can sign in as the signatory at the portal that it names")
	}
	candidates := container.Certificates
	if *certFile != "" {
		b, err := e.read(*certFile, maxTrust)
		if err != nil {
			return e.usage("%v", err)
		}
		if candidates, err = keystore.ReadCertificates(b); err != nil {
			return e.usage("%s: %v", *certFile, err)
		}
	}
	key, c, err := e.signingKey(container.Keys, candidates)
	if err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	message, err := e.sign(key, c, content, *detached)
	if err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	if *out == "" || *out == "-" {
		if _, err := e.stdout.Write(message); err != nil {
			e.errorf("%v", err)
			return ExitFailed
		}
		return ExitOK
	}
	if err := writeWhole(*out, message); err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	return ExitOK
}

// signingKey chooses the key and its certificate: the one that fits and may sign. A seal may, here.
func (e *env) signingKey(keys []keystore.Key, raw [][]byte) (*keystore.Key, *tbs.Certificate, error) {
	var list []*tbs.Certificate
	for _, b := range raw {
		if c, err := tbs.Parse(b); err == nil {
			list = append(list, c)
		}
	}
	matches := keystore.Match(keys, list, e.now())
	if len(matches) == 0 {
		return nil, nil, errors.New("no certificate of a key in the container is at hand: give it by --cert")
	}
	matches = slices.DeleteFunc(matches, func(m keystore.Candidate) bool {
		usage, ok := m.Certificate.KeyUsage()
		return ok && usage&(tbs.DigitalSignature|tbs.NonRepudiation) == 0
	})
	if len(matches) == 0 {
		return nil, nil, errors.New("the certificate is not for signatures")
	}
	best := keystore.Suggest(matches)
	if best < 0 {
		return nil, nil, errors.New("several certificates can sign: choose one by --cert")
	}
	m := matches[best]
	switch m.Reason {
	case keystore.ReasonUsage:
		e.errorf("warning: the certificate does not say that its key signs documents")
	case keystore.ReasonExpired, keystore.ReasonNotYetValid:
		e.errorf("warning: the certificate is not valid now (%s)", m.Reason)
	}
	return &keys[m.Key], m.Certificate, nil
}

func (e *env) sign(key *keystore.Key, c *tbs.Certificate, content []byte, detached bool) ([]byte, error) {
	var private crypto.Signer
	if key.DSTU != nil {
		private = key.DSTU
	} else {
		parsed, err := x509.ParsePKCS8PrivateKey(key.PKCS8)
		if err != nil {
			return nil, errors.New("the key is of no kind that signs here")
		}
		var ok bool
		if private, ok = parsed.(crypto.Signer); !ok {
			return nil, errors.New("the key is of no kind that signs here")
		}
	}
	signer, err := qes.NewSigner(private)
	if err != nil {
		return nil, err
	}
	message, err := cms.Sign(signer, cms.Options{Certificate: c.Raw, Content: content, Detached: detached, SigningTime: e.now()})
	if err != nil {
		return nil, err
	}
	return message, e.verifyOwn(message, c)
}

// verifyOwn reads back what was written: a container without a check value can open with a key of garbage.
func (e *env) verifyOwn(message []byte, c *tbs.Certificate) error {
	sd, err := cms.Parse(message, cms.DocumentLimits)
	if err != nil {
		return err
	}
	own, err := cert.Parse(c.Raw)
	if err != nil {
		return err
	}
	si := &sd.Signers[0]
	scheme, err := cert.SchemeOf(si.Algorithm, si.Digest.OID)
	if err != nil {
		return err
	}
	if err := own.Verify(scheme, si.RawSignedAttributes, si.Signature); err != nil {
		return fmt.Errorf("the signature does not verify with the certificate: %w", err)
	}
	return nil
}

// writeWhole writes a file that is there whole or not at all.
func writeWhole(name string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".brama-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
