// Package login is what happens at this computer between a site's request and a signature: the person agrees, connects a
// token, chooses a key, types the PIN, and the challenge is signed as CAdES-BES with the purpose "login".
//
// Nothing is asked of a module before the person has agreed in a window (threat T62). Each C_Login follows a press of the
// person; the package repeats none by itself (T58). What comes from a module is checked: certificates are parsed strictly
// and the signature must verify, or nothing leaves.
//
// The package trusts that the challenge is of the site that asks; package door has seen to that (T4, T56).
package login
