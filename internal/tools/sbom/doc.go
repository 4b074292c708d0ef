// Command sbom writes what is linked into a program of ours as a CycloneDX bill of materials (ECMA-424, 1.6) in JSON: modules
// with versions, sums and licences, as the program itself says them. It does not decide which modules may be linked (that list
// is a test of internal/layers), nor look for known holes (make vulncheck).
//
//	sbom VERSION PROGRAM > PROGRAM.cdx.json
package main
