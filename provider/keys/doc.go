// Package keys holds the keys that sign tokens: made at the first start, kept in the store sealed under the key-encryption
// key of the configuration, published as JWKS. It does not know what is signed (provider/oauth) and has nothing to do with
// the keys of persons.
package keys
