package provider

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"brama/internal/fetch"
	"brama/provider/backchannel"
	"brama/provider/oauth"
)

// newSender makes the part that tells portals of the end of sessions; nil if no portal can be reached.
func (p *Provider) newSender(engine *oauth.Provider) (*backchannel.Sender, error) {
	if p.cfg.Fetch == nil {
		return nil, nil //nolint:nilnil // nothing is sent then
	}
	return backchannel.New(backchannel.Config{
		Store: p.cfg.Store, Audit: p.cfg.Audit, Log: p.cfg.Log, Now: p.cfg.Now,
		Tokens: func(ctx context.Context, client, person, sid string) (string, string, error) {
			uri, token, err := engine.LogoutToken(ctx, client, person, sid)
			if errors.Is(err, oauth.ErrNoLogout) {
				err = backchannel.ErrNobody
			}
			return uri, token, err
		},
		Post: func(ctx context.Context, uri, token string) (int, error) {
			answer, err := p.cfg.Fetch(ctx, fetch.Request{
				URL: uri, ContentType: "application/x-www-form-urlencoded", Body: []byte(url.Values{"logout_token": {token}}.Encode()),
				PlainHTTP: strings.HasPrefix(uri, "http://"), // registered on this computer only, and fetch reaches that in dev alone
			})
			if err != nil {
				return 0, err
			}
			return answer.Status, nil
		},
	})
}
