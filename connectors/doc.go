// Package connectors is the contract between a login and the ways to prove who a person is. It holds no implementation
// and imports the standard library only: each connector is a package below this one, the state machine that drives them
// is provider/authflow, and neither knows the other's storage.
package connectors
