// Package e2e walks whole journeys: `brama dev` as its own process, Debian's Chromium, real key containers, and between
// browser and servers a proxy of the test that keeps every byte the browser sends. It holds tests only.
package e2e
