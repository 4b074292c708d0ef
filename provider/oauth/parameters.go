package oauth

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"unicode"
)

// What an authorization request may ask for.
var (
	prompts = []string{"none", "login", "consent", "select_account", "create"}
	acrs    = []string{"low", "substantial", "high"}
)

const (
	minNonce = 8 // a shorter one could be guessed
	maxNonce = 1 << 10
	maxState = 4 << 10
	maxHint  = 512
	// statePlaceholder stands for an absent state before fosite, which knows no way to do without.
	statePlaceholder = "absent-state"
)

// PurposeLink is the purpose of a request whose portal wants the signature linked to an account that it has.
const PurposeLink = "link"

func invalidRequest(description string) *Error {
	return &Error{Code: "invalid_request", Description: description, Status: 400}
}

// readRequest fills req from form. Errors go back to the client.
func (p *Provider) readRequest(req *AuthorizeRequest, c *Client, form url.Values) error {
	if duplicated(form) != "" {
		return invalidRequest("a parameter stands twice")
	}
	if len(form.Get("state")) > maxState {
		return invalidRequest("state is too long")
	}
	for _, name := range []string{"request_uri", "registration"} {
		if form.Get(name) != "" {
			return &Error{Code: name + "_not_supported", Description: name + " is not supported", Status: 400}
		}
	}
	if !c.SignsIn() {
		return &Error{Code: "unauthorized_client", Description: "the client is not registered for sign-in", Status: 400}
	}
	kind, proof := form.Get("response_type"), checkProof
	switch {
	case kind == "code" && c.Allows(GrantCode):
	case kind == "code":
		return &Error{Code: "unauthorized_client", Description: "the client is not registered for codes", Status: 400}
	case kind == "":
		return invalidRequest("response_type is missing")
	case p.cfg.implicit() && isImplicit(kind):
		req.ResponseType, proof = canonicalType(kind), readImplicit
	default:
		return &Error{Code: "unsupported_response_type", Description: "only response_type code is supported", Status: 400}
	}
	for _, read := range []func(*AuthorizeRequest, *Client, url.Values) error{
		readScopes, proof, readPrompt, readHints, p.readIDTokenHint, readClaimsParameter, readACR,
	} {
		if err := read(req, c, form); err != nil {
			return err
		}
	}
	req.Nonce, req.Challenge = form.Get("nonce"), form.Get("code_challenge")
	return nil
}

// readScopes ignores values that nobody knows (OpenID Connect Core 3.1.2.1) and refuses those that this client may not ask.
func readScopes(req *AuthorizeRequest, c *Client, form url.Values) error {
	for _, s := range words(form.Get("scope")) {
		if slices.Contains(req.Scopes, s) {
			continue
		}
		if s == scopeOffline && c.offline(words(form.Get("prompt"))) {
			req.Scopes = append(req.Scopes, s)
			continue
		}
		if !slices.Contains(scopes, s) {
			continue
		}
		if !slices.Contains(c.allowedScopes(), s) {
			return &Error{Code: "invalid_scope", Description: "a scope is not registered for the client", Status: 400}
		}
		req.Scopes = append(req.Scopes, s)
	}
	if !slices.Contains(req.Scopes, "openid") {
		return &Error{Code: "invalid_scope", Description: "scope openid is missing", Status: 400}
	}
	return nil
}

// checkProof holds the rules of PKCE and nonce: S256 from everybody; a confidential client registered PKCEOptional may
// send a nonce instead, and one that is NonceOptional too may send neither.
func checkProof(_ *AuthorizeRequest, c *Client, form url.Values) error {
	if n := len(form.Get("nonce")); n != 0 && n < minNonce || n > maxNonce {
		return invalidRequest("nonce has less than 8 or more than 1024 characters")
	}
	challenge, method := form.Get("code_challenge"), form.Get("code_challenge_method")
	if challenge != "" || method != "" {
		switch {
		case method != "S256":
			return invalidRequest("code_challenge_method is not S256")
		case !validChallenge(challenge):
			return invalidRequest("code_challenge is not the S256 of a verifier")
		}
		return nil
	}
	switch {
	case !c.PKCEOptional || c.Public():
		return invalidRequest("code_challenge is missing")
	case form.Get("nonce") == "" && !c.NonceOptional:
		return invalidRequest("nonce is missing, and so is code_challenge")
	}
	return nil
}

// readPrompt reads prompt, max_age and purpose. max_age=0 is prompt=login (fosite ignores it), anything but a number is an
// error (fosite ignores that too).
func readPrompt(req *AuthorizeRequest, c *Client, form url.Values) error {
	for _, v := range words(form.Get("prompt")) {
		if !slices.Contains(prompts, v) {
			return invalidRequest("prompt has an unknown value")
		}
		if !slices.Contains(req.Prompt, v) {
			req.Prompt = append(req.Prompt, v)
		}
	}
	if slices.Contains(req.Prompt, "none") && len(req.Prompt) > 1 {
		return invalidRequest("prompt has none beside other values")
	}
	if form.Get("max_age") != "" {
		age, err := strconv.ParseUint(form.Get("max_age"), 10, 31)
		if err != nil {
			return invalidRequest("max_age is not a number of seconds")
		}
		seconds := int(age)
		req.MaxAge = &seconds
	}
	if form.Get("max_age") == "" && c.DefaultMaxAge != nil {
		seconds := *c.DefaultMaxAge
		req.MaxAge = &seconds
	}
	fresh := req.MaxAge != nil && *req.MaxAge == 0
	// Other values of purpose are texts of OpenID Connect for Identity Assurance, which we do not show.
	if form.Get("purpose") == PurposeLink {
		if slices.Contains(req.Prompt, "none") {
			return invalidRequest("purpose link needs the person, prompt none forbids it")
		}
		// Who linked with a session of somebody else would give away his account (threat T75).
		req.Purpose, fresh = PurposeLink, true
	}
	if fresh && !slices.Contains(req.Prompt, "login") && !slices.Contains(req.Prompt, "none") {
		req.Prompt = append(req.Prompt, "login")
	}
	return nil
}

// readHints reads what the portal says of the person and of the page. Unknown languages are ignored, and so is display:
// there is one page for every screen (OpenID Connect Core 3.1.2.1).
func readHints(req *AuthorizeRequest, _ *Client, form url.Values) error {
	// They travel with the login through the browser.
	for _, name := range []string{"acr_values", "ui_locales", "idp_hint", "login_hint", "account_hint"} {
		if len(form.Get(name)) > maxHint {
			return invalidRequest(name + " is too long")
		}
	}
	req.UILocales = words(form.Get("ui_locales"))
	req.IDPHint = form.Get("idp_hint")
	var err error
	if req.LoginHint, err = readShown(form.Get("login_hint")); err != nil {
		return invalidRequest("login_hint has a character that cannot be shown")
	}
	if req.Purpose == PurposeLink {
		if req.AccountHint, err = readShown(form.Get("account_hint")); err != nil {
			return invalidRequest("account_hint has a character that cannot be shown")
		}
	}
	if jkt := form.Get("dpop_jkt"); jkt != "" {
		if !validChallenge(jkt) { // a SHA-256 in base64url too
			return invalidRequest("dpop_jkt is not the thumbprint of a key")
		}
		req.DPoPJKT = jkt
	}
	return nil
}

// readShown lets through the portal's words that a page may show: no line ends, no marks that turn the direction of a
// text, no other invisible characters (threat T99).
func readShown(s string) (string, error) {
	for _, r := range s {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return "", errors.New("oauth: a character that cannot be shown")
		}
	}
	return s, nil
}

// readIDTokenHint turns id_token_hint into the subject that the answer must have.
func (p *Provider) readIDTokenHint(req *AuthorizeRequest, c *Client, form url.Values) error {
	token := form.Get("id_token_hint")
	if token == "" {
		return nil
	}
	hint, err := p.ReadHint(token, c.ID)
	if err != nil {
		return invalidRequest(err.Error())
	}
	req.HintSubject, req.HintSID = hint.Subject, hint.SID
	return nil
}

// readClaimsParameter reads claims; a value asked for sub is a hint of the subject (OpenID Connect Core 3.1.2.2).
func readClaimsParameter(req *AuthorizeRequest, _ *Client, form url.Values) error {
	if form.Get("claims") == "" {
		return nil
	}
	var err error
	if req.Claims, err = readClaims(form.Get("claims")); err != nil {
		return invalidRequest(err.Error())
	}
	if req.Claims == nil {
		return nil
	}
	for _, set := range []*ClaimSet{&req.Claims.IDToken, &req.Claims.UserInfo} {
		subs := set.wantedStrings("sub")
		if len(subs) == 0 {
			continue
		}
		if len(subs) > 1 || req.HintSubject != "" && req.HintSubject != subs[0] {
			return invalidRequest("the request names two subjects")
		}
		req.HintSubject = subs[0]
	}
	return nil
}

// readACR reads acr_values, or the stricter wish for acr in claims (OpenID Connect Core 5.5.1.1), or what is registered.
func readACR(req *AuthorizeRequest, c *Client, form url.Values) error {
	req.ACRValues = words(form.Get("acr_values"))
	var wanted []string
	if req.Claims != nil {
		wanted = req.Claims.IDToken.wantedStrings("acr")
	}
	if len(wanted) == 0 {
		if len(req.ACRValues) == 0 {
			req.ACRValues = c.DefaultACR
		}
		return nil
	}
	req.ACRValues, req.ACREssential = wanted, req.Claims.IDToken.Claims["acr"].Essential
	if req.ACREssential && !slices.ContainsFunc(wanted, func(v string) bool { return slices.Contains(acrs, v) }) {
		return errUnmet()
	}
	return nil
}

func errUnmet() *Error {
	return &Error{Code: "unmet_authentication_requirements", Description: "the level that was asked for is not met", Status: 400}
}

// assuredACR is the acr that the answer names for a login of level actual. Levels include one another: an essential lower
// one is met by a higher, and is then what the answer says, as it must name a value that was asked for. It never says more
// than the login gave (threat T33).
func assuredACR(req *AuthorizeRequest, actual string) (string, error) {
	if !req.ACREssential || slices.Contains(req.ACRValues, actual) {
		return actual, nil
	}
	for i := slices.Index(acrs, actual) - 1; i >= 0; i-- {
		if slices.Contains(req.ACRValues, acrs[i]) {
			return acrs[i], nil
		}
	}
	return "", redirectError(errUnmet())
}
