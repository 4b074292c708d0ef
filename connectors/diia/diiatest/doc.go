// Package diiatest is a double of Diia: the partner API, and a telephone with the application as a plain page. It speaks the
// same bytes as far as they are known and signs with keys of a test provider (package qestest), so that a person or a test
// can drive a sign-in into every outcome: approve, refuse, ignore, approve late, sign another hash, sign as another person,
// send an old signature again.
//
// It is for `brama dev` and for tests: it listens nowhere by itself, refuses to stand at or to notify any address but this
// computer's, and imports nothing of the connector, so that an error there is not repeated here.
package diiatest
