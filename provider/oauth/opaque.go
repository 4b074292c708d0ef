package oauth

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"brama/storage"
	"brama/storage/seal"
)

// A token that we give away is opaque to its holder and whole in itself: what it is worth stands inside, encrypted and
// authenticated, so that making one writes nothing to the store. What can change after that stands there: the grant that it
// was made from, which dies with everything made of it, and the few tokens that were revoked one by one.
type opaque struct {
	grant      string // id of the grant, hex; "" for client credentials
	client     string
	scopes     []string
	issued     time.Time // whole seconds, as is expires
	expires    time.Time
	bound      binding
	generation uint64 // of refresh tokens: see storage.RefreshFamily
}

// Purposes that tokens are sealed for: none opens as another.
const (
	accessToken  = "access token"
	refreshToken = "refresh token"
)

// Methods of a binding: members of the cnf claim (RFC 7800, RFC 9449, 6; RFC 8705, 3.1).
const (
	boundByDPoP        = "jkt"
	boundByCertificate = "x5t#S256"
)

// A binding names the key that the holder of a token must prove. The zero value is none: a bearer token.
type binding struct {
	method string
	hash   [32]byte // SHA-256: JWK thumbprint or of the DER certificate
}

// maxToken bounds what is looked at as a token of ours, in characters.
const maxToken = 4 << 10

var errToken = errors.New("oauth: not a token of ours")

// tokenSealer returns what seals codes and tokens.
func tokenSealer(secrets [][]byte) (*seal.Sealer, error) {
	var keys [][]byte
	for _, s := range secrets {
		keys = append(keys, seal.Derive(s, "opaque tokens"))
	}
	return seal.New(keys...)
}

// appendToken appends t to dst as text for its holder. The layout, in this order:
//
//	length of grant (0 or 32) ‖ grant ‖ binding (0, 1 DPoP, 2 certificate) ‖ its 32 bytes if any ‖
//	issued, expires, generation (uvarint each) ‖ length of client (uvarint) ‖ client ‖ scopes, space-separated
func (p *Provider) appendToken(dst []byte, kind string, t *opaque) []byte {
	b := append(make([]byte, 0, 192), byte(hex.DecodedLen(len(t.grant))))
	b, err := hex.AppendDecode(b, []byte(t.grant))
	if err != nil {
		panic("oauth: internal error: grant is not named by a hash")
	}
	switch t.bound.method {
	case "":
		b = append(b, 0)
	case boundByDPoP:
		b = append(append(b, 1), t.bound.hash[:]...)
	case boundByCertificate:
		b = append(append(b, 2), t.bound.hash[:]...)
	default:
		panic("oauth: internal error: unknown binding")
	}
	b = binary.AppendUvarint(b, uint64(t.issued.Unix()))
	b = binary.AppendUvarint(b, uint64(t.expires.Unix()))
	b = binary.AppendUvarint(b, t.generation)
	b = binary.AppendUvarint(b, uint64(len(t.client)))
	b = append(b, t.client...)
	for i, s := range t.scopes {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, s...)
	}
	return p.tokens.AppendText(dst, kind, b)
}

// openToken returns what a token of a kind holds. errToken for everything that is not one of ours; whether it has expired
// is the caller's question.
func (p *Provider) openToken(kind, token string) (*opaque, error) {
	if token == "" || len(token) > maxToken {
		return nil, errToken
	}
	b, err := p.tokens.OpenText(kind, token)
	if err != nil {
		return nil, errToken
	}
	r := reader{b: b}
	t := &opaque{}
	var grant [64]byte
	t.grant = string(hex.AppendEncode(grant[:0], r.bytes(uint64(r.byte()))))
	switch r.byte() {
	case 0:
	case 1:
		t.bound.method = boundByDPoP
		copy(t.bound.hash[:], r.bytes(32))
	case 2:
		t.bound.method = boundByCertificate
		copy(t.bound.hash[:], r.bytes(32))
	default:
		return nil, errToken
	}
	t.issued = time.Unix(int64(r.uvarint()), 0)
	t.expires = time.Unix(int64(r.uvarint()), 0)
	t.generation = r.uvarint()
	t.client = string(r.bytes(r.uvarint()))
	t.scopes = strings.Fields(string(r.b))
	if r.bad {
		return nil, errToken // authentic, so that it is of another version of ours
	}
	return t, nil
}

// tokenID is the name of a token in the store, should it be revoked.
func tokenID(token string) string { return storage.HashSecret(token) }

// A reader takes a token apart. After the first short read everything is empty and bad is set.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) bytes(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}
