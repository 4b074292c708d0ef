// Package keys holds the keys that sign tokens: made at the first start, kept in the store sealed under the key-encryption
// key of the configuration, replaced by themselves, published as JWKS. It does not know what is signed (provider/oauth) and
// has nothing to do with the keys of persons.
//
// The life of a key follows from the times in its record and from the clock alone, so that processes which share a store
// agree without talking: it is published ahead of its first signature, for as long as portals may keep the set of keys;
// it signs until its successor's time comes; it stays published until the last token it signed is of no use, as a hint too.
package keys
