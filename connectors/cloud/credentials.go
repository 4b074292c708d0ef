package cloud

import (
	"context"
	"errors"
	"strconv"

	"brama/connectors"
	"brama/internal/qes"
	"brama/internal/qes/cert"
)

// A credential is a key that can be used, with the certificate that fixes whose signature is taken.
type credential struct {
	ID          string        `json:"id"`
	Certificate []byte        `json:"certificate"`
	Algo        []string      `json:"algo"`
	Auth        authorization `json:"auth"`
}

// maxCredentials bounds the keys of one person that are looked at.
const maxCredentials = 6

// credentials finds the keys of the person, and asks which one if there are several.
func (f *flow) credentials(ctx context.Context, identifier string) (connectors.Step, error) {
	var list struct {
		IDs []string `json:"credentialIDs"`
	}
	in := map[string]any{"maxResults": maxCredentials}
	if identifier != "" {
		in["userID"] = identifier
	}
	if _, err := f.c.post(ctx, f.p, "credentials/list", f.st.Token, in, &list); err != nil {
		var e *apiError
		if errors.As(err, &e) && e.Code == "invalid_request" && !e.serverFault() {
			return nil, f.p.refuse("REMOTE_NO_ACCOUNT", err)
		}
		return nil, f.down(err)
	}
	if len(list.IDs) == 0 {
		return nil, f.p.refuse("REMOTE_NO_ACCOUNT", errors.New("no credential"))
	}
	var why error
	for _, id := range list.IDs[:min(len(list.IDs), maxCredentials)] {
		if !plain(id, 256) {
			return nil, f.down(ErrAnswer)
		}
		k, err := f.credential(ctx, id)
		var refusal *connectors.Refusal
		switch {
		case err == nil:
			f.st.Keys = append(f.st.Keys, k)
		case errors.As(err, &refusal):
			why = refusal
		default:
			return nil, f.down(err)
		}
	}
	switch len(f.st.Keys) {
	case 0:
		return nil, why
	case 1:
		return f.use(ctx)
	}
	f.st.Stage = stageChoose
	d := f.c.pageData()
	d.Provider = f.p.ID
	for i := range f.st.Keys {
		c, err := cert.Parse(f.st.Keys[i].Certificate)
		if err != nil {
			return nil, f.down(err)
		}
		s, err := c.Subject()
		if err != nil {
			return nil, connectors.Retry(string(qes.CertIdentifiersDisagree), err)
		}
		d.Keys = append(d.Keys, Key{Value: strconv.Itoa(i), Name: s.CommonName, Organization: s.Organization, Title: s.Title,
			Issuer: c.IssuerName(), NotAfter: c.NotAfter})
	}
	return connectors.Page{Name: "cloud", Data: d, State: f.st.bytes()}, nil
}

// credential reads one key. A *connectors.Refusal says why it cannot be used.
func (f *flow) credential(ctx context.Context, id string) (credential, error) {
	var a credentialAnswer
	in := map[string]any{"credentialID": id, "certificates": "single", "certInfo": true, "authInfo": true}
	if _, err := f.c.post(ctx, f.p, "credentials/info", f.st.Token, in, &a); err != nil {
		return credential{}, err
	}
	auth, err := a.authorization(f.p.Kind)
	switch {
	case errors.Is(err, errSCAL):
		return credential{}, f.p.unsuitable("scal", err)
	case errors.Is(err, errPIN):
		return credential{}, f.p.unsuitable("pin", err)
	case errors.Is(err, errDisabled):
		return credential{}, f.p.refuse("REMOTE_NO_ACCOUNT", err)
	case err != nil:
		return credential{}, f.p.unsuitable("mode", err)
	case len(a.Cert.Certificates) == 0, len(a.Key.Algo) > 32:
		return credential{}, ErrAnswer
	}
	der, err := decode64(a.Cert.Certificates[0], 16<<10)
	if err != nil {
		return credential{}, err
	}
	c, err := cert.Parse(der)
	if err != nil {
		return credential{}, err
	}
	// What a telephone would be asked for in vain is refused here already; package qes decides all the same.
	switch c.Kind() {
	case cert.KindPerson, cert.KindEmployee, cert.KindEntrepreneur:
	case cert.KindSeal:
		return credential{}, connectors.Retry(string(qes.CertSeal), nil)
	default:
		return credential{}, connectors.Retry(string(qes.CertUsage), nil)
	}
	if _, err := newRemote(c, a.Key.Algo); err != nil {
		return credential{}, f.p.unsuitable("keyalgorithm", err)
	}
	return credential{ID: id, Certificate: der, Algo: a.Key.Algo, Auth: auth}, nil
}
