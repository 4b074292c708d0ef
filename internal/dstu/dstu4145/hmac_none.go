//go:build !(amd64 || arm64 || loong64 || ppc64 || ppc64le || riscv64 || s390x) || purego

package dstu4145

// hmac256 is HMAC-SHA-256 with a key of 32 bytes.
type hmac256 = portableHMAC
