// Package asic reads associated signature containers (ETSI EN 319 162-1): a ZIP with documents and, in META-INF, signatures
// over them. Of the extended form (ASiC-E) and the simple one (ASiC-S) it takes those whose signatures are CAdES.
//
// It checks that the container is one thing and not two: names, sizes, and that what a manifest says of each document is so.
// It does not judge signatures; each comes out with the octets that it has to cover (internal/qes does the rest). XAdES and
// archive time-stamps are not read.
package asic
