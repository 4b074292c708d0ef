package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Limits of the claims parameter. What is read of it travels in the browser's cookie.
const (
	maxClaimsParameter = 8 << 10 // bytes
	maxClaimNames      = 64      // of both places together
	maxClaimName       = 128     // bytes
	maxClaimValues     = 16
	maxClaimValue      = 512 // bytes of a string
	verifiedClaims     = "verified_claims"
)

// readClaims reads the claims parameter (OpenID Connect Core 5.5) strictly. Members that the specification does not know
// are ignored, as it demands; members that it knows must have the types that it says. nil if nothing is asked.
func readClaims(raw string) (*ClaimsRequest, error) {
	if len(raw) > maxClaimsParameter {
		return nil, errors.New("claims is longer than 8 KiB")
	}
	object, err := readJSON([]byte(raw))
	if err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	var c ClaimsRequest
	names := 0
	for place, set := range map[string]*ClaimSet{"id_token": &c.IDToken, "userinfo": &c.UserInfo} {
		if err := readClaimSet(set, object[place], &names); err != nil {
			return nil, fmt.Errorf("claims: %s: %w", place, err)
		}
	}
	if names == 0 {
		return nil, nil //nolint:nilnil // nothing is asked
	}
	return &c, nil
}

func readClaimSet(set *ClaimSet, v any, names *int) error {
	if v == nil { // absent, or null
		return nil
	}
	object, ok := v.(map[string]any)
	if !ok {
		return errors.New("not an object")
	}
	for name, asked := range object {
		if *names++; *names > maxClaimNames || name == "" || len(name) > maxClaimName {
			return errors.New("too many or too long names")
		}
		if name == verifiedClaims {
			if err := readVerified(set, asked); err != nil {
				return err
			}
			continue
		}
		one, err := readClaim(asked)
		if err != nil {
			return err
		}
		if set.Claims == nil {
			set.Claims = map[string]ClaimRequest{}
		}
		set.Claims[name] = one
	}
	return nil
}

func readClaim(v any) (ClaimRequest, error) {
	var c ClaimRequest
	if v == nil {
		return c, nil
	}
	object, ok := v.(map[string]any)
	if !ok {
		return c, errors.New("a claim is neither null nor an object")
	}
	if essential, there := object["essential"]; there {
		if c.Essential, ok = essential.(bool); !ok {
			return c, errors.New("essential is not a boolean")
		}
	}
	values, there := object["values"]
	list, ok := values.([]any)
	if there && (!ok || len(list) == 0 || len(list) > maxClaimValues) {
		return c, errors.New("values is not an array of 1 to 16")
	}
	if value, also := object["value"]; also {
		if there {
			return c, errors.New("value beside values")
		}
		list = []any{value}
	}
	for _, one := range list {
		scalar, err := readScalar(one)
		if err != nil {
			return c, err
		}
		c.Values = append(c.Values, scalar)
	}
	return c, nil
}

func readScalar(v any) (any, error) {
	switch x := v.(type) {
	case bool:
		return x, nil
	case string:
		if len(x) > maxClaimValue {
			return nil, errors.New("a value is too long")
		}
		return x, nil
	case json.Number:
		f, err := x.Float64()
		if err != nil {
			return nil, errors.New("a number is out of range")
		}
		return f, nil
	}
	return nil, errors.New("a value is not a string, number or boolean")
}

// readVerified keeps verified_claims (OpenID Connect for Identity Assurance 1.0, 6): one object or an array of them.
func readVerified(set *ClaimSet, v any) error {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 || len(list) > maxClaimValues {
		return errors.New("verified_claims is empty or too long")
	}
	for _, one := range list {
		if _, ok := one.(map[string]any); !ok {
			return errors.New("verified_claims is not an object")
		}
		raw, err := json.Marshal(one)
		if err != nil {
			return errJSON
		}
		set.Verified = append(set.Verified, raw)
	}
	return nil
}

// wantedStrings are the string values that a claim must have one of; nil if any will do.
func (s *ClaimSet) wantedStrings(name string) []string {
	var list []string
	for _, v := range s.Claims[name].Values {
		if text, ok := v.(string); ok && !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}
