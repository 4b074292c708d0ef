// Package acquirer are the verbs `brama diia setup` and `brama diia status`: they make the branch and the offer of the
// institution at Дія, and tell how far the configuration works. They ask nothing that a person would see.
//
// The client of the API is connectors/diia; the configuration is that of the server.
package acquirer
