package trustlist

import "brama/internal/qes/cert"

// KnowsIssuer reports whether the directory names the issuer that child names, whether or not child is genuine. It tells
// "no path to a granted service" from "an issuer nobody has heard of"; nothing is trusted for it.
func (s *Store) KnowsIssuer(child *cert.Certificate) bool {
	_, ok := s.ProviderIssuing(child)
	return ok
}
