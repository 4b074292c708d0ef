// Package cert is certificates as the law of Ukraine uses them: ДСТУ keys, QC statements, the identifiers of a subject from
// every place that holds them, what a certificate is for, and the mathematics of one signature by its key.
//
// It reads one certificate at a time. Paths and anchors are package trustlist's, status is package revocation's, and
// whether a certificate is good enough for a login is decided by package qes.
package cert
