package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/ory/fosite"

	"brama/storage"
)

// A unit is the work of one request on the store. fosite calls its storage a dozen times an exchange; here reads are made
// once and kept, writes and their preconditions are collected, and commit is one Store.Update that checks and applies them
// all: one sync of the disk a request, all or nothing. It lives in the context of the request and in one goroutine.
type unit struct {
	client *fositeClient

	// An authorization: the grant that will be.
	draft  *storage.Grant
	claims *sealedGrant

	// An exchange: the grant as it was seen, and the token that will be.
	seen    *storage.Grant
	request *fosite.Request
	spend   bool
	access  *storage.AccessToken
}

type unitKey struct{}

func withUnit(ctx context.Context, u *unit) context.Context {
	return context.WithValue(ctx, unitKey{}, u)
}

func unitOf(ctx context.Context) (*unit, error) {
	u, ok := ctx.Value(unitKey{}).(*unit)
	if !ok {
		return nil, errors.New("oauth: internal error: request without a unit of work")
	}
	return u, nil
}

// commit writes what the unit collected. storage.ErrConflict says that another request was faster.
func (p *Provider) commit(ctx context.Context, u *unit) error {
	if u.draft != nil {
		sealed, err := p.sealGrant(u.draft.ID, u.claims)
		if err != nil {
			return err
		}
		u.draft.Sealed = sealed
	}
	return p.cfg.Store.Update(ctx, func(tx storage.Tx) error {
		if u.draft != nil {
			if err := storage.InsertGrant(tx, *u.draft); err != nil {
				return err
			}
		}
		if u.access == nil {
			return nil
		}
		if !u.spend {
			return errors.New("oauth: internal error: token without a spent code")
		}
		if err := storage.SpendGrant(tx, *u.seen, p.cfg.Now(), u.access.Expires); err != nil {
			return err
		}
		return storage.InsertAccessToken(tx, *u.access)
	})
}

// A sealedGrant is what a grant says of the person. It is sealed in the store for its grant alone.
type sealedGrant struct {
	Subject  string         `json:"sub"`
	Nonce    string         `json:"nonce,omitempty"`
	SID      string         `json:"sid,omitempty"`
	AuthTime time.Time      `json:"auth_time"`
	ACR      string         `json:"acr,omitempty"`
	AMR      []string       `json:"amr,omitempty"`
	Claims   map[string]any `json:"claims"`
}

func (p *Provider) sealGrant(id string, c *sealedGrant) ([]byte, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("oauth: encoding a grant: %w", err)
	}
	return p.cfg.Sealer.Seal("grant:"+id, plain), nil
}

func (p *Provider) openGrant(g *storage.Grant) (*sealedGrant, error) {
	plain, err := p.cfg.Sealer.Open("grant:"+g.ID, g.Sealed)
	if err != nil {
		return nil, fmt.Errorf("oauth: opening a grant: %w", err)
	}
	c := &sealedGrant{}
	if err := json.Unmarshal(plain, c); err != nil {
		return nil, fmt.Errorf("oauth: decoding a grant: %w", err)
	}
	return c, nil
}

// loadGrant reads a grant into the unit, once. storage.ErrNotFound.
func (p *Provider) loadGrant(ctx context.Context, u *unit, id string) error {
	if u.seen != nil {
		if u.seen.ID != id {
			return errors.New("oauth: internal error: two codes in one request")
		}
		return nil
	}
	var g storage.Grant
	if err := p.cfg.Store.View(ctx, func(tx storage.Tx) error {
		var err error
		g, err = storage.GetGrant(tx, id)
		return err
	}); err != nil {
		return err
	}
	claims, err := p.openGrant(&g)
	if err != nil {
		return err
	}
	session := newTokenSession(claims, u.client.idTokenAlg(), g.RequestedAt)
	session.SetExpiresAt(fosite.AuthorizeCode, p.fositeTime(g.CodeExpires))
	u.seen = &g
	u.request = &fosite.Request{
		ID:             g.ID,
		RequestedAt:    g.RequestedAt,
		Client:         &fositeClient{Client: Client{ID: g.Client}, redirectURI: g.RedirectURI},
		RequestedScope: g.Scopes,
		GrantedScope:   g.Scopes,
		Form:           grantForm(&g, claims),
		Session:        session,
	}
	if g.Client == u.client.ID {
		u.request.Client = u.client
	}
	return nil
}

// grantForm returns the parameters of the authorization request that fosite wants to see again at the token endpoint.
func grantForm(g *storage.Grant, c *sealedGrant) url.Values {
	f := url.Values{"redirect_uri": {g.RedirectURI}}
	if c.Nonce != "" {
		f.Set("nonce", c.Nonce)
	}
	if g.Challenge != "" {
		f.Set("code_challenge", g.Challenge)
		f.Set("code_challenge_method", "S256")
	}
	return f
}
