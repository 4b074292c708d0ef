package diia

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// A Branch is a branch of the acquirer: a place of service, with the scopes that its offers may have [V].
type Branch struct {
	ID       string `json:"_id,omitempty"`
	Name     string `json:"name"`
	FullName string `json:"customFullName"`
	Address  string `json:"customFullAddress"`
	Email    string `json:"email"`
	Region   string `json:"region"`
	District string `json:"district"`
	Location string `json:"location"`
	Street   string `json:"street"`
	House    string `json:"house"`
	Scopes   Scopes `json:"scopes"`
}

// Scopes are what a branch or an offer may ask for.
type Scopes struct {
	DiiaID []Scope `json:"diiaId"`
}

// wire is b as the API wants it: requests are made by us, one by one, and the scopes that we do not use are empty [V].
func (b Branch) wire() any {
	type scopes struct {
		DiiaID                 []Scope  `json:"diiaId"`
		Sharing                []string `json:"sharing"`
		Identification         []string `json:"identification"`
		DocumentIdentification []string `json:"documentIdentification"`
	}
	type plain Branch // without this method
	b.ID = ""
	return struct {
		plain
		DeliveryTypes    []string `json:"deliveryTypes"`
		OfferRequestType string   `json:"offerRequestType"`
		Scopes           scopes   `json:"scopes"`
	}{plain(b), []string{"api"}, "dynamic", scopes{b.Scopes.DiiaID, []string{}, []string{}, []string{}}}
}

// An Offer is a service of a branch; it carries one scope.
type Offer struct {
	ID         string `json:"_id,omitempty"`
	Name       string `json:"name"`
	ReturnLink string `json:"returnLink,omitempty"`
	Scopes     Scopes `json:"scopes"`
}

func branchPath(id string) (string, error) {
	if !validID(id) {
		return "", errors.New("diia: not an identifier of a branch")
	}
	return "/api/v2/acquirers/branch/" + id, nil
}

// offerPath is of version 1, unlike that of branches [V].
func offerPath(branch string) (string, error) {
	if !validID(branch) {
		return "", errors.New("diia: not an identifier of a branch")
	}
	return "/api/v1/acquirers/branch/" + branch + "/offer", nil
}

// CreateBranch makes a branch and returns its id.
func (c *Client) CreateBranch(ctx context.Context, b Branch) (id string, err error) {
	return c.create(ctx, "a branch", "/api/v2/acquirers/branch", b.wire())
}

// Branch returns a branch.
func (c *Client) Branch(ctx context.Context, id string) (Branch, error) {
	path, err := branchPath(id)
	if err != nil {
		return Branch{}, err
	}
	answer, err := c.call(ctx, http.MethodGet, path, nil)
	if err != nil {
		return Branch{}, fmt.Errorf("reading a branch: %w", err)
	}
	var b Branch
	if err := parse(answer, &b); err != nil {
		return Branch{}, fmt.Errorf("reading a branch: %w", err)
	}
	b.ID = id
	return b, nil
}

// UpdateBranch writes a branch anew; b.ID names it.
func (c *Client) UpdateBranch(ctx context.Context, b Branch) error {
	path, err := branchPath(b.ID)
	if err != nil {
		return err
	}
	if _, err = c.call(ctx, http.MethodPut, path, b.wire()); err != nil {
		return fmt.Errorf("writing a branch: %w", err)
	}
	return nil
}

// DeleteBranch deletes a branch with its offers.
func (c *Client) DeleteBranch(ctx context.Context, id string) error {
	path, err := branchPath(id)
	if err != nil {
		return err
	}
	if _, err = c.call(ctx, http.MethodDelete, path, nil); err != nil {
		return fmt.Errorf("deleting a branch: %w", err)
	}
	return nil
}

// CreateOffer makes an offer and returns its id.
func (c *Client) CreateOffer(ctx context.Context, branch string, o Offer) (id string, err error) {
	path, err := offerPath(branch)
	if err != nil {
		return "", err
	}
	o.ID = ""
	return c.create(ctx, "an offer", path, o)
}

// DeleteOffer deletes an offer.
func (c *Client) DeleteOffer(ctx context.Context, branch, id string) error {
	path, err := offerPath(branch)
	if err != nil {
		return err
	}
	if !validID(id) {
		return errors.New("diia: not an identifier of an offer")
	}
	if _, err = c.call(ctx, http.MethodDelete, path+"/"+id, nil); err != nil {
		return fmt.Errorf("deleting an offer: %w", err)
	}
	return nil
}

func (c *Client) create(ctx context.Context, what, path string, body any) (string, error) {
	answer, err := c.call(ctx, http.MethodPost, path, body)
	if err != nil {
		return "", fmt.Errorf("creating %s: %w", what, err)
	}
	id, err := parseID(answer)
	if err != nil {
		return "", fmt.Errorf("creating %s: %w", what, err)
	}
	return id, nil
}

// page is how many entries are asked for at once.
const page = 50

// Branches returns all branches of the acquirer, 500 at most.
func (c *Client) Branches(ctx context.Context) ([]Branch, error) {
	return list(ctx, c, "/api/v2/acquirers/branches", func(answer []byte) ([]Branch, int, error) {
		var v struct {
			Total    int      `json:"total"`
			Branches []Branch `json:"branches"`
		}
		err := parse(answer, &v)
		if slices.ContainsFunc(v.Branches, func(b Branch) bool { return !validID(b.ID) }) {
			err = fmt.Errorf("%w: branch without an identifier", ErrAnswer)
		}
		return v.Branches, v.Total, err
	})
}

// Offers returns all offers of a branch, 500 at most.
func (c *Client) Offers(ctx context.Context, branch string) ([]Offer, error) {
	path, err := offerPath(branch)
	if err != nil {
		return nil, err
	}
	return list(ctx, c, path+"s", func(answer []byte) ([]Offer, int, error) {
		var v struct {
			Total  int     `json:"total"`
			Offers []Offer `json:"offers"`
		}
		err := parse(answer, &v)
		if slices.ContainsFunc(v.Offers, func(o Offer) bool { return !validID(o.ID) }) {
			err = fmt.Errorf("%w: offer without an identifier", ErrAnswer)
		}
		return v.Offers, v.Total, err
	})
}

func list[T any](ctx context.Context, c *Client, path string, read func([]byte) ([]T, int, error)) ([]T, error) {
	var all []T
	for {
		query := url.Values{"skip": {strconv.Itoa(len(all))}, "limit": {strconv.Itoa(page)}}
		answer, err := c.call(ctx, http.MethodGet, path+"?"+query.Encode(), nil)
		if err != nil {
			return nil, fmt.Errorf("listing: %w", err)
		}
		some, total, err := read(answer)
		if err != nil {
			return nil, fmt.Errorf("listing: %w", err)
		}
		if all = append(all, some...); len(some) == 0 || len(all) >= min(total, maxList) {
			return all, nil
		}
	}
}

// A Plan is what Setup shall find or make.
type Plan struct {
	Branch     Branch // found by its name
	Offer      string // found by its name; what the application calls the service
	ReturnLink string // of the offer, for requests without their own
	Scope      Scope  // "" means HashedFilesSigning
	DryRun     bool   // make nothing
}

// A SetupResult names branch and offer for the configuration. An id is "" if it would be made and DryRun says not to.
type SetupResult struct {
	BranchID, OfferID        string
	BranchCreated, OfferMade bool // made now, or would be
	BranchScopesMissing      bool // the branch is there without the scope: it must be made anew or changed by hand
	OfferReturnLinkDiffers   bool // the offer is there with another return link; harmless, ours is sent with each request
}

// Setup finds a branch and an offer by their names and makes what is absent. It never changes or deletes what it finds:
// others may use it. A second run finds everything and makes nothing.
func (c *Client) Setup(ctx context.Context, p Plan) (SetupResult, error) {
	var r SetupResult
	if p.Scope == "" {
		p.Scope = HashedFilesSigning
	}
	if p.Scope != HashedFilesSigning && p.Scope != Auth {
		return r, fmt.Errorf("diia: unknown scope %q", p.Scope)
	}
	if p.Branch.Name == "" || p.Offer == "" {
		return r, errors.New("diia: branch and offer need names")
	}
	branches, err := c.Branches(ctx)
	if err != nil {
		return r, err
	}
	if i := slices.IndexFunc(branches, func(b Branch) bool { return b.Name == p.Branch.Name }); i >= 0 {
		r.BranchID = branches[i].ID
		r.BranchScopesMissing = !slices.Contains(branches[i].Scopes.DiiaID, p.Scope)
	} else {
		r.BranchCreated = true
		if !slices.Contains(p.Branch.Scopes.DiiaID, p.Scope) {
			p.Branch.Scopes.DiiaID = append(slices.Clone(p.Branch.Scopes.DiiaID), p.Scope)
		}
		if !p.DryRun {
			if r.BranchID, err = c.CreateBranch(ctx, p.Branch); err != nil {
				return r, err
			}
		}
	}
	if r.BranchID == "" {
		r.OfferMade = true
		return r, nil
	}
	offers, err := c.Offers(ctx, r.BranchID)
	if err != nil {
		return r, err
	}
	if i := slices.IndexFunc(offers, func(o Offer) bool { return o.Name == p.Offer && slices.Contains(o.Scopes.DiiaID, p.Scope) }); i >= 0 {
		r.OfferID = offers[i].ID
		r.OfferReturnLinkDiffers = offers[i].ReturnLink != p.ReturnLink
		return r, nil
	}
	r.OfferMade = true
	if p.DryRun || r.BranchScopesMissing {
		return r, nil
	}
	r.OfferID, err = c.CreateOffer(ctx, r.BranchID, Offer{Name: p.Offer, ReturnLink: p.ReturnLink, Scopes: Scopes{DiiaID: []Scope{p.Scope}}})
	return r, err
}

// A Status is how far a configuration works, in the order in which it is tried.
type Status struct {
	Session bool // the tokens are taken
	Branch  bool // it exists
	Scope   bool // it may have offers of the scope
	Offer   bool // it exists with the scope
}

// Ready reports whether sign-ins can work.
func (s Status) Ready() bool { return s.Session && s.Branch && s.Scope && s.Offer }

// Status tries what a sign-in needs, without making a request that a person would see. The error says why the first part
// that is false could not be tried, nil if it was and is not so.
func (c *Client) Status(ctx context.Context, branch, offer string, scope Scope) (Status, error) {
	var s Status
	if _, err := c.token(ctx, ""); err != nil {
		return s, err
	}
	s.Session = true
	b, err := c.Branch(ctx, branch)
	if err != nil {
		return s, absent(err)
	}
	s.Branch, s.Scope = true, slices.Contains(b.Scopes.DiiaID, scope)
	offers, err := c.Offers(ctx, branch)
	if err != nil {
		return s, absent(err)
	}
	s.Offer = slices.ContainsFunc(offers, func(o Offer) bool { return o.ID == offer && slices.Contains(o.Scopes.DiiaID, scope) })
	return s, nil
}

// absent takes away an error that says nothing but that something is not there.
func absent(err error) error {
	var api *APIError
	if errors.As(err, &api) && api.Status == http.StatusNotFound {
		return nil
	}
	return err
}
