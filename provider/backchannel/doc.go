// Package backchannel tells portals that a session is over (OpenID Connect Back-Channel Logout 1.0): it takes the messages
// that were stored when the session ended, and posts a logout token for each until the portal has taken it or the tries are
// used up. The queue is in the store, so that a restart loses nothing, and no request of a person waits for a portal.
//
// It does not know when a session ends (provider/authflow), what a logout token says (provider/oauth), or where a request may
// go (internal/fetch, handed in).
package backchannel
