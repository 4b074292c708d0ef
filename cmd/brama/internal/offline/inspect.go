package offline

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"strings"

	"brama/internal/der"
	"brama/internal/qes/cert"
	"brama/internal/qes/keystore"
)

// A containerReport is the answer of "container inspect" in JSON.
type containerReport struct {
	Format       string              `json:"format"`
	Code         string              `json:"code"`
	Keys         []keyReport         `json:"keys"`
	Certificates []certificateReport `json:"certificates"`
}

type keyReport struct {
	Alias       string `json:"alias"`
	Algorithm   string `json:"algorithm"`
	Curve       string `json:"curve"`
	Usage       string `json:"usage"`
	PublicKey   string `json:"public_key"` // ДСТУ: the compressed point; ECDSA: the uncompressed one; RSA: RSAPublicKey
	KeyID       string `json:"key_id"`
	KeyIDKupyna string `json:"key_id_kupyna"`
}

type certificateReport struct {
	CommonName string `json:"common_name"`
	Issuer     string `json:"issuer"`
	Serial     string `json:"serial"`
	NotBefore  string `json:"not_before"`
	NotAfter   string `json:"not_after"`
	Kind       string `json:"kind"`
	KeyID      string `json:"key_id"` // of the key in this container that it belongs to, "" if none
}

func runInspect(e *env, args []string) int {
	fs := flag.NewFlagSet("container inspect", flag.ContinueOnError)
	passwordFile := fs.String("password-file", "", "")
	asJSON := fs.Bool("json", false, "")
	file, code, ok := e.parse(fs, args)
	if !ok {
		return code
	}
	var password []byte
	if *passwordFile != "" {
		var err error
		if password, err = e.password(*passwordFile); err != nil {
			return e.usage("%v", err)
		}
	}
	data, err := e.read(file, maxDocument)
	if err != nil {
		return e.usage("%v", err)
	}
	r := containerReport{Keys: []keyReport{}, Certificates: []certificateReport{}}
	format, err := keystore.Recognise(data)
	r.Format = string(format)
	exit := ExitOK
	switch {
	case err != nil:
	case *passwordFile == "" && format != keystore.PKCS8:
		e.errorf("a password is needed to see the keys (--password-file)")
		exit = ExitIndeterminate
	default:
		var container *keystore.Container
		if container, err = keystore.Open(keystore.NewStdPrimitives(), data, password); err == nil {
			r.fill(container)
			if container.Partial {
				e.errorf("something in the container could not be read")
				exit = ExitIndeterminate
			}
		}
	}
	if err != nil {
		exit = e.containerError(err)
		r.Code = containerCode(err)
	}
	if *asJSON {
		e.printJSON(r)
	} else if err == nil {
		r.print(e)
	}
	return exit
}

func (e *env) openContainer(name string, password []byte) (*keystore.Container, error) {
	data, err := e.read(name, maxDocument)
	if err != nil {
		return nil, err
	}
	return keystore.Open(keystore.NewStdPrimitives(), data, password)
}

// containerError says why a container did not open.
func (e *env) containerError(err error) int {
	if containerCode(err) == "" {
		return e.usage("%v", err) // a file that is not there
	}
	e.errorf("%v", err)
	return ExitFailed
}

// containerCode is the stable code of an error of package keystore, "" for any other.
func containerCode(err error) string {
	for _, c := range []struct {
		err  error
		code string
	}{
		{keystore.ErrPassword, "KEY_PASSWORD_WRONG"},
		{keystore.ErrTooBig, "KEY_TOO_BIG"},
		{keystore.ErrCertificate, "KEY_NOT_A_KEY"},
		{keystore.ErrSigned, "KEY_NOT_A_KEY"},
		{keystore.ErrArchive, "KEY_NOT_A_KEY"},
		{keystore.ErrUnknown, "KEY_NOT_A_KEY"},
		{keystore.ErrNoKey, "KEY_NOT_A_KEY"},
		{keystore.ErrUnsupported, "FORMAT_UNSUPPORTED"},
		{keystore.ErrDamaged, "KEY_DAMAGED"},
	} {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return ""
}

func (r *containerReport) fill(c *keystore.Container) {
	for _, k := range c.Keys {
		r.Keys = append(r.Keys, keyReport{
			Alias: k.Alias, Algorithm: k.Algorithm, Curve: k.Curve, Usage: string(k.Usage),
			PublicKey: upperHex(publicPoint(&k)), KeyID: upperHex(k.ID), KeyIDKupyna: upperHex(k.IDKupyna),
		})
	}
	for _, b := range c.Certificates {
		parsed, err := cert.Parse(b)
		if err != nil {
			continue
		}
		out := certificateReport{
			Issuer: parsed.IssuerName(), Serial: serialHex(parsed.Serial),
			NotBefore: timeText(parsed.NotBefore), NotAfter: timeText(parsed.NotAfter), Kind: parsed.Kind().String(),
		}
		if s, err := parsed.Subject(); err == nil {
			out.CommonName = s.CommonName
		}
		for i := range c.Keys {
			if c.Keys[i].Fits(parsed.Certificate) {
				out.KeyID = upperHex(c.Keys[i].ID)
				break
			}
		}
		r.Certificates = append(r.Certificates, out)
	}
}

// publicPoint takes the point out of the OCTET STRING that the key identifier is computed over.
func publicPoint(k *keystore.Key) []byte {
	if k.DSTU == nil {
		return k.Public
	}
	return der.NewReader(k.Public).OctetString()
}

func upperHex(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

func (r *containerReport) print(e *env) {
	fmt.Fprintf(e.stdout, "format: %s\n", r.Format)
	for i, k := range r.Keys {
		fmt.Fprintf(e.stdout, "\nkey %d: %s %s %s %s\n  public key  %s\n  key id      %s\n", i+1, k.Algorithm, k.Curve, k.Usage, printable(k.Alias), k.PublicKey, k.KeyID)
	}
	for i, c := range r.Certificates {
		fmt.Fprintf(e.stdout, "\ncertificate %d: %s (%s)\n  issuer      %s\n  serial      %s\n  valid       %s to %s\n  key id      %s\n",
			i+1, printable(c.CommonName), c.Kind, printable(c.Issuer), c.Serial, c.NotBefore, c.NotAfter, c.KeyID)
	}
}
