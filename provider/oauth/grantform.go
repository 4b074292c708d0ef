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

// grantTexts and grantLists are the fields in the order in which they are packed.
func (g *sealedGrant) grantTexts() [5]*string {
	return [...]*string{&g.Subject, &g.Nonce, &g.SID, &g.ACR, &g.Level}
}

func (g *sealedGrant) grantLists() [3]*[]string {
	return [...]*[]string{&g.AMR, &g.AskedIDToken, &g.AskedUserInfo}
}

func (g *sealedGrant) verifiedSets() [2]*[]verifiedSet {
	return [...]*[]verifiedSet{&g.VerifiedIDToken, &g.VerifiedUserInfo}
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
	for i := range g.Claims {
		b = g.Claims[i].appendPacked(b)
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

func (c *claim) appendPacked(b []byte) []byte {
	b = append(pack.AppendString(b, c.name), c.kind)
	switch c.kind {
	case claimBool:
		return pack.AppendBool(b, c.number == 1)
	case claimNumber:
		return pack.AppendInt(b, c.number)
	}
	return pack.AppendString(b, c.text)
}

var errGrantForm = errors.New("oauth: a grant is packed in an unknown form")

// unpack reads what pack wrote.
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
	g.Claims = make(claimList, 0, n)
	for range n {
		c := claim{name: r.String()}
		kind := r.Bytes(1)
		if kind == nil {
			break // the rest is missing
		}
		switch c.kind = kind[0]; c.kind {
		case claimText, claimJSON:
			c.text = r.String()
		case claimBool:
			if r.Bool() {
				c.number = 1
			}
		case claimNumber:
			c.number = r.Int()
		default:
			return errGrantForm
		}
		g.Claims = append(g.Claims, c)
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
