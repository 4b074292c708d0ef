// Package upstreamtest is what the doubles of ID.GOV.UA and BankID share: a system's keys with real certificates of a test
// provider, sealed answers in every form, one-shot codes and tokens, invented persons, faults, and plain pages for people.
// It speaks neither protocol (packages idgovtest and bankidtest do) and is linked into the dev wiring and into tests only.
package upstreamtest
