package qestest

import (
	"time"

	"brama/internal/der"
)

// A List is a CRL before it is signed: a test may change anything in it ([Provider.OnCRL]).
type List struct {
	Delta                  bool
	ThisUpdate, NextUpdate time.Time
	Number, Base           int // Base of a delta
	Entries                []ListEntry
	Freshest               string   // URL of the delta; "" leaves it out
	Extensions             [][]byte // further ones, encoded
	Signer                 string   // authority that signs; "" is the one that was asked
	Issuer                 string   // authority whose name the list bears; "" is the one that was asked
	BreakValue             bool
}

// A ListEntry is one line of a CRL.
type ListEntry struct {
	Serial []byte // content octets
	Since  time.Time
	Reason int // CRLReason; −1 leaves it out
}

// OnCRL sets a function that changes lists before they are signed; nil ends that.
func (p *Provider) OnCRL(f func(*List)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onCRL = f
}

// makeCRL makes the full list, or the delta since it, as of now.
func (p *Provider) makeCRL(a *authority, delta bool) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now()
	l := List{Delta: delta, ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 7), Number: a.number, Base: a.number}
	if delta {
		l.NextUpdate = now.Add(2 * time.Hour)
	} else {
		l.Freshest = p.url(a, ServiceDelta)
	}
	for serial, rec := range a.records {
		reason := 0
		switch rec.status {
		case Suspended:
			reason = 6
		case Revoked:
		default:
			continue
		}
		l.Entries = append(l.Entries, ListEntry{Serial: []byte(serial), Since: rec.since, Reason: reason})
	}
	if p.onCRL != nil {
		p.onCRL(&l)
	}
	signer := a
	if l.Signer != "" {
		signer = p.byID[l.Signer]
	}
	issuer := a
	if l.Issuer != "" {
		issuer = p.byID[l.Issuer]
	}
	return l.encode(issuer.ca.name, signer.ca.key)
}

func (l List) encode(issuer []byte, by *Key) ([]byte, error) {
	var entries [][]byte
	for _, e := range l.Entries {
		var reason []byte
		if e.Reason >= 0 {
			reason = der.EncodeSequence(extension(oidReasonCode, false, der.Element(der.Enumerated, []byte{byte(e.Reason)})))
		}
		entries = append(entries, der.EncodeSequence(der.Element(der.Integer, e.Serial), encodeTime(e.Since), reason))
	}
	extensions := [][]byte{authorityKeyID(by), extension(oidCRLNumber, false, der.EncodeInt(l.Number))}
	if l.Delta {
		extensions = append(extensions, extension(oidDeltaIndicator, true, der.EncodeInt(l.Base)))
	}
	if l.Freshest != "" {
		extensions = append(extensions, distribution(oidFreshestCRL, l.Freshest))
	}
	extensions = append(extensions, l.Extensions...)
	var next, lines []byte
	if !l.NextUpdate.IsZero() {
		next = encodeTime(l.NextUpdate)
	}
	if entries != nil {
		lines = der.EncodeSequence(entries...)
	}
	tbs := der.EncodeSequence(
		der.EncodeInt(1), by.signature.Encode(), issuer, encodeTime(l.ThisUpdate), next, lines,
		der.Element(der.Constructed(0), der.EncodeSequence(extensions...)),
	)
	algorithm, value, err := by.signBits(tbs)
	if err != nil {
		return nil, err
	}
	if l.BreakValue {
		value[len(value)-5] ^= 1
	}
	return der.EncodeSequence(tbs, algorithm, value), nil
}
