package offline

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"brama/cmd/brama/internal/config"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/keystore"
	"brama/internal/qes/tbs"
)

// minKeyPassword is the least length of the password of a container that is made here, in octets.
const minKeyPassword = 12

// runEnvelopeKeyRequest makes a key for key agreement in a container, and a request for its certificate.
func runEnvelopeKeyRequest(e *env, args []string) int {
	fs := flag.NewFlagSet("envelope-key request", flag.ContinueOnError)
	keyFile := fs.String("key", "", "")
	passwordFile := fs.String("password-file", "", "")
	var s subject
	fs.StringVar(&s.organization, "organization", "", "")
	fs.StringVar(&s.name, "name", "", "")
	fs.StringVar(&s.edrpou, "edrpou", "", "")
	fs.StringVar(&s.locality, "locality", "", "")
	fs.StringVar(&s.country, "country", "UA", "")
	asPEM := fs.Bool("pem", false, "")
	file, code, ok := e.parse(fs, args)
	if !ok {
		return code
	}
	if *keyFile == "" || *passwordFile == "" || s.organization == "" {
		return e.usage("--key, --password-file and --organization are needed")
	}
	if s.name == "" {
		s.name = s.organization
	}
	password, err := e.password(*passwordFile)
	if err != nil {
		return e.usage("%v", err)
	}
	defer clear(password)
	if len(password) < minKeyPassword {
		return e.usage("%s: a password has at least %d characters", *passwordFile, minKeyPassword)
	}
	key, err := dstu4145.GenerateKey(dstu4145.M257(), rand.Reader)
	if err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	request, err := certificationRequest(key, s)
	if err != nil {
		return e.usage("%v", err)
	}
	pkcs8 := keystore.EncodePKCS8(key, nil)
	defer clear(pkcs8)
	container, err := keystore.WritePKCS8(keystore.NewStdPrimitives(), rand.Reader, keystore.SchemeGOST, pkcs8, password)
	if err == nil {
		err = writeNew(*keyFile, container)
	}
	if err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	if *asPEM {
		request = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request})
	}
	if err := writeWhole(file, request); err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	fmt.Fprintf(e.stdout, "%s\n", printable(fmt.Sprintf("key: %s\nrequest: %s (PKCS#10; give it to the provider of trust services, who issues a certificate with the usage keyAgreement)",
		*keyFile, file)))
	return ExitOK
}

// writeNew writes a file that must not be there yet: the key in it could not be had again.
func writeNew(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// runEnvelopeKeyInstall checks an issued certificate against the key in the container and writes it, in DER, where the
// configuration names it.
func runEnvelopeKeyInstall(e *env, args []string) int {
	fs := flag.NewFlagSet("envelope-key install", flag.ContinueOnError)
	keyFile := fs.String("key", "", "")
	passwordFile := fs.String("password-file", "", "")
	out := fs.String("out", "", "")
	file, code, ok := e.parse(fs, args)
	if !ok {
		return code
	}
	if *keyFile == "" || *passwordFile == "" || *out == "" {
		return e.usage("--key, --password-file and --out are needed")
	}
	container, code, ok := e.openKeys(*keyFile, *passwordFile)
	if !ok {
		return code
	}
	list, err := e.certificates(file)
	if err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	found, err := issuedFor(container.Keys, list, e.now())
	if err != nil {
		e.errorf("%s: %v", file, err)
		return ExitFailed
	}
	if err := writeWhole(*out, found.Raw); err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	fmt.Fprintf(e.stdout, "%s\n", printable(fmt.Sprintf("certificate: %s\nsubject: %s\nserial: %s\nvalid until: %s\nsettings: - {container: %s, password_file: %s, certificate: %s}",
		*out, found.SubjectAttribute(tbs.OIDCommonName), serialHex(found.Serial), found.NotAfter.UTC().Format(time.RFC3339), *keyFile, *passwordFile, *out)))
	return ExitOK
}

// issuedFor finds the certificate of one of keys that can be used for envelopes now. The path to its issuer is not looked at:
// the systems that will encrypt to it do that.
func issuedFor(keys []keystore.Key, list []*tbs.Certificate, now time.Time) (*tbs.Certificate, error) {
	fits := func(c *tbs.Certificate) bool {
		return slices.ContainsFunc(keys, func(k keystore.Key) bool { return k.DSTU != nil && k.Fits(c) })
	}
	list = slices.DeleteFunc(slices.Clone(list), func(c *tbs.Certificate) bool { return !fits(c) })
	if len(list) == 0 {
		return nil, errors.New("no certificate of a key in the container")
	}
	why := errors.New("the certificate is not for key agreement: ask for the usage keyAgreement")
	for _, c := range list {
		usage, _ := c.KeyUsage()
		switch {
		case !isForAgreement(c):
		case usage&(tbs.DigitalSignature|tbs.NonRepudiation) != 0:
			why = errors.New("the certificate is for signatures too: a key that opens envelopes signs nothing")
		case now.After(c.NotAfter):
			why = errors.New("the certificate is over since " + c.NotAfter.UTC().Format(time.RFC3339))
		case now.Before(c.NotBefore):
			why = errors.New("the certificate is not valid before " + c.NotBefore.UTC().Format(time.RFC3339))
		default:
			return c, nil
		}
	}
	return nil, why
}

// A listed is one key of the configuration.
type listed struct {
	System      string    `json:"system"`
	Key         string    `json:"key"` // where it is
	Certificate string    `json:"certificate"`
	Subject     string    `json:"subject,omitempty"`
	Serial      string    `json:"serial,omitempty"`
	NotBefore   time.Time `json:"not_before,omitzero"`
	NotAfter    time.Time `json:"not_after,omitzero"`
	State       string    `json:"state"` // valid, soon, expired, not-yet, unreadable
}

// runEnvelopeKeyList shows the certificates of the configuration, and fails if a system has none that stays valid.
func runEnvelopeKeyList(e *env, args []string) int {
	fs := flag.NewFlagSet("envelope-key list", flag.ContinueOnError)
	within := fs.Duration("within", 30*24*time.Hour, "")
	asJSON := fs.Bool("json", false, "")
	file, code, ok := e.parse(fs, args)
	if !ok {
		return code
	}
	c, err := config.Load(file)
	if err != nil {
		return e.usage("%v", err)
	}
	systems := map[string][]config.EnvelopeKey{}
	if s := c.Connectors.IDGov; s != nil {
		systems["idgov"] = s.Keys
	}
	if s := c.Connectors.BankID; s != nil {
		systems["bankid"] = s.Keys
	}
	list := []listed{}
	code = ExitOK
	for _, name := range []string{"idgov", "bankid"} {
		keys, there := systems[name]
		stays := !there
		for i, k := range keys {
			l := e.listed(c, name, i, k, *within)
			stays = stays || l.State == "valid"
			list = append(list, l)
		}
		if !stays {
			e.errorf("connectors.%s.keys: no certificate is valid now and for %s more", name, *within)
			code = ExitFailed
		}
	}
	return max(code, e.printList(list, *asJSON))
}

func (e *env) listed(c *config.Config, system string, i int, k config.EnvelopeKey, within time.Duration) listed {
	l := listed{System: system, Key: k.Container, Certificate: k.Certificate, State: "unreadable"}
	if k.PKCS11 != nil {
		l.Key = "token " + k.PKCS11.Token + ", key " + k.PKCS11.Key
	}
	found, err := readAgreement(c, fmt.Sprintf("connectors.%s.keys[%d].certificate", system, i), k.Certificate)
	if err != nil {
		e.errorf("%v", err)
		return l
	}
	l.Subject, l.Serial, l.NotBefore, l.NotAfter = found.SubjectAttribute(tbs.OIDCommonName), serialHex(found.Serial), found.NotBefore.UTC(), found.NotAfter.UTC()
	switch now := e.now(); {
	case now.After(found.NotAfter):
		l.State = "expired"
	case now.Before(found.NotBefore):
		l.State = "not-yet"
	case now.Add(within).After(found.NotAfter):
		l.State = "soon"
	default:
		l.State = "valid"
	}
	return l
}

func readAgreement(c *config.Config, field, name string) (*tbs.Certificate, error) {
	b, err := c.ReadFile(field, name)
	if err != nil {
		return nil, err
	}
	raw, err := keystore.ReadCertificates(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", field, name, err)
	}
	for _, k := range parseAll(raw) {
		if isForAgreement(k) {
			return k, nil
		}
	}
	return nil, fmt.Errorf("%s: %s holds no certificate for key agreement with ДСТУ 4145", field, name)
}

func (e *env) printList(list []listed, asJSON bool) int {
	var b bytes.Buffer
	var err error
	if asJSON {
		err = json.NewEncoder(&b).Encode(list)
	} else {
		w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "SYSTEM\tSTATE\tVALID UNTIL\tSERIAL\tSUBJECT\tKEY")
		for _, l := range list {
			until := ""
			if !l.NotAfter.IsZero() {
				until = l.NotAfter.Format(time.DateOnly)
			}
			fmt.Fprintln(w, strings.Join([]string{l.System, l.State, until, l.Serial, printable(l.Subject), printable(l.Key)}, "\t"))
		}
		err = w.Flush()
	}
	if err == nil {
		_, err = e.stdout.Write(b.Bytes())
	}
	if err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	return ExitOK
}
