// Package provider is the OpenID Provider as one http.Handler: it puts the parts together, knows every route, and gives
// every request its number, its safe headers, its limits and its one line in the operator's log.
//
// What a login does is authflow's, what a request or token is oauth's, how a page looks web's. Which connectors, store and
// trust there are is decided by cmd/brama.
package provider
