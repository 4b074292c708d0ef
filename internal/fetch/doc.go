// Package fetch is the only outbound HTTP client of the project. It decides where a request may go and how much of an
// answer is read: the address is checked at each dial, not by the name; redirects are not followed unless the caller
// names their hosts; proxy variables are not read; times and sizes are bounded; errors hold no query string.
//
// It does not know what it carries. Most of what qualified signatures need (OCSP, CRL, CMP, TSP) travels over plain http
// because the objects are signed in themselves: such a caller says so in its request, all others get https only.
package fetch
