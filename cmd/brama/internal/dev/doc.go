// Package dev is `brama dev`: the provider, a test trust service provider, a demo portal and a folder of demo keys in one
// process, on loopback, without network. It is the only package of the program that may reach a double. What it runs is
// the same provider as `serve`; only trust, clock, addresses and one method more (demo) are injected.
package dev
