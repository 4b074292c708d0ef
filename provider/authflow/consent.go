package authflow

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"brama/connectors"
	"brama/provider/oauth"
	"brama/storage"
)

// claims that a client may be registered for, beyond names, in the order in which S8 tells them.
var claims = []string{"rnokpp", "unzr", "birthdate", "email", "edrpou", "organization", "title"}

func knownClaim(c string) bool { return slices.Contains(claims, c) }

// provides lists the claims that id has a value for.
func provides(id *connectors.Identity) []string {
	var list []string
	add := func(claim string, has bool) {
		if has {
			list = append(list, claim)
		}
	}
	add("rnokpp", id.Identifier(connectors.RNOKPP) != "")
	add("unzr", id.Identifier(connectors.UNZR) != "")
	add("birthdate", !id.BirthDate.IsZero())
	add("email", id.Email != "")
	for _, role := range id.Roles {
		if role.ID != "person" {
			add("edrpou", role.EDRPOU != "")
			add("organization", role.Organization != "")
			add("title", role.Title != "")
		}
	}
	return list
}

// roleClaims come with a role of an organisation: choosing it is the choice about them.
var roleClaims = []string{"edrpou", "organization", "title"}

// Policies of consent.
const (
	consentNever  = "never"
	consentFirst  = "first"
	consentAlways = "always"
)

// consentOf is when the person is asked for the tick.
func consentOf(c *oauth.Client) string {
	switch {
	case c.Consent == consentFirst, c.Consent == consentAlways:
		return c.Consent
	case c.NoticeRequired:
		return consentAlways
	}
	return consentNever
}

// An agreement is what the portal gets of an identity, and what the person is asked about it.
type agreement struct {
	given    []string         // claims that come with the sign-in
	optional []string         // claims that the person may give
	ticked   []string         // those that the person gives, or gave before
	stored   *storage.Consent // what was agreed to before, nil if the portal is new to the person
	covered  bool             // and is still good
	tick     bool             // the consent is asked for
}

// agreement finds what l.client would get of an identity. What it does not need is for the person to give, and not given
// unless ticked, where the portal relies on consent at all.
func (f *Flow) agreement(ctx context.Context, l *login, person string, id *connectors.Identity) (agreement, error) {
	policy := consentOf(l.client)
	var a agreement
	asked := l.client.Asks(l.request)
	if slices.Contains(asked, "name") {
		a.given = append(a.given, "name")
	}
	for _, claim := range provides(id) {
		if !slices.Contains(asked, claim) {
			continue // neither by scope nor by the claims parameter
		}
		required := slices.Contains(l.client.RequiredClaims, claim)
		switch {
		case required, policy == consentNever && slices.Contains(l.client.Claims, claim),
			slices.Contains(l.client.Claims, claim) && slices.Contains(roleClaims, claim):
			if !slices.Contains(a.given, claim) {
				a.given = append(a.given, claim)
			}
		case slices.Contains(l.client.Claims, claim):
			a.optional = append(a.optional, claim)
		}
	}
	if slices.Contains(asked, "certificate") && id.Certificate.Serial != "" {
		a.given = append(a.given, "certificate")
	}
	err := f.Store.View(ctx, func(tx storage.Tx) error {
		c, err := storage.GetConsent(tx, person, l.client.ID)
		if err == nil {
			a.stored = &c
		}
		return err
	})
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return agreement{}, fmt.Errorf("reading a consent: %w", err)
	}
	if a.stored != nil {
		for _, claim := range a.optional {
			if slices.Contains(a.stored.Claims, claim) {
				a.ticked = append(a.ticked, claim)
			}
		}
		a.covered = a.stored.Covers(l.client.NoticeVersion, a.given)
	}
	switch policy {
	case consentAlways:
		a.tick = true
	case consentFirst:
		a.tick = !a.covered || slices.Contains(l.request.Prompt, "consent")
	}
	return a, nil
}

func (a *agreement) chosen(claim string) bool { return slices.Contains(a.ticked, claim) }

// choose takes the ticks of a form.
func (a *agreement) choose(form url.Values) {
	a.ticked = nil
	for _, claim := range a.optional {
		if form.Get("give-"+claim) == "yes" {
			a.ticked = append(a.ticked, claim)
		}
	}
}

// agreed is when the person set a tick that still counts; zero if there is none.
func (a *agreement) agreed() time.Time {
	if a.stored != nil && a.covered {
		return a.stored.Agreed
	}
	return time.Time{}
}

// claims are those that the portal gets now.
func (a *agreement) claims() []string { return slices.Concat(a.given, a.ticked) }

// keep is what the store remembers of the agreement: what the portal gets now, and what was agreed to before for the same
// notice, unless the person was asked about it and did not give it. A request for less is no withdrawal.
func (a *agreement) keep(version string) []string {
	list := a.claims()
	if a.stored == nil || a.stored.Agreed.IsZero() || a.stored.Version != version {
		return list
	}
	for _, claim := range a.stored.Claims {
		if !slices.Contains(list, claim) && !slices.Contains(a.optional, claim) {
			list = append(list, claim)
		}
	}
	return list
}

// withheld are the optional claims that are not among given.
func (a *agreement) withheld(given []string) []string {
	var list []string
	for _, claim := range a.optional {
		if !slices.Contains(given, claim) {
			list = append(list, claim)
		}
	}
	return list
}
