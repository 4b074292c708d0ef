package oauth

import (
	"context"
	"fmt"
	"net/http"
)

// writeUserInfo answers with claims as the client is registered to have them (OpenID Connect Core, 5.3.2): JSON, a JWT signed
// by us, or either of them encrypted for the client. On an error nothing was written.
func (p *Provider) writeUserInfo(ctx context.Context, w http.ResponseWriter, c *Client, claims map[string]any) error {
	media := "application/json"
	if c.UserInfoSignedAlg != "" {
		// For this client alone: a portal that is shown the answer of another one sees it (threat T73).
		claims["iss"], claims["aud"] = p.cfg.Issuer, c.ID
	}
	payload, err := marshalClaims(claims)
	if err != nil {
		return fmt.Errorf("oauth: encoding userinfo: %w", err)
	}
	if c.UserInfoSignedAlg != "" || c.UserInfoEncAlg != "" {
		media = "application/jwt"
		token := string(payload)
		if c.UserInfoSignedAlg != "" {
			if token, err = p.cfg.Keys.Sign(c.UserInfoSignedAlg, payload); err != nil {
				return err
			}
		}
		if c.UserInfoEncAlg != "" {
			if token, err = p.encrypt(ctx, c, c.UserInfoEncAlg, c.UserInfoEncEnc, token, c.UserInfoSignedAlg != ""); err != nil {
				return err
			}
		}
		payload = []byte(token)
	}
	h := w.Header()
	h.Set("Content-Type", media)
	keptByNobody(h, len(payload))
	_, _ = w.Write(payload) // the other side has gone: nobody is left to tell
	return nil
}
