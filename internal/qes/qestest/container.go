package qestest

import (
	"crypto/rand"
	"fmt"

	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/keystore"
)

// Formats of containers, as file names end.
const (
	FormatKey6   = "dat" // no room for a certificate
	FormatPKCS12 = "pfx"
	FormatJKS    = "jks"
	FormatPKCS8  = "pk8" // no room for a certificate
)

// Formats returns all of them.
func Formats() []string { return []string{FormatKey6, FormatPKCS12, FormatJKS, FormatPKCS8} }

// Container writes the key, and the agreement key if there is one, with the certificates where the format takes them.
func (i *Issued) Container(format, password string) ([]byte, error) {
	return Container(format, password, true, i)
}

// Container writes the keys of one or several people into one container, without their certificates if told so. Key-6.dat
// and PKCS#8 hold one.
func Container(format, password string, certificates bool, issued ...*Issued) ([]byte, error) {
	p, pw := keystore.NewStdPrimitives(), []byte(password)
	one := issued[0]
	if len(issued) > 1 && (format == FormatKey6 || format == FormatPKCS8) {
		return nil, fmt.Errorf("qestest: %s holds one key", format)
	}
	scheme := keystore.SchemeGOST
	if one.Key.DSTU == nil {
		scheme = keystore.SchemeAES
	}
	switch format {
	case FormatKey6:
		if one.Key.DSTU == nil {
			return nil, fmt.Errorf("qestest: %s holds DSTU keys", format)
		}
		return keystore.WriteKey6(pw, one.Key.DSTU, one.agreementKey())
	case FormatPKCS8:
		b, err := one.pkcs8(nil)
		if err != nil {
			return nil, err
		}
		return keystore.WritePKCS8(p, rand.Reader, scheme, b, pw)
	case FormatPKCS12:
		entries, err := pairs(issued, certificates)
		if err != nil {
			return nil, err
		}
		return keystore.WritePKCS12(p, rand.Reader, scheme, pw, entries)
	case FormatJKS:
		entries, err := joined(issued, certificates)
		if err != nil {
			return nil, err
		}
		return keystore.WriteJKS(p, rand.Reader, pw, pw, entries)
	}
	return nil, fmt.Errorf("qestest: unknown format %q", format)
}

func (i *Issued) agreementKey() *dstu4145.PrivateKey {
	if i.Agreement == nil {
		return nil
	}
	return i.Agreement.Key.DSTU
}

func (i *Issued) pkcs8(second *dstu4145.PrivateKey) ([]byte, error) {
	if i.Key.DSTU != nil {
		return keystore.EncodePKCS8(i.Key.DSTU, second), nil
	}
	return i.Key.PKCS8()
}

// pairs are the entries of a PKCS#12: two bags for a person with two keys, which have no names in the files of national
// providers.
func pairs(issued []*Issued, certificates bool) ([]keystore.Entry, error) {
	var entries []keystore.Entry
	for _, person := range issued {
		for _, i := range []*Issued{person, person.Agreement} {
			if i == nil {
				continue
			}
			b, err := i.pkcs8(nil)
			if err != nil {
				return nil, err
			}
			e := keystore.Entry{PKCS8: b}
			if certificates {
				e.Chain = append([][]byte{i.Certificate.Raw}, i.Chain...)
			}
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// joined are the entries of a JKS as one national issuer writes them: the second key in the attributes of the first, its
// certificate before the signer's in what is no chain.
func joined(issued []*Issued, certificates bool) ([]keystore.Entry, error) {
	var entries []keystore.Entry
	for n, i := range issued {
		b, err := i.pkcs8(i.agreementKey())
		if err != nil {
			return nil, err
		}
		e := keystore.Entry{Alias: "sign", PKCS8: b, Time: i.Certificate.NotBefore}
		if n > 0 {
			e.Alias = fmt.Sprintf("sign%d", n+1)
		}
		if certificates {
			if i.Agreement != nil {
				e.Chain = append(e.Chain, i.Agreement.Certificate.Raw)
			}
			e.Chain = append(append(e.Chain, i.Certificate.Raw), i.Chain...)
		}
		entries = append(entries, e)
	}
	return entries, nil
}
