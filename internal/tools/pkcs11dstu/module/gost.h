/* What a token needs to open an envelope: the hash of GOST 34.311-95, the key wrap of GOST 28147, both with DKE 1, and the
 * derivation between them (RFC 5753 7.2 with national algorithms). Plain and slow, for tests only; it shares nothing with
 * internal/dstu, so that each checks the other. */
#ifndef GOST_H
#define GOST_H

enum { GOST_KEY = 32, GOST_WRAPPED = 44, GOST_UKM = 64 };

/* gost_kek derives the key that wraps from a shared secret, big-endian, n octets, whose leading zeros do not count, and the
 * user keying material, at most GOST_UKM octets; 0 octets are none. */
void gost_kek(const unsigned char *secret, int n, const unsigned char *ukm, int ukm_n, unsigned char kek[32]);

/* gost_unwrap opens a wrapped key; -1 if it does not open. */
int gost_unwrap(const unsigned char kek[32], const unsigned char wrapped[44], unsigned char key[32]);

#endif
