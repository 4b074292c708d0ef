package trustlist

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"brama/internal/der"
)

// A Provider is one issuer of qualified certificates.
type Provider struct {
	// EDRPOU is the code of the legal entity; some lists have none.
	EDRPOU string
	// Host is where the provider presents itself; it and the hosts of the three addresses are those that a certificate of
	// this provider may name in its own AIA.
	Host string
	// IssuerCNs are the common names of its CA certificates, the present one first: that one is shown to people.
	IssuerCNs []string
	// OCSP, TSP and CMP are absolute URLs; "" if there is no such service.
	OCSP, TSP, CMP string
	// Hosts are further hosts for the same rule as Host.
	Hosts []string
	// CertID is the digest that the provider's OCSP responder wants in a CertID; "" leaves it to the algorithm of the
	// certificate in question (package revocation).
	CertID der.OID
}

// ID names the provider in requests of our page: its EDRPOU, or its host if the list has no codes. Unique in a directory.
func (p *Provider) ID() string {
	if p.EDRPOU != "" {
		return p.EDRPOU
	}
	return p.Host
}

// Name is what people call the provider.
func (p *Provider) Name() string {
	if len(p.IssuerCNs) == 0 {
		return ""
	}
	return p.IssuerCNs[0]
}

// OwnsHost reports whether host (without port) is listed for p. A CA certificate that names another host in an AIA, or a
// person's certificate that does, sends no request of ours there (T95).
func (p *Provider) OwnsHost(host string) bool {
	host = strings.ToLower(host)
	if host == "" {
		return false
	}
	if host == p.Host || slices.Contains(p.Hosts, host) {
		return true
	}
	for _, address := range []string{p.OCSP, p.TSP, p.CMP} {
		if u, err := url.Parse(address); err == nil && u.Hostname() == host {
			return true
		}
	}
	return false
}

// Limits of a CA list.
const (
	MaxList          = 1 << 20
	MaxListProviders = 500
)

// ErrList says that the bytes are no CA list.
var ErrList = errors.New("trustlist: not a list of CAs")

// ParseList reads a CA list in the JSON form that public signing libraries use: an array of objects with issuerCNs,
// address, ocspAccessPointAddress and …Port, cmpAddress, tspAddress and tspAddressPort, codeEDRPOU. Addresses have no
// scheme there: they become http URLs. Other members are ignored; an entry that says nothing usable is a refusal of the
// whole list, because a list is not mended by guessing.
func ParseList(b []byte) ([]Provider, error) {
	if len(b) > MaxList {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrList, MaxList)
	}
	var entries []struct {
		IssuerCNs []string `json:"issuerCNs"`
		Address   string   `json:"address"`
		OCSP      string   `json:"ocspAccessPointAddress"`
		OCSPPort  string   `json:"ocspAccessPointPort"`
		TSP       string   `json:"tspAddress"`
		TSPPort   string   `json:"tspAddressPort"`
		CMP       string   `json:"cmpAddress"`
		EDRPOU    string   `json:"codeEDRPOU"`
	}
	if err := json.Unmarshal(b, &entries); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	if len(entries) == 0 || len(entries) > MaxListProviders {
		return nil, fmt.Errorf("%w: %d entries", ErrList, len(entries))
	}
	out := make([]Provider, len(entries))
	for i, e := range entries {
		p := Provider{EDRPOU: e.EDRPOU, Host: strings.ToLower(e.Address), IssuerCNs: e.IssuerCNs}
		var err1, err2, err3 error
		p.OCSP, err1 = serviceURL(e.OCSP, e.OCSPPort, "ocsp")
		p.TSP, err2 = serviceURL(e.TSP, e.TSPPort, "tsp")
		p.CMP, err3 = serviceURL(e.CMP, "", "cmp")
		if err := errors.Join(err1, err2, err3, p.check()); err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", ErrList, i, err)
		}
		out[i] = p
	}
	return out, nil
}

// serviceURL makes a URL of an address without scheme. A bare host on port 80 has its service under the path that all
// servers of the most common maker use, unless the host is that service's own name.
func serviceURL(address, port, kind string) (string, error) {
	if address == "" {
		return "", nil
	}
	host, path, _ := strings.Cut(address, "/")
	standard := port == "" || port == "80"
	if !standard {
		host += ":" + port
	} else if path == "" && !strings.HasPrefix(host, kind+".") {
		path = "services/" + kind + "/"
	}
	raw := "http://" + strings.ToLower(host) + "/" + path
	return raw, checkURL(raw)
}

func checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Hostname(), hostBytes) != "" {
		return errors.New("unusable address")
	}
	return nil
}

const hostBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:"

// check refuses what a path or a request could not be built on.
func (p *Provider) check() error {
	if len(p.IssuerCNs) == 0 || slices.Contains(p.IssuerCNs, "") {
		return errors.New("no issuer name")
	}
	if p.ID() == "" || strings.Trim(p.EDRPOU, "0123456789") != "" || strings.Trim(p.Host, hostBytes) != "" {
		return errors.New("no code of the legal entity and no host")
	}
	for _, address := range []string{p.OCSP, p.TSP, p.CMP} {
		if address == "" {
			continue
		}
		if err := checkURL(address); err != nil {
			return err
		}
	}
	return nil
}
