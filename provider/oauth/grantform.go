package oauth

import (
	"encoding/json"
	"errors"
	"fmt"

	"brama/internal/pack"
)

// A sealedGrant is opened at every request for or with a token, so that it is packed field after field behind a version:
// decoding JSON by reflection was a sixth of what userinfo cost.
const grantForm = 1

// Kinds of values of claims. What is none of the first is JSON.
const (
	claimText = iota + 1
	claimBool
	claimNumber // an integer
	claimJSON
)

// grantTexts and grantLists are the fields in the order in which they are packed.
func (g *sealedGrant) grantTexts() []*string {
	return []*string{&g.Subject, &g.Nonce, &g.SID, &g.ACR, &g.Level}
}

func (g *sealedGrant) grantLists() []*[]string {
	return []*[]string{&g.AMR, &g.AskedIDToken, &g.AskedUserInfo}
}

func (g *sealedGrant) verifiedSets() []*[]verifiedSet {
	return []*[]verifiedSet{&g.VerifiedIDToken, &g.VerifiedUserInfo}
}

func (g *sealedGrant) pack() ([]byte, error) {
	b := append(make([]byte, 0, 512), grantForm)
	for _, s := range g.grantTexts() {
		b = pack.AppendString(b, *s)
	}
	for _, list := range g.grantLists() {
		b = pack.AppendStrings(b, *list)
	}
	b = pack.AppendTime(b, g.AuthTime)
	b = pack.AppendBool(b, g.Status != nil)
	if s := g.Status; s != nil {
		b = pack.AppendTime(pack.AppendTime(pack.AppendString(b, s.ID), s.Checked), s.NotAfter)
	}
	b = pack.AppendUint(b, uint64(len(g.Claims)))
	for name, value := range g.Claims {
		var err error
		if b, err = appendClaim(pack.AppendString(b, name), value); err != nil {
			return nil, fmt.Errorf("oauth: packing a grant: %w", err)
		}
	}
	for _, sets := range g.verifiedSets() {
		var text []byte
		if len(*sets) != 0 { // rarely
			var err error
			if text, err = json.Marshal(*sets); err != nil {
				return nil, fmt.Errorf("oauth: packing a grant: %w", err)
			}
		}
		b = pack.AppendString(b, text)
	}
	return b, nil
}

func appendClaim(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case string:
		return pack.AppendString(append(b, claimText), v), nil
	case bool:
		return pack.AppendBool(append(b, claimBool), v), nil
	case int64:
		return pack.AppendInt(append(b, claimNumber), v), nil
	}
	text, err := json.Marshal(value)
	return pack.AppendString(append(b, claimJSON), text), err
}

var errGrantForm = errors.New("oauth: a grant is packed in an unknown form")

// unpack reads what pack wrote. A claim that is no text, boolean or integer comes as json.RawMessage.
func (g *sealedGrant) unpack(b []byte) error {
	if len(b) == 0 || b[0] != grantForm {
		return errGrantForm
	}
	r := pack.NewReader(b[1:])
	for _, s := range g.grantTexts() {
		*s = r.String()
	}
	for _, list := range g.grantLists() {
		*list = r.Strings()
	}
	g.AuthTime = r.Time()
	if r.Bool() {
		g.Status = &grantStatus{ID: r.String(), Checked: r.Time(), NotAfter: r.Time()}
	}
	n := r.Count()
	g.Claims = make(map[string]any, n)
	for range n {
		name := r.String()
		switch kind := r.Bytes(1); {
		case kind == nil: // the rest is missing
		case kind[0] == claimText:
			g.Claims[name] = r.String()
		case kind[0] == claimBool:
			g.Claims[name] = r.Bool()
		case kind[0] == claimNumber:
			g.Claims[name] = r.Int()
		case kind[0] == claimJSON:
			g.Claims[name] = json.RawMessage(r.String())
		default:
			return errGrantForm
		}
	}
	for _, sets := range g.verifiedSets() {
		text := r.String()
		if text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(text), sets); err != nil {
			return fmt.Errorf("oauth: unpacking a grant: %w", err)
		}
	}
	return r.End()
}
