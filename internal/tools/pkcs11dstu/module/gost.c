#include "gost.h"

#include <stdint.h>
#include <string.h>

/* DKE 1: the row of the lowest four bits first. */
static const unsigned char SBOX[8][16] = {
	{0xa, 0x9, 0xd, 0x6, 0xe, 0xb, 0x4, 0x5, 0xf, 0x1, 0x3, 0xc, 0x7, 0x0, 0x8, 0x2},
	{0x8, 0x0, 0xc, 0x4, 0x9, 0x6, 0x7, 0xb, 0x2, 0x3, 0x1, 0xf, 0x5, 0xe, 0xa, 0xd},
	{0xf, 0x6, 0x5, 0x8, 0xe, 0xb, 0xa, 0x4, 0xc, 0x0, 0x3, 0x7, 0x2, 0x9, 0x1, 0xd},
	{0x3, 0x8, 0xd, 0x9, 0x6, 0xb, 0xf, 0x0, 0x2, 0x5, 0xc, 0xa, 0x4, 0xe, 0x1, 0x7},
	{0xf, 0x8, 0xe, 0x9, 0x7, 0x2, 0x0, 0xd, 0xc, 0x6, 0x1, 0x5, 0xb, 0x4, 0x3, 0xa},
	{0x2, 0x8, 0x9, 0x7, 0x5, 0xf, 0x0, 0xb, 0xc, 0x1, 0xd, 0xe, 0xa, 0x3, 0x6, 0x4},
	{0x3, 0x8, 0xb, 0x5, 0x6, 0x4, 0xe, 0xa, 0x2, 0xc, 0x1, 0x7, 0x9, 0xf, 0xd, 0x0},
	{0x1, 0x2, 0x3, 0xe, 0x6, 0xd, 0xb, 0x8, 0xf, 0xa, 0xc, 0x5, 0x7, 0x9, 0x0, 0x4},
};

static uint32_t load(const unsigned char *b) { return b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24; }

static void store(unsigned char *b, uint32_t v) {
	for (int i = 0; i < 4; i++)
		b[i] = v >> 8 * i;
}

static uint32_t f(uint32_t x) {
	uint32_t y = 0;
	for (int i = 0; i < 8; i++)
		y |= (uint32_t)SBOX[i][x >> 4 * i & 15] << 4 * i;
	return y << 11 | y >> 21;
}

static void encrypt(const unsigned char key[32], const unsigned char in[8], unsigned char out[8]) {
	uint32_t low = load(in), high = load(in + 4);
	for (int i = 0; i < 32; i++) {
		uint32_t k = load(key + 4 * (i < 24 ? i % 8 : 31 - i)), t = high ^ f(low + k);
		high = low;
		low = t;
	}
	store(out, high);
	store(out + 4, low);
}

/* The hash: 32 octets are a number, little-endian. */

static void permute(const unsigned char u[32], const unsigned char v[32], unsigned char key[32]) {
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < 8; k++)
			key[i + 4 * k] = u[8 * i + k] ^ v[8 * i + k];
}

static void shuffle(unsigned char y[32]) {
	unsigned char top[8];
	for (int i = 0; i < 8; i++)
		top[i] = y[i] ^ y[8 + i];
	memmove(y, y + 8, 24);
	memcpy(y + 24, top, 8);
}

static void mix(unsigned char y[32], int times) {
	while (times-- > 0) {
		unsigned char low = y[0] ^ y[2] ^ y[4] ^ y[6] ^ y[24] ^ y[30], high = y[1] ^ y[3] ^ y[5] ^ y[7] ^ y[25] ^ y[31];
		memmove(y, y + 2, 30);
		y[30] = low;
		y[31] = high;
	}
}

static void step(unsigned char h[32], const unsigned char m[32]) {
	static const unsigned char C3[32] = {
		0x00, 0xff, 0x00, 0xff, 0x00, 0xff, 0x00, 0xff, 0xff, 0x00, 0xff, 0x00, 0xff, 0x00, 0xff, 0x00,
		0x00, 0xff, 0xff, 0x00, 0xff, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0xff, 0xff, 0x00, 0xff,
	};
	unsigned char u[32], v[32], key[32], s[32];
	memcpy(u, h, 32);
	memcpy(v, m, 32);
	for (int i = 0; i < 4; i++) {
		if (i > 0) {
			shuffle(u);
			for (int j = 0; i == 2 && j < 32; j++)
				u[j] ^= C3[j];
			shuffle(v);
			shuffle(v);
		}
		permute(u, v, key);
		encrypt(key, h + 8 * i, s + 8 * i);
	}
	mix(s, 12);
	for (int j = 0; j < 32; j++)
		s[j] ^= m[j];
	mix(s, 1);
	for (int j = 0; j < 32; j++)
		s[j] ^= h[j];
	mix(s, 61);
	memcpy(h, s, 32);
}

static void hash(const unsigned char *data, int n, unsigned char h[32]) {
	unsigned char sum[32] = {0}, block[32], length[32] = {0};
	memset(h, 0, 32);
	store(length, (uint32_t)n * 8);
	for (int at = 0; at < n; at += 32) {
		memset(block, 0, 32);
		memcpy(block, data + at, n - at < 32 ? n - at : 32);
		step(h, block);
		for (int j = 0, carry = 0; j < 32; j++) {
			carry += sum[j] + block[j];
			sum[j] = carry;
			carry >>= 8;
		}
	}
	step(h, length);
	step(h, sum);
}

void gost_kek(const unsigned char *secret, int n, const unsigned char *ukm, int ukm_n, unsigned char kek[32]) {
	/* AlgorithmIdentifier of the wrap, with NULL, and the length of the key in bits (ECC-CMS-SharedInfo). */
	static const unsigned char WRAP[] = {0x30, 0x0f, 0x06, 0x0b, 0x2a, 0x86, 0x24, 0x02, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x05, 0x05, 0x00};
	static const unsigned char BITS[] = {0xa2, 0x06, 0x04, 0x04, 0x00, 0x00, 0x01, 0x00};
	unsigned char data[256], *at = data;
	while (n > 0 && *secret == 0)
		secret++, n--;
	memcpy(at, secret, n);
	at += n;
	memcpy(at, "\0\0\0\1", 4);
	at += 4;
	*at++ = 0x30;
	*at++ = sizeof WRAP + sizeof BITS + (ukm_n ? ukm_n + 4 : 0);
	memcpy(at, WRAP, sizeof WRAP);
	at += sizeof WRAP;
	if (ukm_n) {
		*at++ = 0xa0;
		*at++ = ukm_n + 2;
		*at++ = 0x04;
		*at++ = ukm_n;
		memcpy(at, ukm, ukm_n);
		at += ukm_n;
	}
	memcpy(at, BITS, sizeof BITS);
	at += sizeof BITS;
	hash(data, at - data, kek);
}

static void cfb_decrypt(const unsigned char key[32], const unsigned char iv[8], unsigned char *data, int n) {
	unsigned char feedback[8], gamma[8];
	memcpy(feedback, iv, 8);
	for (int i = 0; i < n; i++) {
		if (i % 8 == 0)
			encrypt(key, feedback, gamma);
		feedback[i % 8] = data[i];
		data[i] ^= gamma[i % 8];
	}
}

int gost_unwrap(const unsigned char kek[32], const unsigned char wrapped[44], unsigned char key[32]) {
	static const unsigned char IV[8] = {0x4a, 0xdd, 0xa2, 0x2c, 0x79, 0xe8, 0x21, 0x05};
	unsigned char t[44], plain[44];
	memcpy(t, wrapped, 44);
	cfb_decrypt(kek, IV, t, 44);
	for (int i = 0; i < 44; i++)
		plain[i] = t[43 - i];
	cfb_decrypt(kek, plain, plain + 8, 36);
	uint32_t low = 0, high = 0;
	for (int at = 0; at < 32; at += 8) { /* the MAC: sixteen rounds a block */
		low ^= load(plain + 8 + at);
		high ^= load(plain + 8 + at + 4);
		for (int i = 0; i < 16; i++) {
			uint32_t u = high ^ f(low + load(kek + 4 * (i % 8)));
			high = low;
			low = u;
		}
	}
	if (low != load(plain + 40))
		return -1;
	memcpy(key, plain + 8, 32);
	return 0;
}
