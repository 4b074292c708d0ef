package oauth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	josejson "github.com/go-jose/go-jose/v4/json"

	"brama/storage"
)

// ManageClient is the configuration endpoint of one registered client (RFC 7592, 2): GET reads, PUT replaces, DELETE ends the
// registration. The registration access token of that client opens it and no other.
func (p *Provider) ManageClient(w http.ResponseWriter, r *http.Request, id string) {
	var answer *registered
	c, token, err := p.managed(r, id)
	if err == nil {
		switch r.Method {
		case http.MethodGet:
			answer, err = p.readClient(r.Context(), c, token)
		case http.MethodPut:
			answer, err = p.replaceClient(r, c)
		case http.MethodDelete:
			err = p.deleteClient(r.Context(), c)
		default:
			w.Header().Set("Allow", "GET, PUT, DELETE")
			err = &Error{Code: "invalid_request", Status: http.StatusMethodNotAllowed}
		}
	}
	switch {
	case err != nil:
		p.refuseRegistration(w, r, "management of a client refused", err)
	case answer == nil:
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
	default:
		writeJSON(w, http.StatusOK, answer)
	}
}

// managed returns the client whose registration access token the request brings. A client that is not there and a token of
// another are one answer (RFC 7592, 2.1).
func (p *Provider) managed(r *http.Request, id string) (*storage.RegisteredClient, string, error) {
	token, ok := bearerToken(r)
	if !ok || !validID(id) {
		return nil, "", errBadToken
	}
	var c storage.RegisteredClient
	err := p.cfg.Store.View(r.Context(), func(tx storage.Tx) error {
		var err error
		c, err = storage.GetClient(tx, id)
		return err
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil, "", errBadToken
	}
	if err != nil {
		return nil, "", err
	}
	hash := HashSecret(token)
	if subtle.ConstantTimeCompare(hash, c.Token)|subtle.ConstantTimeCompare(hash, c.OldToken) != 1 {
		return nil, "", errBadToken
	}
	return &c, token, nil
}

// readClient answers with what is registered. The secret is not there any more: of it we have the hash. The new token of a
// change has come to the client if the client uses it, so that the old one ends.
func (p *Provider) readClient(ctx context.Context, c *storage.RegisteredClient, token string) (*registered, error) {
	m, err := ParseRegistration(c.Metadata)
	if err != nil {
		return nil, fmt.Errorf("oauth: internal error: stored registration: %w", notClients(err))
	}
	if len(c.OldToken) != 0 && subtle.ConstantTimeCompare(HashSecret(token), c.Token) == 1 {
		changed := *c
		changed.OldToken = nil
		err := p.cfg.Store.Update(ctx, func(tx storage.Tx) error { return storage.ReplaceClient(tx, changed) })
		if err != nil && !errors.Is(err, storage.ErrConflict) { // another request changes it: the next one will do this
			return nil, err
		}
	}
	return p.registeredAnswer(m, c, token), nil
}

// notClients hides that err is of the kind that a client hears.
func notClients(err error) error { return errors.New(err.Error()) }

// replaceClient replaces everything that the client said of itself (RFC 7592, 2.2), and its token.
func (p *Provider) replaceClient(r *http.Request, c *storage.RegisteredClient) (*registered, error) {
	m, err := readReplacement(r, c)
	if err != nil {
		return nil, err
	}
	secret, hash, err := p.admit(r.Context(), m, c)
	if err != nil {
		return nil, err
	}
	token := newSecret()
	changed := *c
	changed.Secret, changed.OldToken, changed.Token = hash, c.Token, HashSecret(token)
	if len(c.OldToken) != 0 {
		// The token before last may still be the one that the client has.
		if given, _ := bearerToken(r); subtle.ConstantTimeCompare(HashSecret(given), c.OldToken) == 1 {
			changed.OldToken = c.OldToken
		}
	}
	if changed.Metadata, err = json.Marshal(m); err != nil {
		return nil, err
	}
	if err := p.auditClient(r.Context(), "client.changed", c.ID); err != nil {
		return nil, err
	}
	if err := p.cfg.Store.Update(r.Context(), func(tx storage.Tx) error { return storage.ReplaceClient(tx, changed) }); err != nil {
		return nil, err
	}
	p.forgetOrigins()
	m.ClientSecret = secret
	return p.registeredAnswer(m, &changed, token), nil
}

// readReplacement reads the body of a PUT: it names the client, may repeat its secret, and has none of what only we say.
func readReplacement(r *http.Request, c *storage.RegisteredClient) (*Registration, error) {
	m, raw, err := readRegistration(r)
	if err != nil {
		return nil, err
	}
	var members map[string]josejson.RawMessage
	if err := josejson.Unmarshal(raw, &members); err != nil {
		return nil, faulty("registration is not a JSON object")
	}
	for _, ours := range []string{"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"} {
		if _, ok := members[ours]; ok {
			return nil, faulty("%s is not for the client to say", ours)
		}
	}
	if m.ClientID != c.ID {
		return nil, faulty("client_id is not that of the client")
	}
	if m.ClientSecret != "" && (len(c.Secret) == 0 || subtle.ConstantTimeCompare(HashSecret(m.ClientSecret), c.Secret) != 1) {
		return nil, faulty("client_secret is not that of the client")
	}
	m.ClientSecret = ""
	return m, nil
}

// deleteClient ends a registration (RFC 7592, 2.3). What was given to the client ends with it: whoever uses it must be a
// client that is there.
func (p *Provider) deleteClient(ctx context.Context, c *storage.RegisteredClient) error {
	if err := p.auditClient(ctx, "client.deleted", c.ID); err != nil {
		return err
	}
	defer p.forgetOrigins()
	return p.cfg.Store.Update(ctx, func(tx storage.Tx) error { return storage.DeleteClient(tx, *c) })
}

// registeredClients are the clients that registered themselves, behind those of the configuration.
type registeredClients struct {
	fixed   Clients
	store   storage.Store
	origins knownOrigins
}

var _ Clients = (*registeredClients)(nil)

// Client implements Clients. No client that registered itself can take the place of one of the configuration.
func (r *registeredClients) Client(ctx context.Context, id string) (*Client, error) {
	c, err := r.fixed.Client(ctx, id)
	if !errors.Is(err, ErrUnknownClient) || !validID(id) {
		return c, err
	}
	var stored storage.RegisteredClient
	err = r.store.View(ctx, func(tx storage.Tx) error {
		var err error
		stored, err = storage.GetClient(tx, id)
		return err
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil, ErrUnknownClient
	}
	if err != nil {
		return nil, err
	}
	m, err := ParseRegistration(stored.Metadata)
	if err != nil {
		return nil, fmt.Errorf("oauth: registered client %s: %w", id, err)
	}
	one, err := m.Client()
	if err != nil {
		return nil, fmt.Errorf("oauth: registered client %s: %w", id, err)
	}
	one.ID, one.SecretHash = stored.ID, stored.Secret
	return &one, nil
}

// used notes that a client proved itself, once a day: one that nobody uses goes (see RegistrationConfig.Unused and Idle).
func (p *Provider) used(ctx context.Context, id string) error {
	if p.cfg.Registration == nil {
		return nil
	}
	if c, err := p.fixed.Client(ctx, id); err == nil && c.ID == id {
		return nil
	}
	day := p.cfg.Now().UTC().Truncate(24 * time.Hour)
	var c storage.RegisteredClient
	err := p.cfg.Store.View(ctx, func(tx storage.Tx) error {
		var err error
		c, err = storage.GetClient(tx, id)
		return err
	})
	if errors.Is(err, storage.ErrNotFound) {
		return errUnproven(err) // it was deleted this moment
	}
	if err != nil || !c.Used.Before(day) {
		return err
	}
	c.Used, c.Expires = day, p.cfg.Now().Add(p.cfg.Registration.Idle)
	err = p.cfg.Store.Update(ctx, func(tx storage.Tx) error { return storage.ReplaceClient(tx, c) })
	if errors.Is(err, storage.ErrConflict) {
		return nil // another request notes it, or changes the client and tries again
	}
	return err
}
