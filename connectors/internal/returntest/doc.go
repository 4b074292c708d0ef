// Package returntest is what the tests of the clients of other systems share: a client beside its double, the way of a browser
// there and back, and the tests that each such client has to pass, whatever its protocol is.
//
// It does not know the protocols, nor what a system may answer: the outcomes of a double come from the test that calls. It is
// linked into tests only; what doubles share is in package upstreamtest.
package returntest
