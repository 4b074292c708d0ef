package oauth

import (
	"encoding/json"
	"slices"
	"time"

	"brama/connectors"
)

// TrustFrameworkUA is the trust_framework of verified_claims (OpenID Connect for Identity Assurance 1.0): the scheme of the
// Law of Ukraine "On electronic identification and electronic trust services", whose levels low, substantial and high are
// those of acr.
const TrustFrameworkUA = "ua_eid"

// evidenceSignature is the one kind of evidence: an electronic signature that the person made at this login (OpenID
// Connect for Identity Assurance Schema Definition 1.0, 5.4.4.4).
const evidenceSignature = "electronic_signature"

// Kinds of signatures: by a qualified certificate, or by another one of the trusted list.
const (
	signatureQualified = "ua_qes"
	signatureAdvanced  = "ua_aes"
)

// A verifiedSet is one verified_claims object: claims, and how they were verified.
type verifiedSet struct {
	Verification verification   `json:"verification"`
	Claims       map[string]any `json:"claims"`
}

type verification struct {
	TrustFramework string     `json:"trust_framework"`
	AssuranceLevel string     `json:"assurance_level,omitempty"`
	Time           string     `json:"time,omitempty"`
	Evidence       []evidence `json:"evidence,omitempty"`
}

type evidence struct {
	Type          string `json:"type"`
	SignatureType string `json:"signature_type,omitempty"`
	Issuer        string `json:"issuer,omitempty"`
	SerialNumber  string `json:"serial_number,omitempty"`
	CreatedAt     string `json:"created_at,omitempty"`
}

// A verifiedRequest is a request for one verified_claims object, as far as we can answer it.
type verifiedRequest struct {
	claims       map[string]ClaimRequest
	verification map[string]ClaimRequest // its plain elements
	evidence     bool                    // some is asked for
	elements     map[string]ClaimRequest // of the evidence; nil is all
}

// verified reads the requests for verified_claims. What cannot be read, or asks for something that we never have, asks for
// nothing: an answer that is not what was asked would be worse.
func (s *ClaimSet) verified() []verifiedRequest {
	var list []verifiedRequest
	for _, raw := range s.Verified {
		if r, ok := readVerifiedRequest(raw); ok {
			list = append(list, r)
		}
	}
	return list
}

func readVerifiedRequest(raw json.RawMessage) (verifiedRequest, bool) {
	var object struct {
		Verification map[string]json.RawMessage `json:"verification"`
		Claims       map[string]any             `json:"claims"`
	}
	r := verifiedRequest{claims: map[string]ClaimRequest{}}
	if json.Unmarshal(raw, &object) != nil || len(object.Claims) == 0 || object.Verification["trust_framework"] == nil {
		return r, false
	}
	for name, asked := range object.Claims {
		one, err := readClaim(asked)
		if err != nil {
			return r, false
		}
		r.claims[name] = one
	}
	list, asked := object.Verification["evidence"]
	delete(object.Verification, "evidence")
	var ok bool
	if r.verification, ok = readElements(object.Verification); !ok || !asked {
		return r, ok
	}
	r.evidence = true
	if string(list) == "null" {
		return r, true
	}
	var kinds []map[string]json.RawMessage
	if json.Unmarshal(list, &kinds) != nil {
		return r, false
	}
	for _, kind := range kinds {
		elements, ok := readElements(kind)
		if !ok {
			continue
		}
		if wanted := elements["type"]; wanted.takes(evidenceSignature) {
			r.elements = elements
			return r, true
		}
	}
	return r, false // evidence of other kinds only, which we never have
}

// readElements reads what is asked of elements: null each, or an object with value or values. max_age is about moments and
// comes with no element of ours that could meet it.
func readElements(object map[string]json.RawMessage) (map[string]ClaimRequest, bool) {
	out := map[string]ClaimRequest{}
	for name, raw := range object {
		var v any
		if json.Unmarshal(raw, &v) != nil {
			return nil, false
		}
		if restriction, ok := v.(map[string]any); ok {
			if _, there := restriction["max_age"]; there {
				return nil, false
			}
		}
		one, err := readClaim(v)
		if err != nil {
			return nil, false
		}
		out[name] = one
	}
	return out, true
}

// verify answers the requests for verified_claims with claims, which the client may have all.
func (s *ClaimSet) verify(c *Client, id *connectors.Identity, claims claimList) []verifiedSet {
	if !c.VerifiedClaims {
		return nil
	}
	full := verification{TrustFramework: TrustFrameworkUA, AssuranceLevel: string(id.LoA), Time: moment(id.AuthTime)}
	// The certificate, and so its serial, is for clients with that right (threat T100); without one there was no signature.
	if cert := id.Certificate; cert.Serial != "" && c.CertificateClaims {
		kind := signatureAdvanced
		if cert.Qualified {
			kind = signatureQualified
		}
		full.Evidence = []evidence{{Type: evidenceSignature, SignatureType: kind, Issuer: cert.Issuer, SerialNumber: cert.Serial, CreatedAt: full.Time}}
	}
	var list []verifiedSet
	for _, r := range s.verified() {
		one := verifiedSet{Claims: map[string]any{}}
		if r.pick(&one.Verification, &full) && r.fill(one.Claims, claims) {
			list = append(list, one)
		}
	}
	return list
}

// pick copies to out what is asked for of the verification, and reports whether it is what was demanded: an element with
// another value than a demanded one leaves the whole object out (6.2 there).
func (r *verifiedRequest) pick(out, full *verification) bool {
	out.TrustFramework = full.TrustFramework // always there
	met := choose(r.verification, map[string]element{
		"trust_framework": {full.TrustFramework, &out.TrustFramework},
		"assurance_level": {full.AssuranceLevel, &out.AssuranceLevel},
		"time":            {full.Time, &out.Time},
	})
	if !met || !r.evidence {
		return met
	}
	if len(full.Evidence) == 0 {
		return false
	}
	if r.elements == nil {
		out.Evidence = full.Evidence
		return true
	}
	from, one := full.Evidence[0], evidence{Type: evidenceSignature}
	out.Evidence = []evidence{one}
	to := &out.Evidence[0]
	return choose(r.elements, map[string]element{
		"type":           {from.Type, &to.Type},
		"signature_type": {from.SignatureType, &to.SignatureType},
		"issuer":         {from.Issuer, &to.Issuer},
		"serial_number":  {from.SerialNumber, &to.SerialNumber},
		"created_at":     {from.CreatedAt, &to.CreatedAt},
	})
}

// An element is a value, and where it goes if it is asked for.
type element struct {
	value string
	to    *string
}

// choose copies the elements that are asked for, and reports whether each has a value that was asked for.
func choose(asked map[string]ClaimRequest, elements map[string]element) bool {
	for name, r := range asked {
		e, known := elements[name]
		if !known {
			if len(r.Values) != 0 {
				return false // demanded of something that we do not know
			}
			continue
		}
		if !r.takes(e.value) {
			return false
		}
		*e.to = e.value
	}
	return true
}

// fill puts the claims that are asked for into out, and reports whether there is an answer: some claim, and each that was
// demanded by its value with that value (6.2 there).
func (r *verifiedRequest) fill(out map[string]any, claims claimList) bool {
	for name, asked := range r.claims {
		c := claims.find(name)
		switch {
		case !verifiable(name):
		case c != nil && asked.takes(c.value()):
			out[name] = c.value()
		case len(asked.Values) != 0:
			return false
		}
	}
	return len(out) != 0
}

// verifiable claims are those that the signature or the upstream proves of the person. An e-mail address in a certificate
// is what somebody wrote there, the tick is no fact about the person, and the certificate is evidence.
func verifiable(claim string) bool { return slices.Contains(verifiedNames, claim) }

var verifiedNames = slices.Concat(nameClaims, []string{"rnokpp", "unzr", "birthdate", "edrpou", "organization", "title"})

// releaseVerified returns what the registration allows now of sets.
func releaseVerified(c *Client, sets []verifiedSet) []verifiedSet {
	if !c.VerifiedClaims {
		return nil
	}
	var list []verifiedSet
	for _, one := range sets {
		allowed := verifiedSet{Verification: one.Verification, Claims: map[string]any{}}
		if !c.CertificateClaims {
			allowed.Verification.Evidence = nil
		}
		for name, value := range one.Claims {
			if c.mayReceive(name) {
				allowed.Claims[name] = value
			}
		}
		if len(allowed.Claims) != 0 {
			list = append(list, allowed)
		}
	}
	return list
}

// moment is a time as Identity Assurance writes it: RFC 3339, in UTC, to the second.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
