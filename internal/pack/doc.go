// Package pack writes values one behind another into bytes and reads them back: for short records of our own that are written
// and read at every request. It owns no meaning, no order and no version: those are the caller's, and so is the seal around what
// leaves the process.
package pack
