// Package demoportal is a portal for `brama dev`: an ordinary OpenID Connect client written with coreos/go-oidc, which
// knows nothing of Brama but its issuer address. It shows the whole of what a portal receives. It is no part of the
// provider, keeps its sessions in memory and is never linked into `brama serve`.
package demoportal
