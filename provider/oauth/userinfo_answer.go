package oauth

import (
	"context"
	"net/http"
)

// writeUserInfo answers with claims as the client is registered to have them (OpenID Connect Core, 5.3.2): JSON, a JWT signed
// by us, or either of them encrypted for the client. On an error nothing was written.
func (p *Provider) writeUserInfo(ctx context.Context, w http.ResponseWriter, c *Client, claims []byte) error {
	if c.UserInfoSignedAlg == "" && c.UserInfoEncAlg == "" {
		writeBody(w, http.StatusOK, claims)
		return nil
	}
	token := string(claims)
	var err error
	if c.UserInfoSignedAlg != "" {
		if token, err = p.cfg.Keys.Sign(c.UserInfoSignedAlg, claims); err != nil {
			return err
		}
	}
	if c.UserInfoEncAlg != "" {
		if token, err = p.encrypt(ctx, c, c.UserInfoEncAlg, c.UserInfoEncEnc, token, c.UserInfoSignedAlg != ""); err != nil {
			return err
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/jwt")
	keptByNobody(h, len(token))
	_, _ = w.Write([]byte(token)) // the other side has gone: nobody is left to tell
	return nil
}
