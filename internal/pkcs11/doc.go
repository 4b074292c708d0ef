// Package pkcs11 speaks to tokens through their PKCS#11 modules (OASIS PKCS #11 2.40): which tokens there are, what
// certificates and keys they hold, one login with a PIN, one signature value. It is the only package that uses cgo; built
// without it, every call answers ErrNotBuilt.
//
// A module is a stranger's machine code in this process: it can crash it, hang it or fill it with garbage. So the agent
// calls this package only in a child process of its own per module, and treats what comes from it as hostile.
//
// A server that keeps its keys in a token calls it in its own process: its administrator chose the module, and a Pool
// survives the token's going away, though not the module's crashing.
//
// The package never retries a login, keeps no PIN, and does not know certificates, CMS or windows. It makes signature
// values in the form of CMS; whether they verify is the caller's to find out.
package pkcs11
