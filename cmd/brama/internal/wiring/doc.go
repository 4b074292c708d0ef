// Package wiring puts the provider together: trust, validation, connectors, store, audit. `serve` and `dev` both come
// here and differ only in what they inject: trust, clock, addresses, and in dev one connector more. It knows no
// configuration file and no test double.
package wiring
