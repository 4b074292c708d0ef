// Package offline is the verbs of brama that need no server: they verify and make signatures, look into key containers and
// compute national digests, for administrators and for tests of this project by others.
//
// It reads files and prints; what things mean is decided in internal/qes, and the flags of the process belong to cmd/brama.
package offline
