// Package module runs each PKCS#11 module in a child process of its own and talks to it in framed JSON over two pipes.
// A module that crashes, hangs or talks nonsense takes down its child only; what the child says is as little trusted as
// the module. A child lives for one press of a person and dies with its parent.
//
// The package decides nothing: which module, token, key and when to log in is package login's.
package module
