#include "m257.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Five words hold a field element (257 bits) or an integer, least significant word first. */
enum { WORDS = 5, M = 257, K = 12 };
typedef struct { uint64_t w[WORDS]; } num;

static const num ORDER = {{0xd3e17714907d470d, 0x6759213af182e987, 0x0, 0x8000000000000000, 0x0}};
static const num BASE_X = {{0x34a9e8dcd8d20fb7, 0x7ac491ca1b10c623, 0x55cd260b306c7e00, 0x2a29ef207d0e9b6c, 0x0}};
static const num BASE_Y = {{0x8b702cf156d814ef, 0xe6812c93a9d60b97, 0x9fccf6d8eea03102, 0x686d41ff744d444, 0x1}};

static int bit(const num *a, int i) { return a->w[i / 64] >> (i % 64) & 1; }

static int is_zero(const num *a) {
	uint64_t all = 0;
	for (int i = 0; i < WORDS; i++)
		all |= a->w[i];
	return all == 0;
}

static num shift_left(const num *a) {
	num r;
	uint64_t carry = 0;
	for (int i = 0; i < WORDS; i++) {
		r.w[i] = a->w[i] << 1 | carry;
		carry = a->w[i] >> 63;
	}
	return r;
}

static num load(const unsigned char *octets, int n) {
	num r = {{0}};
	for (int i = 0; i < n; i++)
		r.w[i / 8] |= (uint64_t)octets[i] << (i % 8 * 8);
	return r;
}

static void store(const num *a, unsigned char *octets, int n) {
	for (int i = 0; i < n; i++)
		octets[i] = a->w[i / 8] >> (i % 8 * 8);
}

/* The field: polynomials over GF(2) modulo x^257 + x^12 + 1. */

static num field_add(const num *a, const num *b) {
	num r;
	for (int i = 0; i < WORDS; i++)
		r.w[i] = a->w[i] ^ b->w[i];
	return r;
}

static num field_mul(const num *a, const num *b) {
	num r = {{0}};
	for (int i = M - 1; i >= 0; i--) {
		r = shift_left(&r);
		if (bit(&r, M)) {
			r.w[M / 64] ^= (uint64_t)1 << (M % 64);
			r.w[0] ^= (uint64_t)1 << K | 1;
		}
		if (bit(b, i))
			r = field_add(&r, a);
	}
	return r;
}

static int degree(const num *a) {
	for (int i = 64 * WORDS - 1; i >= 0; i--)
		if (bit(a, i))
			return i;
	return -1;
}

static num shift_by(const num *a, int n) {
	num r = *a;
	while (n-- > 0)
		r = shift_left(&r);
	return r;
}

/* The extended algorithm of Euclid for polynomials; a is not zero. */
static num field_inv(const num *a) {
	num u = *a, v = {{0}}, g = {{1}}, h = {{0}};
	v.w[0] = (uint64_t)1 << K | 1;
	v.w[M / 64] |= (uint64_t)1 << (M % 64);
	while (degree(&u) != 0) {
		int j = degree(&u) - degree(&v);
		if (j < 0) {
			num t = u;
			u = v, v = t;
			t = g, g = h, h = t;
			j = -j;
		}
		num s = shift_by(&v, j);
		u = field_add(&u, &s);
		s = shift_by(&h, j);
		g = field_add(&g, &s);
	}
	return g;
}

/* The curve y^2 + xy = x^3 + b, affine; b itself is in neither formula. */

typedef struct { num x, y; int infinity; } point;

static point point_double(const point *p) {
	point r = {.infinity = 1};
	if (p->infinity || is_zero(&p->x))
		return r;
	num inv = field_inv(&p->x);
	num slope = field_mul(&p->y, &inv);
	slope = field_add(&slope, &p->x);
	num t = field_mul(&slope, &slope);
	r.x = field_add(&t, &slope);
	num one = {{1}};
	num u = field_add(&slope, &one);
	u = field_mul(&u, &r.x);
	t = field_mul(&p->x, &p->x);
	r.y = field_add(&t, &u);
	r.infinity = 0;
	return r;
}

static point point_add(const point *p, const point *q) {
	if (p->infinity)
		return *q;
	if (q->infinity)
		return *p;
	num dx = field_add(&p->x, &q->x), dy = field_add(&p->y, &q->y);
	point r = {.infinity = 1};
	if (is_zero(&dx))
		return is_zero(&dy) ? point_double(p) : r;
	num inv = field_inv(&dx);
	num slope = field_mul(&dy, &inv);
	num t = field_mul(&slope, &slope);
	t = field_add(&t, &slope);
	r.x = field_add(&t, &dx);
	t = field_add(&p->x, &r.x);
	t = field_mul(&t, &slope);
	t = field_add(&t, &r.x);
	r.y = field_add(&t, &p->y);
	r.infinity = 0;
	return r;
}

static point base_mul(const num *k) {
	point base = {BASE_X, BASE_Y, 0}, r = {.infinity = 1};
	for (int i = 255; i >= 0; i--) {
		r = point_double(&r);
		if (bit(k, i))
			r = point_add(&r, &base);
	}
	return r;
}

/* Integers modulo the order n. */

static int not_below_order(const num *a) {
	for (int i = WORDS - 1; i >= 0; i--)
		if (a->w[i] != ORDER.w[i])
			return a->w[i] > ORDER.w[i];
	return 1;
}

static num reduce_once(num a) {
	if (!not_below_order(&a))
		return a;
	uint64_t borrow = 0;
	for (int i = 0; i < WORDS; i++) {
		uint64_t t = a.w[i] - ORDER.w[i], next = a.w[i] < ORDER.w[i] || t < borrow;
		a.w[i] = t - borrow;
		borrow = next;
	}
	return a;
}

static num order_add(const num *a, const num *b) {
	num r;
	uint64_t carry = 0;
	for (int i = 0; i < WORDS; i++) {
		uint64_t t = a->w[i] + carry, next = t < carry;
		r.w[i] = t + b->w[i];
		carry = next + (r.w[i] < t);
	}
	return reduce_once(r);
}

static num order_mul(const num *a, const num *b) {
	num r = {{0}};
	for (int i = 255; i >= 0; i--) {
		r = reduce_once(shift_left(&r));
		if (bit(b, i))
			r = order_add(&r, a);
	}
	return r;
}

static int random_scalar(num *k) {
	unsigned char octets[32];
	FILE *f = fopen("/dev/urandom", "rb");
	if (!f)
		return -1;
	size_t n = fread(octets, 1, sizeof octets, f);
	fclose(f);
	if (n != sizeof octets)
		return -1;
	*k = load(octets, sizeof octets);
	return 0;
}

int m257_sign(const unsigned char d[32], const unsigned char digest[32], unsigned char signature[64]) {
	num key = load(d, 32), h = load(digest, 32);
	if (is_zero(&h))
		h.w[0] = 1;
	for (;;) {
		num k;
		if (random_scalar(&k))
			return -1;
		if (is_zero(&k) || not_below_order(&k))
			continue;
		point R = base_mul(&k);
		if (R.infinity || is_zero(&R.x))
			continue;
		num r = field_mul(&h, &R.x);
		r.w[3] &= ~(uint64_t)0 >> 1; /* the low bitlen(n) - 1 = 255 bits */
		r.w[4] = 0;
		if (is_zero(&r))
			continue;
		num s = order_mul(&key, &r);
		s = order_add(&s, &k);
		if (is_zero(&s))
			continue;
		store(&r, signature, 32);
		store(&s, signature + 32, 32);
		return 0;
	}
}

/* Key agreement. */

static const num B = {{0x1f9eea6adbe3be10, 0xff9425c1458c5786, 0x18f938d7a7942394, 0xcef494720115657e, 0x1}};

static num trace(const num *a) {
	num t = *a, r = *a;
	for (int i = 1; i < M; i++) {
		t = field_mul(&t, &t);
		r = field_add(&r, &t);
	}
	return r;
}

/* half_trace solves z^2 + z = a for an odd degree, if there is a solution. */
static num half_trace(const num *a) {
	num t = *a, r = *a;
	for (int i = 1; i <= (M - 1) / 2; i++) {
		t = field_mul(&t, &t);
		t = field_mul(&t, &t);
		r = field_add(&r, &t);
	}
	return r;
}

/* decompress: the lowest bit of the octets is the trace of y/x; that of x itself makes its trace equal to a, which is 0. */
static int decompress(const unsigned char compressed[33], point *p) {
	p->infinity = 0;
	p->x = load(compressed, 33);
	int sign = p->x.w[0] & 1;
	if (p->x.w[M / 64] >> 1)
		return -1;
	p->x.w[0] &= ~(uint64_t)1;
	num t = trace(&p->x);
	if (!is_zero(&t))
		p->x.w[0] |= 1;
	if (is_zero(&p->x))
		return -1;
	num inv = field_inv(&p->x), w = field_mul(&inv, &inv);
	w = field_mul(&w, &B);
	w = field_add(&w, &p->x);
	num z = half_trace(&w), check = field_mul(&z, &z);
	check = field_add(&check, &z);
	check = field_add(&check, &w);
	if (!is_zero(&check))
		return -1;
	t = trace(&z);
	if (is_zero(&t) == sign)
		z.w[0] ^= 1;
	p->y = field_mul(&p->x, &z);
	return 0;
}

int m257_agree(const unsigned char d[32], const unsigned char compressed[33], int cofactor, unsigned char x[33]) {
	point peer, r = {.infinity = 1};
	num key = load(d, 32);
	unsigned char little[33];
	if (decompress(compressed, &peer))
		return -1;
	if (cofactor) {
		peer = point_double(&peer);
		peer = point_double(&peer);
	}
	for (int i = 255; i >= 0; i--) {
		r = point_double(&r);
		if (bit(&key, i))
			r = point_add(&r, &peer);
	}
	if (r.infinity)
		return -1;
	store(&r.x, little, 33);
	for (int i = 0; i < 33; i++)
		x[i] = little[32 - i];
	return 0;
}
