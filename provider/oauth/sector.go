package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brama/storage"
)

// A sectorProofs remembers which sectors were verified, and which could not be a moment ago. Safe for concurrent use.
type sectorProofs struct {
	mu     sync.Mutex
	proven map[string]bool
	failed map[string]time.Time
}

var errSector = errors.New("oauth: sector_identifier_uri does not list every redirect_uri")

// proveSector fetches sector_identifier_uri, once for one set of redirect URIs: every one of them must be in the list there,
// or a client could choose the sector of another and with it that one's subjects (OpenID Connect Core, 8.1; threat T100). A
// registered client was proven when it registered; one of the configuration is proven when it is first used, so that a list
// which is out of reach does not stop the start of the server.
func (p *Provider) proveSector(ctx context.Context, c *Client) error {
	if c.SectorIdentifierURI == "" || c.SubjectType == Public {
		return nil
	}
	id := sectorID(c)
	if known, err := p.sectors.look(id, p.cfg.Now()); known {
		return err
	}
	stored := false
	if err := p.cfg.Store.View(ctx, func(tx storage.Tx) error {
		var err error
		stored, err = storage.SectorProven(tx, id)
		return err
	}); err != nil {
		return err
	}
	if stored {
		p.sectors.keep(id, time.Time{})
		return nil
	}
	if err := p.fetchSector(ctx, c); err != nil {
		p.sectors.keep(id, p.cfg.Now())
		return err
	}
	return p.keepSector(ctx, id)
}

// proveSectorAnew is proveSector for a client that registers now: what was proven of another one with the same addresses,
// perhaps long ago, does not count.
func (p *Provider) proveSectorAnew(ctx context.Context, c *Client) error {
	if c.SectorIdentifierURI == "" || c.SubjectType == Public {
		return nil
	}
	if err := p.fetchSector(ctx, c); err != nil {
		return err
	}
	return p.keepSector(ctx, sectorID(c))
}

// sectorID names a sector_identifier_uri with the redirect URIs that it has to list.
func sectorID(c *Client) string {
	uris := slices.Sorted(slices.Values(c.RedirectURIs))
	return storage.HashSecret(c.SectorIdentifierURI + "\x00" + strings.Join(uris, "\x00"))
}

func (p *Provider) keepSector(ctx context.Context, id string) error {
	if err := p.cfg.Store.Update(ctx, func(tx storage.Tx) error { return storage.PutSectorProof(tx, id) }); err != nil {
		return err
	}
	p.sectors.keep(id, time.Time{})
	return nil
}

func (p *Provider) fetchSector(ctx context.Context, c *Client) error {
	if p.cfg.Fetch == nil {
		return fmt.Errorf("%w: nothing is fetched here", errSector)
	}
	body, err := fetchJSON(ctx, p.cfg.Fetch, c.SectorIdentifierURI)
	if err != nil {
		return fmt.Errorf("%w: %w", errSector, err)
	}
	var listed []string
	if err := json.Unmarshal(body, &listed); err != nil {
		return fmt.Errorf("%w: it is not a list of addresses", errSector)
	}
	for _, u := range c.RedirectURIs {
		if !slices.Contains(listed, u) {
			return errSector
		}
	}
	return nil
}

// look reports whether the answer is known, and the answer.
func (s *sectorProofs) look(id string, now time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proven[id] {
		return true, nil
	}
	if at, ok := s.failed[id]; ok && now.Sub(at) < keysFailed {
		return true, errSector
	}
	return false, nil
}

// keep remembers a proof, or with a time a failure.
func (s *sectorProofs) keep(id string, failed time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proven == nil || len(s.proven)+len(s.failed) > maxSources {
		s.proven, s.failed = map[string]bool{}, map[string]time.Time{}
	}
	if failed.IsZero() {
		s.proven[id] = true
		delete(s.failed, id)
		return
	}
	s.failed[id] = failed
}
