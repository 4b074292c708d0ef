package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"brama/storage"
)

// A proven is what a request has shown of its sender's key; the zero value is nothing. A DPoP proof is spent by the same
// Update that does what it was for, so that a request that fails can come again.
type proven struct {
	binding binding
	jti     string // of a DPoP proof, "" otherwise
	alg     string
	until   time.Time
}

// errDPoP is an answer to a proof that is not good (RFC 9449, 5 and 7.1).
func errDPoP(description string) *Error {
	return &Error{Code: "invalid_dpop_proof", Description: description, Status: http.StatusBadRequest}
}

// errNonce asks for another proof, with the nonce in the header DPoP-Nonce (RFC 9449, 8).
func errNonce() *Error {
	return &Error{Code: "use_dpop_nonce", Description: "a proof with this nonce is needed", Status: http.StatusBadRequest}
}

// proof returns what a request to the endpoint at path has shown of its sender's key: the proof in its DPoP header (RFC 9449),
// and if certificate is set, the client certificate of its connection (RFC 8705). token is the access token that comes with
// it, "" at the token endpoint. The nonce for the next proof is put into the answer where one is wanted.
func (p *Provider) proof(w http.ResponseWriter, r *http.Request, path, token string, certificate bool) (proven, error) {
	headers := r.Header["Dpop"] // as net/http writes it
	if certificate {
		cert := PeerCertificate(r)
		switch {
		case len(headers) != 0:
			return proven{}, errDPoP("The client's tokens are bound to its certificate.")
		case cert == nil:
			return proven{}, nil
		}
		return proven{binding: binding{method: boundByCertificate, hash: sha256.Sum256(cert.Raw)}}, nil
	}
	switch len(headers) {
	case 0:
		return proven{}, nil
	case 1:
	default:
		return proven{}, errDPoP("There are two proofs.")
	}
	if p.cfg.DPoPNonce {
		w.Header().Set("DPoP-Nonce", p.nonces.fresh(p.cfg.Now()))
	}
	proof, err := parseProof(headers[0])
	if err != nil {
		return proven{}, errDPoP("The proof cannot be read or its signature does not verify.")
	}
	if err := p.checkProofClaims(proof, r.Method, path, token); err != nil {
		if err.Code == "use_dpop_nonce" {
			w.Header().Set("DPoP-Nonce", p.nonces.fresh(p.cfg.Now()))
		}
		return proven{}, err
	}
	return proven{
		binding: binding{method: boundByDPoP, hash: proof.key},
		jti:     proof.id, alg: proof.alg, until: proof.issuedAt.Add(proofPast),
	}, nil
}

func (p *Provider) checkProofClaims(proof *dpopProof, method, path, token string) *Error {
	now := p.cfg.Now()
	ours := sameEndpoint(proof.uri, p.cfg.Issuer+path) || p.cfg.MTLSBase != "" && sameEndpoint(proof.uri, p.cfg.MTLSBase+path)
	switch {
	case proof.method != method:
		return errDPoP("htm is not the method of the request.")
	case !ours:
		return errDPoP("htu is not the address of the endpoint.")
	case token != "" && proof.hash != accessHash(token):
		return errDPoP("ath is not the hash of the access token.")
	case proof.nonce == "" && p.cfg.DPoPNonce, proof.nonce != "" && !p.nonces.valid(proof.nonce, now):
		return errNonce() // before iat: a client without a clock has at least this
	case now.Sub(proof.issuedAt) >= proofPast, proof.issuedAt.Sub(now) > clockSkew:
		return errDPoP("iat is too far from now.")
	}
	return nil
}

// tokenProof is proof at the token endpoint: a client that is registered for bound tokens gets no others.
func (p *Provider) tokenProof(w http.ResponseWriter, r *http.Request, client *Client) (proven, error) {
	proof, err := p.proof(w, r, PathToken, "", client.CertificateBound)
	switch {
	case err != nil:
		return proven{}, err
	case client.FAPI() && proof.alg == "RS256":
		return proven{}, errDPoP("The profile knows no RS256.") // FAPI 2.0, 5.4.1
	case proof.binding.method != "":
		return proof, nil
	case client.CertificateBound:
		return proven{}, &Error{Code: "invalid_request", Description: "a client certificate is needed", Status: http.StatusBadRequest}
	case client.DPoPBound:
		return proven{}, &Error{Code: "invalid_request", Description: "a DPoP proof is needed", Status: http.StatusBadRequest}
	}
	return proof, nil
}

// spend spends the jti of the DPoP proof, if there was one: of two requests with one proof one is answered.
func (p proven) spend(tx storage.Tx) error {
	if p.jti == "" {
		return nil
	}
	err := storage.Spend(tx, "dpop\x00"+p.binding.value(), p.jti, p.until)
	if errors.Is(err, storage.ErrConflict) {
		return errDPoP("The proof has been used.")
	}
	return err
}

// spendProof spends the DPoP proof of a request that writes nothing else.
func (p *Provider) spendProof(ctx context.Context, proof proven) error {
	if proof.jti == "" {
		return nil
	}
	return p.cfg.Store.Update(ctx, proof.spend)
}

// isDPoP reports whether a DPoP proof by the key of this thumbprint was shown.
func (p proven) isDPoP(jkt string) bool {
	return p.binding.method == boundByDPoP && p.binding.value() == jkt
}

// value is the thumbprint of the key as it stands in cnf.
func (b binding) value() string { return base64.RawURLEncoding.EncodeToString(b.hash[:]) }

// String names the binding in the store; "" is none.
func (b binding) String() string {
	if b.method == "" {
		return ""
	}
	return b.method + ":" + b.value()
}

// A presented token is an access token as a request brought it.
type presented struct {
	token string
	dpop  bool // by the scheme DPoP and not Bearer
}

// checkPossession refuses a bound token from whoever does not show its key: a token bound to a DPoP key comes by the scheme
// DPoP with a proof (RFC 9449, 7.1 and 7.2), one bound to a certificate over a connection with it (RFC 8705, 3). The proof is
// spent. Errors are *Error, with the codes that WWW-Authenticate names.
func (p *Provider) checkPossession(w http.ResponseWriter, r *http.Request, path string, t *opaque, came presented) error {
	refused := func(description string) error {
		return &Error{Code: "invalid_token", Description: description, Status: http.StatusUnauthorized}
	}
	switch {
	case came.dpop && t.bound.method != boundByDPoP:
		return refused("The token is not bound to a DPoP key.")
	case !came.dpop && t.bound.method == boundByDPoP:
		return refused("The token is bound to a DPoP key.")
	case t.bound.method == "":
		return nil
	}
	proof, err := p.proof(w, r, path, came.token, t.bound.method == boundByCertificate)
	if err != nil {
		return err
	}
	if proof.binding != t.bound {
		return refused("The token is bound to another key.")
	}
	return p.spendProof(r.Context(), proof)
}

// challengeDPoP is what a resource says of DPoP in WWW-Authenticate (RFC 9449, 7.1).
func challengeDPoP(code string) string {
	value := "DPoP"
	if code != "" {
		value += ` error="` + code + `",`
	}
	return value + ` algs="` + strings.Join(ProofAlgorithms(), " ") + `"`
}
