// Package serve is `brama serve`: the provider as a configuration file describes it, under the national pins and with
// nothing of dev. A test of the layers shows that no double is in its reach.
package serve
