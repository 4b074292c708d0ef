// Package kupyna is the hash of ДСТУ 7564:2014.
package kupyna

import "hash"

// New256, New384 and New512 return the hash with a digest of 32, 48 and 64 bytes.
func New256() hash.Hash { panic("unimplemented") }
func New384() hash.Hash { panic("unimplemented") }
func New512() hash.Hash { panic("unimplemented") }

func Sum256(data []byte) [32]byte { panic("unimplemented") }
func Sum384(data []byte) [48]byte { panic("unimplemented") }
func Sum512(data []byte) [64]byte { panic("unimplemented") }
