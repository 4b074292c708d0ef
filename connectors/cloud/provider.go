package cloud

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A Kind is a wire protocol.
type Kind string

// Kinds.
const (
	CSC1    Kind = "csc1"    // Cloud Signature Consortium API 1.0.x
	CSC2    Kind = "csc2"    // Cloud Signature Consortium API 2.x
	SmartID Kind = "smartid" // SmartID of ПриватБанк and those who took it over; needs an Envelope
	Vchasno Kind = "vchasno" // Вчасно.КЕП, the same envelope with other calls
)

// An IdentifierKind is what the person types so that the provider finds the account.
type IdentifierKind string

// Kinds of identifiers; "" means that the provider needs none.
const (
	Phone IdentifierKind = "phone"
	Email IdentifierKind = "email"
	Name  IdentifierKind = "name"
)

// A Provider is one entry of the configuration.
type Provider struct {
	ID   string // a–z 0–9 _ -, stable
	Name string // for people
	Kind Kind
	// URL is the base address, with the version for CSC: https://host/prefix/csc/v2.
	URL        string
	Identifier IdentifierKind
	// Hosts are those to which the person may be sent besides that of URL (with a port if it is not the default): the
	// authorisation server of CSC, the page behind the QR code of SmartID.
	Hosts []string

	// ClientID and ClientSecret are ours at a CSC provider; Secret is asked for at each use, so that it can come from a file.
	ClientID string
	Secret   func() (string, error)
	// ServiceByCode gets the service token from the person by a redirect (oauth2code); else it is ours (oauth2client), and
	// the credentials are found by the identifier.
	ServiceByCode bool
	// OAuthURL is the base of oauth2/authorize and oauth2/token; "" takes the one that info names, or URL.
	OAuthURL string

	// Prefix of the client ids at a SmartID provider.
	Prefix string
	// LinkURL is what stands before the JSON of the QR code: https://www.privat24.ua/rd/kep?hash=rd/kep/.
	LinkURL string
}

func (p *Provider) check(c *Config) error {
	switch {
	case !isToken(p.ID, 32):
		return errors.New("bad id")
	case p.Name == "" || len(p.Name) > 120:
		return errors.New("bad name")
	}
	p.URL = strings.TrimRight(p.URL, "/")
	if _, err := checkURL(p.URL, c.AllowHTTP, nil); err != nil {
		return fmt.Errorf("address: %w", err)
	}
	p.Hosts = slices.Clone(p.Hosts)
	u, _ := url.Parse(p.URL)
	p.Hosts = append(p.Hosts, u.Host)
	switch p.Identifier {
	case "", Phone, Email, Name:
	default:
		return errors.New("unknown kind of identifier")
	}
	switch p.Kind {
	case CSC1, CSC2:
		if p.ClientID == "" || p.Secret == nil {
			return errors.New("client id and secret are needed")
		}
		if p.ServiceByCode == (p.Identifier != "") {
			return errors.New("an identifier is needed exactly where the service token is ours")
		}
		if p.OAuthURL != "" {
			p.OAuthURL = strings.TrimRight(p.OAuthURL, "/")
			_, err := checkURL(p.OAuthURL, c.AllowHTTP, p.Hosts)
			return err
		}
	case SmartID, Vchasno:
		if c.Envelope == nil {
			return errors.New("the session encryption of the SmartID family is not known: this provider cannot be used")
		}
		if p.Kind == Vchasno {
			if p.Identifier == "" {
				return errors.New("an identifier is needed")
			}
			return nil
		}
		if p.Identifier != "" || !isToken(strings.TrimSuffix(p.Prefix, "_"), 32) {
			return errors.New("a prefix is needed, and no identifier")
		}
		_, err := checkURL(p.LinkURL, c.AllowHTTP, p.Hosts)
		return err
	default:
		return errors.New("unknown kind")
	}
	return nil
}

// ErrAddress is an address of a provider that is not opened (threat T54).
var ErrAddress = errors.New("cloud: address is not allowed")

// checkURL takes an absolute https address of plain characters; hosts, if not nil, are the only ones.
func checkURL(raw string, allowHTTP bool, hosts []string) (*url.URL, error) {
	for i := range len(raw) {
		if raw[i] <= ' ' || raw[i] >= 0x7f || raw[i] == '\\' {
			return nil, ErrAddress // browsers drop tabs and line feeds, and read \ as /
		}
	}
	u, err := url.Parse(raw)
	switch {
	case len(raw) > 4096, err != nil:
		return nil, ErrAddress
	case u.Scheme != "https" && !(allowHTTP && u.Scheme == "http"):
		return nil, ErrAddress
	case u.Hostname() == "", u.User != nil, u.Opaque != "", u.Fragment != "":
		return nil, ErrAddress
	case hosts != nil && !slices.Contains(hosts, u.Host):
		return nil, ErrAddress
	}
	return u, nil
}

// isToken takes 1 to limit characters of A–Z a–z 0–9 _ -.
func isToken(s string, limit int) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := range len(s) {
		o := s[i]
		if (o < 'a' || o > 'z') && (o < 'A' || o > 'Z') && (o < '0' || o > '9') && o != '_' && o != '-' {
			return false
		}
	}
	return true
}

// identifier checks what the person typed, and brings it to one form: +380501234567, an address, a name.
func (k IdentifierKind) identifier(s string) (string, bool) {
	s = strings.TrimSpace(s)
	switch k {
	case "":
		return "", s == ""
	case Phone:
		return phone(s)
	case Email:
		local, domain, ok := strings.Cut(s, "@")
		return s, ok && len(s) <= 254 && plainEmail(local, domain)
	case Name:
		return s, s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd })
	}
	return "", false
}

func plainEmail(local, domain string) bool {
	class := func(s, more string) bool {
		return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(more, r)
		})
	}
	return class(local, ".!#$%&'*+/=?^_`{|}~-") && class(domain, ".-") && strings.Contains(domain, ".")
}

// phone takes a Ukrainian number as people write it, or a foreign one with its plus, and returns E.164.
func phone(s string) (string, bool) {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -()\u00a0", r) {
			return -1
		}
		return r
	}, s)
	plus := strings.HasPrefix(digits, "+")
	digits = strings.TrimPrefix(digits, "+")
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return "", false
		}
	}
	switch {
	case plus && len(digits) >= 8 && len(digits) <= 15:
	case len(digits) == 10 && digits[0] == '0':
		digits = "38" + digits
	case len(digits) == 12 && strings.HasPrefix(digits, "380"):
	default:
		return "", false
	}
	return "+" + digits, true
}
