// Command brama-wasm is the program that opens a person's key in the browser and signs the login challenge with it
// (GOOS=js GOARCH=wasm). It runs in a worker of its own, which provider/web/static/worker.js starts; the protocol of
// messages stands at the head of that file and is worked off here.
//
// session.go is the whole behaviour, free of the browser; webcrypto.go and sha.go are the algorithms, main.go is the
// bridge. National cryptography and the containers are Go; RSA, ECDSA, AES, PBKDF2 over SHA, SHA-384, SHA-512 and random
// bytes are the browser's. SHA-1 and SHA-256 are ours too: key derivations call them thousands of times, and each call of
// WebCrypto is a turn of the event loop.
//
// The program makes no request, stores nothing and knows no address but the origin that the worker tells it. Size rules
// it: what may be imported is a test (internal/layers), and how large the download may be is another (TestBudget).
package main
