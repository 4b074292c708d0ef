package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	typProof     = "dpop+jwt"
	maxProof     = 8 << 10 // bytes; one with an RSA key of 8192 bits has 4 KiB
	maxNonceText = 128
	// proofPast is how old a proof may be, and clockSkew how far in the future: FAPI 2.0, 5.3.2.1, wants ten seconds taken and
	// sixty refused. A proof that is older than this need not be remembered.
	proofPast = 60*time.Second + clockSkew
	// nonceStep is how long one nonce is given out; it is taken for as long again.
	nonceStep = 5 * time.Minute
)

// ProofAlgorithms are those of DPoP proofs. There is no symmetric one, and no "none" (RFC 9449, 4.3).
func ProofAlgorithms() []string { return AssertionAlgorithms() }

// A dpopProof is a proof whose signature verifies under the key inside it. What it says was not yet compared with anything.
type dpopProof struct {
	alg      string
	key      [32]byte // JWK thumbprint, SHA-256 (RFC 7638)
	id       string   // jti
	method   string   // htm
	uri      string   // htu
	issuedAt time.Time
	hash     string // ath, "" if absent
	nonce    string // "" if absent
}

var errProof = errors.New("oauth: not a DPoP proof")

// parseProof reads a DPoP proof (RFC 9449, 4.2 and 4.3): a compact JWS of type dpop+jwt by the public key in its own header.
// Names that stand twice, critical extensions, private keys, keys that are too small or too large and anything that is not
// there are errors. The error never quotes the proof.
func parseProof(raw string) (*dpopProof, error) {
	if raw == "" || len(raw) > maxProof {
		return nil, errProof
	}
	protected, _, ok := strings.Cut(raw, ".")
	if !ok {
		return nil, errProof
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(protected)
	if err != nil {
		return nil, errProof
	}
	header, err := readJSON(text)
	if err != nil {
		return nil, errProof
	}
	alg, _ := header["alg"].(string)
	switch {
	case header["typ"] != typProof, !slices.Contains(ProofAlgorithms(), alg):
		return nil, errProof
	case header["crit"] != nil:
		return nil, errProof // no extension is known here (RFC 7515, 4.1.11)
	}
	key, err := proofKey(header["jwk"], alg)
	if err != nil {
		return nil, err
	}
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		return nil, errProof
	}
	payload, err := jws.Verify(key.Key)
	if err != nil {
		return nil, errProof
	}
	claims, err := readJSON(payload)
	if err != nil {
		return nil, errProof
	}
	p := &dpopProof{alg: alg}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, errProof
	}
	copy(p.key[:], thumbprint)
	return p, p.read(claims)
}

// proofKey returns the public key of a proof's header, if it is one for alg.
func proofKey(v any, alg string) (*jose.JSONWebKey, error) {
	members, ok := v.(map[string]any)
	if !ok {
		return nil, errProof
	}
	// Only what makes a public key: a private or symmetric one was published by mistake (RFC 9449, 4.3), and a certificate says
	// nothing here.
	public := map[string]any{}
	for _, name := range []string{"kty", "crv", "x", "y", "n", "e"} {
		if m, ok := members[name]; ok {
			public[name] = m
		}
	}
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if _, ok := members[name]; ok {
			return nil, errProof
		}
	}
	text, err := json.Marshal(public)
	if err != nil {
		return nil, errProof
	}
	key := &jose.JSONWebKey{}
	if err := key.UnmarshalJSON(text); err != nil || checkPublicKey(key.Key) != nil {
		return nil, errProof
	}
	switch key.Key.(type) {
	case *ecdsa.PublicKey:
		ok = alg == "ES256"
	case *rsa.PublicKey:
		ok = alg == "RS256" || alg == "PS256"
	case ed25519.PublicKey:
		ok = alg == "EdDSA"
	default:
		ok = false
	}
	if !ok {
		return nil, errProof
	}
	return key, nil
}

// read takes the claims of a proof; others than these say nothing.
func (p *dpopProof) read(claims map[string]any) error {
	text := func(name string, most int, needed bool) (string, bool) {
		v, there := claims[name]
		s, ok := v.(string)
		return s, !there && !needed || ok && s != "" && len(s) <= most
	}
	var ok [5]bool
	p.id, ok[0] = text("jti", maxJTI, true)
	p.method, ok[1] = text("htm", 16, true)
	p.uri, ok[2] = text("htu", maxURI, true)
	p.hash, ok[3] = text("ath", 64, false)
	p.nonce, ok[4] = text("nonce", maxNonceText, false)
	number, isNumber := claims["iat"].(json.Number)
	if slices.Contains(ok[:], false) || !isNumber {
		return errProof
	}
	seconds, err := strconv.ParseFloat(number.String(), 64)
	if err != nil || !(seconds > 0 && seconds < 1<<40) {
		return errProof
	}
	p.issuedAt = time.Unix(int64(seconds), 0)
	return nil
}

// sameEndpoint reports whether htu names an endpoint of ours: query and fragment apart, and with the differences that RFC 3986
// knows as none: case of scheme and host, the scheme's own port (RFC 9449, 4.3).
func sameEndpoint(htu, endpoint string) bool {
	if htu == endpoint {
		return true
	}
	a, err := url.Parse(htu)
	if err != nil || a.Opaque != "" || a.User != nil {
		return false
	}
	b, err := url.Parse(endpoint)
	return err == nil && normalHost(a) == normalHost(b) && strings.EqualFold(a.Scheme, b.Scheme) && a.EscapedPath() == b.EscapedPath()
}

func normalHost(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || port == "443" && strings.EqualFold(u.Scheme, "https") || port == "80" && strings.EqualFold(u.Scheme, "http") {
		return host
	}
	return host + ":" + port
}

// accessHash is ath: what binds a proof to the token beside it (RFC 9449, 4.2).
func accessHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// A nonces makes nonces for DPoP proofs, and knows them again without keeping any: each is an HMAC over the number of a time
// step (RFC 9449, 8). A proof that was made long before it is used cannot have one. Safe for concurrent use.
type nonces struct{ key []byte }

func (n nonces) at(step int64) string {
	m := hmac.New(sha256.New, n.key)
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(step))
	m.Write(b[:])
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:18])
}

// fresh returns the nonce to give out at now.
func (n nonces) fresh(now time.Time) string { return n.at(now.Unix() / int64(nonceStep/time.Second)) }

// valid reports whether nonce was given out in this time step or the one before.
func (n nonces) valid(nonce string, now time.Time) bool {
	step := now.Unix() / int64(nonceStep/time.Second)
	this := subtle.ConstantTimeCompare([]byte(nonce), []byte(n.at(step)))
	last := subtle.ConstantTimeCompare([]byte(nonce), []byte(n.at(step-1)))
	return this|last == 1
}
