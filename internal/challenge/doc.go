// Package challenge is the text that a person's key signs to sign in: one grammar, one writer, one strict reader, for the
// server that makes it and for the programs that sign it.
//
// The text is UTF-8, nine lines in this order, each ended by one line feed, nothing else:
//
//	brama-login-v1
//	лише для входу, не є документом
//	issuer: https://id.example.gov.ua
//	client: cabinet
//	host: cabinet.example.gov.ua
//	method: file
//	login: 5b0e1c9a
//	nonce: 64 hexadecimal digits, lower case
//	expires: 2026-11-21T18:40:00Z
//
// A person can read it in any program, and its first lines say that it is no document (T1). Every value is ASCII out of a
// narrow class, so that no line feed, direction mark or look-alike can make it seem to say something else (T8), and none
// is free text of a portal. What must match at verification (issuer, client, host, method, login) is in the signed bytes:
// the verifier rebuilds the text and compares nothing else (T4).
//
// The package does not decide when a challenge is made, spent or expired, and does not know signatures. It is light
// enough for the browser program.
package challenge
