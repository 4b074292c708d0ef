// Package session holds what binds a browser to the provider: names and attributes of cookies, values that the browser
// carries sealed, the code that ties a form to one step of one login, and the rule on where a POST may come from. It does
// not own the flow (provider/authflow), nor the record of a session (package storage).
package session
