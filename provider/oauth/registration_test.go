package oauth

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/ory/fosite"
)

// A registration can say everything that a Client holds, so that no field is for one kind of file alone.
func TestRegistrationSaysEverything(t *testing.T) {
	r := &Registration{}
	fill(t, reflect.ValueOf(r).Elem())
	r.ResponseTypes, r.ApplicationType, r.PKCE, r.Nonce = []string{"code"}, "native", "optional", "optional"
	r.RequestObjectEncAlg, r.RequestObjectEncEnc, r.AuthorizationEncAlg, r.AuthorizationEncEnc = "", "", "", ""
	r.SecretSHA256 = ""
	// What is written and read again is the same.
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseRegistration(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r, again) {
		t.Errorf("%+v\nread again\n%+v", r, again)
	}
	c, err := again.Client()
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		if v.Field(i).IsZero() && v.Type().Field(i).IsExported() && v.Type().Field(i).Name != "Logo" { // a file, which the configuration alone can name
			t.Errorf("no registration can set Client.%s", v.Type().Field(i).Name)
		}
	}
}

// fill gives every field a value.
func fill(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			v.SetBytes([]byte(`{"keys":[]}`))
			return
		}
		v.Set(reflect.ValueOf([]string{"x"}))
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		one := reflect.New(v.Type().Elem()).Elem()
		fill(t, one)
		m.SetMapIndex(reflect.ValueOf("x"), one)
		v.Set(m)
	default:
		t.Fatalf("%v is not known here", v.Type())
	}
}

// What cannot work with a provider as it is configured is found at its start, not by the first person.
func TestClientIsOffered(t *testing.T) {
	f := newFixture(t, memStore(t))
	for name, c := range map[string]Client{"certificate": tlsPortal(), "remote keys": remoteClient(t), "bound": {CertificateBound: true}} {
		if f.p.Offers(&c) == nil {
			t.Errorf("%s: offered", name)
		}
	}
	c := portal()
	if err := f.p.Offers(&c); err != nil {
		t.Error(err)
	}
}

// T86: fosite knows of no address of a client, so that it can ask none.
func TestFositeFetchesNothing(t *testing.T) {
	var c any = &fositeClient{Client: new(remoteClient(t))}
	if _, ok := c.(fosite.OpenIDConnectClient); ok {
		t.Error("fosite sees jwks_uri and request_uris")
	}
}

// Every rule of Validate refuses what it is for.
func TestClientRules(t *testing.T) {
	ks := clientKeys()
	set := keySetOf(t, ks["ES256"].public())
	jwt := func(c *Client) { c.SecretHash, c.AuthMethod, c.JWKS = nil, AuthPrivateKeyJWT, set }
	fapi := func(c *Client) { jwt(c); c.Profile, c.DPoPBound = ProfileFAPI2, true }
	none := func(c *Client) { c.SecretHash, c.AuthMethod = nil, AuthNone }
	bad := -1
	for name, change := range map[string][]func(*Client){
		"tls without a name":          {func(c *Client) { c.SecretHash, c.AuthMethod = nil, AuthTLS }},
		"tls with two names":          {func(c *Client) { c.SecretHash, c.AuthMethod, c.TLSSANDNS, c.TLSSANIP = nil, AuthTLS, "a.ua", "::1" }},
		"tls with a bad name":         {func(c *Client) { c.SecretHash, c.AuthMethod, c.TLSSubjectDN = nil, AuthTLS, "a" }},
		"tls with a bad address":      {func(c *Client) { c.SecretHash, c.AuthMethod, c.TLSSANIP = nil, AuthTLS, "a.ua" }},
		"name without tls":            {func(c *Client) { c.TLSSANDNS = "a.ua" }},
		"self-signed without keys":    {func(c *Client) { c.SecretHash, c.AuthMethod = nil, AuthSelfSignedTLS }},
		"assertion with a secret":     {func(c *Client) { c.AuthMethod, c.JWKS = AuthPrivateKeyJWT, set }},
		"unknown assertion algorithm": {jwt, func(c *Client) { c.AuthAlg = "HS256" }},
		"algorithm of a secret":       {func(c *Client) { c.AuthAlg = "ES256" }},
		"keys twice":                  {jwt, func(c *Client) { c.JWKSURI = testJWKSURI }},
		"audience of a secret":        {func(c *Client) { c.AssertionAudience = AudienceTokenEndpoint }},
		"audience of FAPI":            {fapi, func(c *Client) { c.AssertionAudience = AudienceTokenEndpoint }},
		"unknown audience":            {jwt, func(c *Client) { c.AssertionAudience = "any" }},
		"unknown grant":               {func(c *Client) { c.GrantTypes = []string{"password"} }},
		"refresh alone":               {func(c *Client) { c.GrantTypes = []string{GrantRefreshToken} }},
		"public machine":              {none, func(c *Client) { c.GrantTypes = []string{GrantCode, GrantClientCredentials} }},
		"public introspection":        {none, func(c *Client) { c.IntrospectionRight = true }},
		"API scopes without grant":    {func(c *Client) { c.APIScopes = []string{"read"} }},
		"API scope of ours": {func(c *Client) {
			c.GrantTypes, c.APIScopes = []string{GrantCode, GrantClientCredentials}, []string{"openid"}
		}},
		"API scope with a space": {func(c *Client) {
			c.GrantTypes, c.APIScopes = []string{GrantCode, GrantClientCredentials}, []string{"a b"}
		}},
		"both bindings":              {func(c *Client) { c.DPoPBound, c.CertificateBound = true, true }},
		"unknown profile":            {func(c *Client) { c.Profile = "fapi3" }},
		"FAPI with a secret":         {func(c *Client) { c.Profile, c.DPoPBound = ProfileFAPI2, true }},
		"FAPI without binding":       {jwt, func(c *Client) { c.Profile = ProfileFAPI2 }},
		"FAPI without PKCE":          {fapi, func(c *Client) { c.PKCEOptional = true }},
		"FAPI with RS256":            {fapi, func(c *Client) { c.IDTokenAlg = "RS256" }},
		"FAPI over http":             {fapi, func(c *Client) { c.RedirectURIs = []string{"http://127.0.0.1/cb"} }},
		"signed requests, no keys":   {func(c *Client) { c.RequireSignedRequest = true }},
		"encryption, no keys":        {func(c *Client) { c.IDTokenEncAlg = "ECDH-ES" }},
		"symmetric encryption":       {jwt, func(c *Client) { c.IDTokenEncAlg = "dir" }},
		"RSA1_5":                     {jwt, func(c *Client) { c.UserInfoEncAlg = "RSA1_5" }},
		"content encryption alone":   {jwt, func(c *Client) { c.IDTokenEncEnc = "A128GCM" }},
		"unknown content encryption": {jwt, func(c *Client) { c.IDTokenEncAlg, c.IDTokenEncEnc = "ECDH-ES", "X" }},
		"logout session, no address": {func(c *Client) { c.BackchannelSessionRequired = true }},
		"front-channel elsewhere":    {func(c *Client) { c.FrontchannelLogoutURI = "https://other.example.ua/" }},
		"logout over http":           {func(c *Client) { c.BackchannelLogoutURI = "http://portal.example.ua/" }},
		"sector over http":           {func(c *Client) { c.SectorIdentifierURI = "http://portal.example.ua/" }},
		"two sectors":                {func(c *Client) { c.SectorIdentifierURI, c.Sector = "https://a.ua/", "portal.example.ua" }},
		"negative age":               {func(c *Client) { c.DefaultMaxAge = &bad }},
		"unknown least level":        {func(c *Client) { c.MinLevel = "highest" }},
		"unknown level":              {func(c *Client) { c.DefaultACR = []string{"highest"} }},
		"unknown consent":            {func(c *Client) { c.Consent = "ask" }},
		"unknown language":           {func(c *Client) { c.Purpose = map[string]string{"xx": "a"} }},
		"line in a purpose":          {func(c *Client) { c.Purpose = map[string]string{"uk": "a\nb"} }},
		"direction mark in a label":  {func(c *Client) { c.Labels = map[string]map[string]string{"uk": {"a": "b\u202ec"}} }},
		"strange label key":          {func(c *Client) { c.Labels = map[string]map[string]string{"uk": {"a b": "c"}} }},
		"strange group":              {func(c *Client) { c.SSOGroup = "a b" }},
		"strange notice version":     {func(c *Client) { c.NoticeVersion = "a b" }},
		"contact with a line":        {func(c *Client) { c.Contacts = []string{"a\r\nb"} }},
	} {
		c := portal()
		for _, f := range change {
			f(&c)
		}
		if c.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, change := range map[string]func(*Client){
		"plain": func(*Client) {}, "jwt": jwt, "fapi": fapi, "none": none,
		"message signing": func(c *Client) { fapi(c); c.Profile = ProfileFAPI2MessageSigning },
		"machine": func(c *Client) {
			c.GrantTypes, c.RedirectURIs, c.APIScopes = []string{GrantClientCredentials}, nil, []string{"read"}
		},
	} {
		c := portal()
		change(&c)
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "message signing" && !(c.FAPI() && c.NeedsPAR() && c.NeedsSignedRequest()) {
			t.Error("a profile implies PAR and signed requests")
		}
		if name == "none" && !slices.Equal([]bool{c.Public(), c.Allows(GrantCode), c.Allows(GrantRefreshToken)}, []bool{true, true, false}) {
			t.Error("a public client with the code alone")
		}
	}
}
