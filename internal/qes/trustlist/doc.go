// Package trustlist answers who may vouch for whom: it holds the pinned roots, the directory of issuers and the
// candidates that stand between them and a person's certificate, and it builds and verifies paths (RFC 5280 6.1) over
// them. It makes no request of its own: revocation, package revocation; certificate search, package cmp.
//
// Three kinds of things are kept apart. Pins are SHA-256 fingerprints of roots, chosen one by one; nothing else makes an
// anchor. Candidates are the certificates of a bundle or list given in the configuration: they prove nothing by being
// there, and each is used only once a path to a pin is verified step by step. The directory names the issuers that are
// granted to issue qualified certificates, and the addresses of their services.
//
// The national trusted list (ETSI TS 119 612, TL-UA.xml) is not read yet: no copy of one could be had to try a reader on.
// Until then the directory stands in for it, and an operator withdraws a certificate by Config.Withdrawn. The project
// ships the pins and its own directory, no bundle of anybody's.
package trustlist
