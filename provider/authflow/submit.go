package authflow

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"brama/connectors"
	"brama/internal/audit"
	"brama/storage"
)

// Submit hands a form of a method's page to its connector.
func (f *Flow) Submit(w http.ResponseWriter, r *http.Request, id, method string) {
	l, c, err := f.openMethod(r, id, method)
	var in *input
	if err == nil {
		in, err = f.form(r, l, method)
	}
	if err != nil {
		var p *problem
		if l != nil && c != nil && errors.As(err, &p) && p.code == codeTooBig {
			f.showMethod(w, r, l, c, method, p) // the step is kept
			return
		}
		f.fail(w, r, l, err)
		return
	}
	ev := connectors.Event{Via: connectors.ViaForm, Values: in.values, Body: in.body}
	step, err := f.advance(w, r, l, c, method, ev)
	if err != nil {
		f.refuse(w, r, l, c, method, err)
		return
	}
	f.take(w, r, l, c, step)
}

// advance counts the try, then lets the connector judge the event, outside any transaction.
func (f *Flow) advance(w http.ResponseWriter, r *http.Request, l *login, c connectors.Connector, method string, ev connectors.Event) (connectors.Step, error) {
	s := l.state
	if !f.live(l, method) {
		if !isImmediate(c) {
			return nil, &connectors.Refusal{Code: codeTooLate, Err: connectors.ErrRetry}
		}
		s = f.begin(l, method)
	}
	if isRemote(c) {
		if err := f.count(r, &s, ev.Values); err != nil {
			return nil, err
		}
	} else if s.Attempts++; s.Attempts > maxAttempts {
		return nil, &connectors.Refusal{Code: codeLimited}
	}
	if err := f.unused(r.Context(), l, ev); err != nil {
		return nil, err
	}
	// The try is stored before the work: of two events at once one gets on, and no flood gets more than its tries.
	if err := f.press(w, r, l, s); err != nil {
		return nil, err
	}
	text, err := f.forConnector(l)
	if err != nil {
		return nil, err
	}
	return f.work(r.Context(), f.slots[method], func(ctx context.Context) (connectors.Step, error) { return c.Advance(ctx, text, ev) })
}

// work lets a connector work for advanceTime at most, when there is a slot.
func (f *Flow) work(ctx context.Context, slots chan struct{}, do func(context.Context) (connectors.Step, error)) (connectors.Step, error) {
	ctx, cancel := context.WithTimeout(ctx, advanceTime)
	defer cancel()
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: waiting for a slot: %w", connectors.ErrRetry, ctx.Err())
	}
	return do(ctx)
}

// prove takes what the connector has proven: the client's demands, then verified, audit, confirmable, in this order.
func (f *Flow) prove(r *http.Request, l *login, identity *connectors.Identity) error {
	if err := demands(l, identity); err != nil {
		return err
	}
	// The challenge may have run out while the status was looked up.
	if !f.live(l, l.Method) {
		return &connectors.Refusal{Code: codeTooLate, Err: connectors.ErrRetry}
	}
	evidence := identity.Evidence
	s := l.state
	s.Phase, s.Identity, s.Connector, s.Shown, s.Failed = verified, withoutEvidence(identity), nil, nil, nil
	digest := sha256.Sum256(evidence.Signature)
	until := l.Until
	err := f.step(r.Context(), l, s, func(tx storage.Tx, _ *state) error {
		if len(evidence.Signature) == 0 {
			return nil
		}
		return storage.SpendSignature(tx, digest, until)
	})
	if errors.Is(err, storage.ErrSpent) {
		return &connectors.Refusal{Code: codeReplayed, Err: connectors.ErrRetry}
	}
	if err != nil {
		return err
	}
	err = f.audit(r, l, audit.Event{
		Action: "login.verified", Outcome: audit.Passed, Unsynced: true, Identifiers: auditIdentifiers(identity),
		Evidence: &audit.Evidence{Signature: evidence.Signature, Content: evidence.Content, Revocation: evidence.Revocation, TrustList: evidence.TrustList},
		Detail:   map[string]string{"acr": string(identity.LoA), "issuer": identity.Certificate.Issuer, "serial": identity.Certificate.Serial},
	})
	if err != nil {
		// It stays at verified: nothing of it can be used (threat T89).
		return &problem{code: codeInternal, err: err, again: true}
	}
	return f.find(r, l)
}

// find finds the person, or makes the record of one, and lets S8 show the login.
func (f *Flow) find(r *http.Request, l *login) error {
	s := l.state
	s.Phase = confirmable
	seen := storage.Person{Name: s.Identity.Name, FamilyName: s.Identity.FamilyName, GivenName: s.Identity.GivenName, MiddleName: s.Identity.MiddleName}
	if !s.Identity.BirthDate.IsZero() {
		seen.BirthDate = s.Identity.BirthDate.Format(time.DateOnly)
	}
	for _, i := range s.Identity.Identifiers {
		seen.Identifiers = append(seen.Identifiers, storage.Identifier{Type: string(i.Type), Country: i.Country, Value: i.Value})
	}
	err := f.step(r.Context(), l, s, func(tx storage.Tx, s *state) error {
		person, _, err := f.Vault.SignIn(tx, seen, f.Now().UTC())
		if err != nil {
			return err
		}
		if f.Blocked[person.ID] {
			return errBlocked
		}
		s.Person = person.ID
		return f.keepCertificate(tx, &s.Identity.Certificate, person.ID)
	})
	if errors.Is(err, storage.ErrPersonConflict) {
		return &connectors.Refusal{Code: codeConflict, Err: err}
	}
	if errors.Is(err, errBlocked) {
		return &connectors.Refusal{Code: codeBlocked, Err: err}
	}
	return err
}

// keepCertificate keeps in tx the certificate that proved a person, so that its status can be asked again (threat T80).
func (f *Flow) keepCertificate(tx storage.Tx, c *connectors.CertificateInfo, person string) error {
	if c.ID == "" || len(c.Raw) == 0 {
		return nil
	}
	return storage.KeepCertificate(tx, storage.Certificate{ID: c.ID, Person: person, Checked: c.CheckedAt, Expires: c.NotAfter},
		func() []byte { return f.Seal.Seal("certificate:"+c.ID, c.Raw) })
}

// demands are what the client asks of an identity.
func demands(l *login, id *connectors.Identity) error {
	retry := func(code string, values map[string]string) error {
		return &connectors.Refusal{Code: code, Values: values, Err: connectors.ErrRetry}
	}
	if levelRank(id.LoA) < levelRank(minimum(l.client, l.request)) || levelRank(id.LoA) == 0 {
		return retry(codeLevel, nil)
	}
	// Without any number nobody could be found again.
	if len(id.Identifiers) == 0 {
		return retry(codeNoTaxNo, nil)
	}
	for _, claim := range l.client.RequiredClaims {
		if claim == "rnokpp" && id.Identifier(connectors.RNOKPP) == "" {
			return retry(codeNoTaxNo, nil)
		}
		if !slices.Contains(provides(id), claim) && knownClaim(claim) {
			return retry(codeNoData, nil)
		}
	}
	return nil
}

// refuse ends a try. What the person can mend keeps the page, the method and what was chosen; anything else ends the
// login. The audit has a line either way.
func (f *Flow) refuse(w http.ResponseWriter, r *http.Request, l *login, c connectors.Connector, method string, err error) {
	if stale(err) {
		f.fail(w, r, l, err)
		return
	}
	p := asProblem(err)
	if f.Site.Message("uk", p.code, nil).Code != p.code {
		p = &problem{code: codeInternal, err: fmt.Errorf("code %q has no text: %w", p.code, err)}
	}
	if p.again { // the audit is not there, and a second line would not be written either
		f.fail(w, r, l, p)
		return
	}
	retry := errors.Is(err, connectors.ErrRetry) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if !retry {
		if end := f.endWith(r, l, "login.refused", p); end != nil {
			err = errors.Join(err, end)
		}
	} else if line := f.audit(r, l, audit.Event{Action: "login.refused", Outcome: outcome(p.code), Code: p.code, Connector: method}); line != nil {
		p = &problem{code: codeInternal, err: errors.Join(err, line)}
	}
	if (l.Phase == open || l.Phase == sealed) && retry {
		f.showMethod(w, r, l, c, method, &problem{code: p.code, values: p.values, err: errors.Join(p.err, notRetry(err))})
		return
	}
	f.fail(w, r, l, &problem{code: p.code, values: p.values, err: err})
}

// notRetry leaves out an error that says nothing but "try again".
func notRetry(err error) error {
	if err == connectors.ErrRetry { //nolint:errorlint // the sentinel alone, not what wraps it
		return nil
	}
	return err
}

// outcome is how the audit calls the end of a try.
func outcome(code string) audit.Outcome {
	switch code {
	case "CERT_STATUS_UNREACHABLE", codeDown, "TRUST_LIST_STALE", "CERT_STATUS_UNKNOWN", "CHAIN_NOT_FOUND", "KEY_ISSUER_UNTRUSTED":
		return audit.Indeterminate
	case codeInternal:
		return audit.Fault
	}
	return audit.Failed
}

// end moves l to its end and records why; data of the person go.
func (f *Flow) end(r *http.Request, l *login, action, code string) error {
	return f.endWith(r, l, action, &problem{code: code})
}

func (f *Flow) endWith(r *http.Request, l *login, action string, p *problem) error {
	result := audit.Failed
	if p.code != "" {
		result = outcome(p.code)
	}
	if err := f.audit(r, l, audit.Event{Action: action, Outcome: result, Code: p.code, Person: l.Person}); err != nil {
		return err
	}
	s := l.state
	s.Phase, s.Identity, s.Person, s.Connector, s.Shown, s.Failed = ended, nil, "", nil, nil, nil
	if p.code == codeNotMe {
		s.Reason = p.code // whoever began the login is told so
	}
	s.Request = *l.request
	return f.save(r.Context(), l, s, nil)
}

// unused refuses a signature that has signed somebody in already. If that was in this login, which has moved on meanwhile,
// another press of the same button was faster.
func (f *Flow) unused(ctx context.Context, l *login, ev connectors.Event) error {
	signature := ev.Body
	if len(signature) == 0 {
		signature, _ = base64.StdEncoding.DecodeString(ev.Values.Get("signature")) // what does not decode was never used
	}
	if len(signature) == 0 {
		return nil
	}
	err := f.Store.View(ctx, func(tx storage.Tx) error {
		used, err := storage.SignatureSpent(tx, sha256.Sum256(signature))
		if err != nil || !used {
			return err
		}
		if stored, err := storage.GetLogin(tx, l.ID); err == nil && stored.Revision != l.revision {
			return errRevision
		}
		return &connectors.Refusal{Code: codeReplayed, Err: connectors.ErrRetry}
	})
	var refusal *connectors.Refusal
	if err != nil && !stale(err) && !errors.As(err, &refusal) {
		return fmt.Errorf("looking for a used signature: %w", err)
	}
	return err
}

// withoutEvidence is what a login keeps of an identity: the evidence is the audit's.
func withoutEvidence(id *connectors.Identity) *connectors.Identity {
	kept := *id
	kept.Evidence = connectors.Evidence{}
	return &kept
}

func auditIdentifiers(id *connectors.Identity) []audit.Identifier {
	var list []audit.Identifier
	for _, i := range id.Identifiers {
		list = append(list, audit.Identifier{Type: string(i.Type), Country: i.Country, Value: i.Value})
	}
	return list
}
