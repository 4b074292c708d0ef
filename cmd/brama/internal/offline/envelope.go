package offline

import (
	"bytes"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"flag"
	"os"
	"path/filepath"

	"brama/internal/qes/cms"
	"brama/internal/qes/keystore"
	"brama/internal/qes/tbs"
)

// runEnvelopeOpen decrypts a message with the keys of a container.
func runEnvelopeOpen(e *env, args []string) int {
	fs := flag.NewFlagSet("envelope open", flag.ContinueOnError)
	keyFile := fs.String("key", "", "")
	passwordFile := fs.String("password-file", "", "")
	var certFiles files
	fs.Var(&certFiles, "cert", "")
	out := fs.String("out", "", "")
	file, code, ok := e.parse(fs, args)
	if !ok {
		return code
	}
	if *keyFile == "" || *passwordFile == "" {
		return e.usage("--key and --password-file are needed")
	}
	container, code, ok := e.openKeys(*keyFile, *passwordFile)
	if !ok {
		return code
	}
	certificates := parseAll(container.Certificates)
	for _, name := range certFiles {
		list, err := e.certificates(name)
		if err != nil {
			return e.usage("%v", err)
		}
		certificates = append(certificates, list...)
	}
	data, err := e.read(file, maxDocument)
	if err != nil {
		return e.usage("%v", err)
	}
	message, err := cms.ParseEnveloped(unarmour(data), cms.FileLimits)
	if err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	opened, err := openWithAny(message, container.Keys, certificates)
	if err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	if c := opened.UnverifiedSender; c != nil {
		e.errorf("made with the key of «%s», certificate %s (which was not verified)", c.SubjectAttribute(tbs.OIDCommonName), serialHex(c.Serial))
	}
	return e.writeOut(*out, opened.Content)
}

// openWithAny tries the keys of a container one after another; the container says nothing reliable about which one is for
// key agreement. The error is the most telling one.
func openWithAny(message *cms.EnvelopedData, keys []keystore.Key, certificates []*tbs.Certificate) (*cms.Opened, error) {
	refusal := errors.New("the container has no key of ДСТУ 4145")
	for i := range keys {
		key := keys[i].DSTU
		if key == nil {
			continue
		}
		opened, err := message.Open(cms.OpenOptions{Key: key, Certificates: certificates, Senders: certificates})
		if err == nil {
			return opened, nil
		}
		if !errors.Is(refusal, cms.ErrEnvelope) {
			refusal = err
		}
	}
	return nil, refusal
}

// runEnvelopeSeal encrypts a file to certificates.
func runEnvelopeSeal(e *env, args []string) int {
	fs := flag.NewFlagSet("envelope seal", flag.ContinueOnError)
	var to files
	fs.Var(&to, "to", "")
	keyFile := fs.String("key", "", "")
	passwordFile := fs.String("password-file", "", "")
	certFile := fs.String("cert", "", "")
	attach := fs.Bool("attach", false, "")
	byKeyID := fs.Bool("by-key-id", false, "")
	cipher := fs.String("cipher", "gost28147-cfb", "")
	out := fs.String("out", "", "")
	file, code, ok := e.parse(fs, args)
	if !ok {
		return code
	}
	o := cms.SealOptions{ByKeyID: *byKeyID, Rand: rand.Reader}
	switch *cipher {
	case "gost28147-cfb":
		o.Cipher = cms.OIDGOST28147CFB
	case "gost28147-ctr":
		o.Cipher = cms.OIDGOST28147CTR
	case "kalyna256-cfb":
		o.Cipher = cms.OIDKalyna256CFB
	case "kalyna256-ctr":
		o.Cipher = cms.OIDKalyna256CTR
	default:
		return e.usage("no cipher %q", *cipher)
	}
	static := *keyFile != ""
	switch {
	case len(to) == 0:
		return e.usage("--to is needed")
	case static != (*passwordFile != ""), !static && (*certFile != "" || *attach):
		return e.usage("--key and --password-file go together, and --cert and --attach with them")
	}
	for _, name := range to {
		c, code := e.recipient(name)
		if c == nil {
			return code
		}
		o.Recipients = append(o.Recipients, c)
	}
	if static {
		if o.Sender, code = e.sender(*keyFile, *passwordFile, *certFile); o.Sender == nil {
			return code
		}
		o.Sender.Attach, o.Sender.ByKeyID = *attach, *byKeyID
	}
	content, err := e.read(file, maxDocument)
	if err != nil {
		return e.usage("%v", err)
	}
	o.Content = content
	message, err := cms.Seal(o)
	if err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	return e.writeOut(*out, message)
}

// recipient reads the one certificate for key agreement in a file, which may hold its chain and other certificates of the
// same person too. Without one it returns the exit code.
func (e *env) recipient(name string) (*tbs.Certificate, int) {
	list, err := e.certificates(name)
	if err != nil {
		return nil, e.usage("%v", err)
	}
	var found *tbs.Certificate
	for _, c := range list {
		if !isForAgreement(c) {
			continue
		}
		if found != nil {
			e.errorf("%s holds several certificates for key agreement: give one", name)
			return nil, ExitFailed
		}
		found = c
	}
	if found == nil {
		e.errorf("%s holds no certificate for key agreement with ДСТУ 4145", name)
		return nil, ExitFailed
	}
	if now := e.now(); now.Before(found.NotBefore) || now.After(found.NotAfter) {
		e.errorf("warning: the recipient's certificate is not valid now")
	}
	return found, ExitOK
}

// sender finds a key for agreement in the container and its certificate, which is in a file or in the container too.
// Without them it returns the exit code.
func (e *env) sender(keyFile, passwordFile, certFile string) (*cms.Sender, int) {
	container, code, ok := e.openKeys(keyFile, passwordFile)
	if !ok {
		return nil, code
	}
	list := parseAll(container.Certificates)
	if certFile != "" {
		var err error
		if list, err = e.certificates(certFile); err != nil {
			return nil, e.usage("%v", err)
		}
	}
	for _, c := range list {
		for i := range container.Keys {
			if k := &container.Keys[i]; k.DSTU != nil && isForAgreement(c) && k.Fits(c) {
				return &cms.Sender{Key: k.DSTU, Certificate: c}, ExitOK
			}
		}
	}
	e.errorf("no certificate for key agreement of a key in the container is at hand: give it by --cert")
	return nil, ExitFailed
}

func isForAgreement(c *tbs.Certificate) bool {
	usage, ok := c.KeyUsage()
	return ok && usage&tbs.KeyAgreement != 0 && c.PublicKey.DSTU != nil
}

// openKeys opens a container with the password of a file.
func (e *env) openKeys(keyFile, passwordFile string) (container *keystore.Container, code int, ok bool) {
	password, err := e.password(passwordFile)
	if err != nil {
		return nil, e.usage("%v", err), false
	}
	if container, err = e.openContainer(keyFile, password); err != nil {
		return nil, e.containerError(err), false
	}
	return container, ExitOK, true
}

// certificates reads a certificate or a bundle.
func (e *env) certificates(name string) ([]*tbs.Certificate, error) {
	b, err := e.read(name, maxTrust)
	if err != nil {
		return nil, err
	}
	raw, err := keystore.ReadCertificates(b)
	if err != nil {
		return nil, errors.New(name + ": " + err.Error())
	}
	list := parseAll(raw)
	if len(list) == 0 {
		return nil, errors.New(name + ": no certificate that can be read")
	}
	return list, nil
}

func parseAll(raw [][]byte) (list []*tbs.Certificate) {
	for _, b := range raw {
		if c, err := tbs.Parse(b); err == nil {
			list = append(list, c)
		}
	}
	return list
}

// unarmour takes an encrypted message out of PEM, or out of base64 as the answers of identity systems have it. What is
// neither is returned as it is.
func unarmour(b []byte) []byte {
	if len(b) > 0 && b[0] == 0x30 {
		return b
	}
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff")))
	if block, rest := pem.Decode(trimmed); block != nil && len(bytes.TrimSpace(rest)) == 0 {
		return block.Bytes
	}
	if decoded, ok := decodeBase64(trimmed); ok {
		return decoded
	}
	return b
}

// writeOut writes to a file, whole or not at all and readable by its owner only, or to standard output.
func (e *env) writeOut(name string, b []byte) int {
	var err error
	if name == "" || name == "-" {
		_, err = e.stdout.Write(b)
	} else {
		err = writePrivate(name, b)
	}
	if err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	return ExitOK
}

func writePrivate(name string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".brama-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
