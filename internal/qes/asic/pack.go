package asic

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Pack makes an ASiC-E container of documents with one CAdES signature. sign returns the detached SignedData over the octets
// it is given, which are those of the manifest.
func Pack(documents []Document, sign func(manifest []byte) ([]byte, error)) ([]byte, error) {
	if len(documents) == 0 {
		return nil, errors.New("asic: no document")
	}
	manifest, err := writeManifest(documents)
	if err != nil {
		return nil, err
	}
	cms, err := sign(manifest)
	if err != nil {
		return nil, fmt.Errorf("signing the manifest: %w", err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add := func(name string, content []byte, method uint16) error {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			return fmt.Errorf("packing %q: %w", name, err)
		}
		if _, err = f.Write(content); err != nil {
			return fmt.Errorf("packing %q: %w", name, err)
		}
		return nil
	}
	// EN 319 162-1 A.1: mimetype is the first entry, as it is.
	err = add("mimetype", []byte(typeExtended), zip.Store)
	for _, d := range documents {
		err = errors.Join(err, add(d.Name, d.Content, zip.Deflate))
	}
	err = errors.Join(err, add(metaInf+manifestName, manifest, zip.Deflate), add(metaInf+signatureName, cms, zip.Deflate), w.Close())
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

const (
	manifestName  = "ASiCManifest001.xml"
	signatureName = "signature001.p7s"
)

func writeManifest(documents []Document) ([]byte, error) {
	var b strings.Builder
	b.WriteString(xml.Header)
	b.WriteString(`<asic:ASiCManifest xmlns:asic="` + nsASiC + `" xmlns:ds="` + nsDSig + `">` + "\n")
	b.WriteString(`<asic:SigReference URI="` + metaInf + signatureName + `" MimeType="application/x-pkcs7-signature"/>` + "\n")
	for _, d := range documents {
		if err := checkName(d.Name); err != nil || d.Name == "mimetype" || strings.HasPrefix(d.Name, metaInf) {
			return nil, errors.Join(ErrName, err)
		}
		sum := sha256.Sum256(d.Content)
		// An escaped path has no character that XML would read as another one but "&" and "'".
		uri := strings.NewReplacer("&", "&amp;", "'", "&apos;").Replace((&url.URL{Path: d.Name}).EscapedPath())
		fmt.Fprintf(&b, `<asic:DataObjectReference URI="%s"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>`+
			`<ds:DigestValue>%s</ds:DigestValue></asic:DataObjectReference>`+"\n", uri, base64.StdEncoding.EncodeToString(sum[:]))
	}
	b.WriteString("</asic:ASiCManifest>\n")
	return []byte(b.String()), nil
}
