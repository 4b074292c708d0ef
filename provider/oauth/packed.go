package oauth

import (
	"encoding/json"
	"fmt"

	"brama/internal/pack"
)

// AppendTo appends req to b in the form that ReadPacked takes: a login carries its request through every step, and reflection
// over a record of twenty-odd fields costs more than sealing it. The form is ours alone and has no version: whoever keeps it
// keeps one beside it.
func (req *AuthorizeRequest) AppendTo(b []byte) ([]byte, error) {
	for _, s := range req.words() {
		b = pack.AppendString(b, *s)
	}
	for _, list := range req.lists() {
		b = pack.AppendStrings(b, *list)
	}
	b = pack.AppendBool(b, req.MaxAge != nil)
	if req.MaxAge != nil {
		b = pack.AppendInt(b, int64(*req.MaxAge))
	}
	b = pack.AppendBool(b, req.ACREssential)
	b = pack.AppendTime(b, req.RequestedAt)
	var claims []byte
	if req.Claims != nil {
		var err error
		if claims, err = json.Marshal(req.Claims); err != nil {
			return nil, fmt.Errorf("packing the claims parameter: %w", err)
		}
	}
	return pack.AppendString(b, claims), nil
}

// ReadPacked reads what AppendTo wrote.
func (req *AuthorizeRequest) ReadPacked(r *pack.Reader) error {
	for _, s := range req.words() {
		*s = r.String()
	}
	for _, list := range req.lists() {
		*list = r.Strings()
	}
	req.MaxAge = nil
	if r.Bool() {
		age := int(r.Int())
		req.MaxAge = &age
	}
	req.ACREssential = r.Bool()
	req.RequestedAt = r.Time()
	req.Claims = nil
	if claims := r.String(); claims != "" {
		if err := json.Unmarshal([]byte(claims), &req.Claims); err != nil {
			return fmt.Errorf("reading a packed claims parameter: %w", err)
		}
	}
	return nil
}

// words are the fields of req that are a string each, in the order of the packed form.
func (req *AuthorizeRequest) words() [15]*string {
	return [...]*string{&req.ClientID, &req.RedirectURI, &req.State, &req.ResponseMode, &req.IDPHint, &req.LoginHint,
		&req.HintSubject, &req.HintSID, &req.Purpose, &req.AccountHint, &req.DPoPJKT, &req.RequestURI,
		&req.ResponseType, &req.Nonce, &req.Challenge}
}

// lists are those that are lists of strings.
func (req *AuthorizeRequest) lists() [4]*[]string {
	return [...]*[]string{&req.Scopes, &req.Prompt, &req.ACRValues, &req.UILocales}
}
