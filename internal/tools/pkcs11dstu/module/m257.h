/* The signature of DSTU 4145-2002 on the curve M257 in polynomial basis, as plain as it can be written: bit by bit, not
 * in constant time, for tests only. It shares nothing with internal/dstu, so that each checks the other. */
#ifndef M257_H
#define M257_H

enum { M257_PRIVATE = 32, M257_POINT = 33, M257_SIGNATURE = 64 };

/* m257_sign signs a digest of 32 octets, read as a little-endian integer, with the private key d (32 octets,
 * little-endian, 0 < d < n), and writes r || s, each 32 octets, little-endian. It returns 0, or -1 without randomness. */
int m257_sign(const unsigned char d[32], const unsigned char digest[32], unsigned char signature[64]);

/* m257_agree multiplies a compressed point, and its cofactor 4 if asked, by the private key d, and writes the x coordinate,
 * 33 octets, big-endian. It returns 0, or -1 if the point is none of the curve or the product is the point at infinity. */
int m257_agree(const unsigned char d[32], const unsigned char compressed[33], int cofactor, unsigned char x[33]);

#endif
