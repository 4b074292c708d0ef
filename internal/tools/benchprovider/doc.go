// Command benchprovider measures what the provider costs its machine against npm's oidc-provider, and prints one table.
// Run it by `make bench-provider`, or `go run ./internal/tools/benchprovider` in the root of the repository.
//
// One driver plays browser and portal for both, over plain HTTP on loopback: Brama as `brama dev` runs it (bbolt on disk,
// every answer durable, ES256, sign-ins by the demo method with a real signature that is verified), the peer with its
// memory store, ES256 and its own development pages. Each server has one core, and the timer slack that deploy/systemd
// gives. What counts is the processor time of the server per operation, the median of the rounds, as a ratio; rounds of the
// two alternate.
package main
