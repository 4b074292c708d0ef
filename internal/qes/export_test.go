package qes

import "brama/internal/qes/cert"

// For the external tests, which alone can import qestest.

const MaxKnown = maxKnown

type Known = known

func (k *known) Parse(b []byte) (*cert.Certificate, error) { return k.parse(b) }

func (k *known) Remember(c *cert.Certificate) { k.remember(c) }

func (k *known) Len() int { return len(k.byHash) }

func (k *known) Has(c *cert.Certificate) bool { return k.find(c.Raw) != nil }
