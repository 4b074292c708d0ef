package oauth

import "net/http"

// crossOrigin lets scripts of other origins read the answer of an endpoint where the browser's cookies count for nothing:
// applications in the browser are public clients (RFC 9700, 2.6; draft-ietf-oauth-browser-based-apps). The right to anything
// is in the token, code or proof that a script has, so that no origin needs a name here. It reports whether the request was
// a preflight and is answered.
func crossOrigin(w http.ResponseWriter, r *http.Request, methods string) bool {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*") // never with Allow-Credentials
	h.Set("Access-Control-Expose-Headers", "DPoP-Nonce, WWW-Authenticate")
	if r.Method != http.MethodOptions {
		return false
	}
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
	h.Set("Access-Control-Max-Age", "7200") // seconds
	w.WriteHeader(http.StatusNoContent)
	return true
}
