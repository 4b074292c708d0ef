package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brama/storage"
)

// A unit is the work of one authorization on the store. fosite calls its storage several times; here what it writes is
// collected, and commit is one Store.Update: one sync of the disk a request, all or nothing. It lives in the context of the
// request and in one goroutine.
type unit struct {
	client *fositeClient

	// An authorization: the grant that will be.
	draft    *storage.Grant
	claims   *sealedGrant
	pushed   string                 // handle of the pushed request that is spent with it; may be empty
	together func(storage.Tx) error // of the Subject; may be nil
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
		if u.draft == nil {
			return nil
		}
		if u.together != nil {
			if err := u.together(tx); err != nil {
				return fmt.Errorf("%w: %w", ErrTogether, err)
			}
		}
		if u.pushed != "" {
			if err := storage.SpendPushed(tx, storage.HashSecret(u.pushed), u.draft.Client, p.cfg.Now()); err != nil {
				return err
			}
		}
		return storage.InsertGrant(tx, *u.draft)
	})
}

// A sealedGrant is what a grant says of the person. It is sealed in the store for its grant alone.
type sealedGrant struct {
	Subject  string
	Nonce    string
	SID      string
	AuthTime time.Time
	ACR      string
	Level    string // of the login; acr is less where the request named a lower one
	AMR      []string
	Status   *grantStatus
	Claims   claimList // what tokens may say of the person; see release
	// What the claims parameter asks for at each place, beyond the scopes.
	AskedIDToken     []string
	AskedUserInfo    []string
	VerifiedIDToken  []verifiedSet
	VerifiedUserInfo []verifiedSet
}

func (p *Provider) sealGrant(id string, c *sealedGrant) ([]byte, error) {
	plain, err := c.pack()
	if err != nil {
		return nil, err
	}
	return p.cfg.Sealer.Seal("grant:"+id, plain), nil
}

func (p *Provider) openGrant(g *storage.Grant) (*sealedGrant, error) {
	plain, err := p.cfg.Sealer.Open("grant:"+g.ID, g.Sealed)
	if err != nil {
		return nil, fmt.Errorf("oauth: opening a grant: %w", err)
	}
	c := &sealedGrant{}
	return c, c.unpack(plain)
}
