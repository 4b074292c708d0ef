// Package kalyna is the block cipher of ДСТУ 7624:2014 («Калина») with blocks and keys of 128, 256 and 512 bits, the modes
// of operation of the standard, and the key wrap that national CMS messages use.
//
// A block is read as 64-bit words, little-endian, in the order of the bytes; keys, initialisation vectors and messages are
// plain byte strings in the order of the standard's examples. [Cipher] is a cipher.Block, which is the mode ECB; CBC is
// cipher.NewCBCEncrypter and cipher.NewCBCDecrypter of the standard library with such a block. The others are here:
// [EncryptCFB], [NewCTR], [NewOFB], [NewCMAC], [NewGMAC], [NewGCM], [XTS] and [WrapKW]. CCM is not: nothing in use has it.
// Modes are numbered as in their object identifiers.
//
// The cipher is not constant time. Its substitutions are arbitrary tables of 256 entries, looked up at secret indices, so
// that another program on the same processor, which can watch the cache, may learn about keys. Every implementation known
// for processors without special instructions has this property. What can be done without it is: the arithmetic of GCM and
// the comparison of tags and check values take the same time whatever the secret.
//
// The package imports nothing but the standard library, and little of that, since the browser's program is near: its types
// have the methods of crypto/cipher's interfaces without importing it, which would bring AES. It knows no ASN.1.
package kalyna
