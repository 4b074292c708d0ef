// Package interop has signatures verified and made by implementations that are not ours: Bouncy Castle (Debian's
// libbcprov-java and libbcpkix-java), jkurwa (npm) and OpenSSL. It is support for tests and imports testing; each tool
// that is absent skips the test with a reason, or fails it where CI is set.
//
// The three know nothing of each other or of us. What they agree on with us is what the standards say; what they are not
// asked is whether a certificate is any good.
package interop
