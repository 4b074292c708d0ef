package dstu4145

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"brama/internal/dstu/internal/gf2m"
)

func newRand(seed uint64) *rand.ChaCha8 {
	return rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
}

func randomKey(t testing.TB, c *Curve, r io.Reader) *PrivateKey {
	t.Helper()
	k, err := GenerateKey(c, r)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func eachCurve(t *testing.T, run func(t *testing.T, c *Curve)) {
	for _, c := range Curves() {
		t.Run(c.Name(), func(t *testing.T) { run(t, c) })
	}
}

// portableCurve is c without the routines of this machine.
func portableCurve(c *Curve) *Curve {
	return newCurve(c.name+" portable", c.index, c.field.Portable(), c.a, c.Params())
}

func TestSignVerify(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		r := newRand(1)
		w := twinOf(c)
		for i := range 2 {
			k := randomKey(t, c, r)
			digest := make([]byte, 20+30*i)
			r.Read(digest)
			sig, err := k.Sign(r, digest, nil)
			if err != nil {
				t.Fatal(err)
			}
			q := w.neg(w.scalarMul(leInt(k.Bytes()), w.p))
			if got := toTwin(c, &k.pub.point); got.x.Cmp(q.x) != 0 || got.y.Cmp(q.y) != 0 {
				t.Fatal("the public key is not −dP")
			}
			half := c.ScalarSize()
			if !w.verify(digest, leInt(sig[:half]), leInt(sig[half:]), q) {
				t.Fatal("the twin refuses the signature")
			}
			pub, err := ParsePublicKey(c, k.pub.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if !pub.Equal(k.Public()) || !bytes.Equal(pub.Bytes(), k.pub.Bytes()) {
				t.Fatal("the public key does not survive its encoding")
			}
			for name, pub := range map[string]*PublicKey{"new": pub, "seen": pub.PrecomputeSmall(), "known": pub.Precompute()} {
				if !pub.Verify(digest, sig) {
					t.Fatalf("%s key: refused", name)
				}
				for range 4 {
					bad := bytes.Clone(sig)
					bad[r.Uint64()%uint64(len(bad))] ^= 1 << (r.Uint64() % 8)
					if got := pub.VerifyVarTime(digest, bad); got == nil {
						t.Fatalf("%s key: a changed signature is accepted", name)
					}
				}
			}
			again, err := NewPrivateKey(c, k.Bytes())
			if err != nil || !again.Equal(k) || !again.pub.Equal(k.pub) {
				t.Fatal("the private key does not survive its encoding")
			}
		}
	})
}

// A digest of zeros counts as one; an empty one is zeros too.
func TestZeroDigest(t *testing.T) {
	k := randomKey(t, M257(), newRand(2))
	sig, err := k.Sign(newRand(3), make([]byte, 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !k.pub.Verify([]byte{1}, sig) || !k.pub.Verify(nil, sig) || k.pub.Verify([]byte{2}, sig) {
		t.Error("a digest of zeros is not taken as one")
	}
}

func TestZeroSignature(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		k := randomKey(t, c, newRand(4))
		digest := []byte("any digest")
		sig, err := k.Sign(newRand(5), digest, nil)
		if err != nil {
			t.Fatal(err)
		}
		half := c.ScalarSize()
		n := reversed(c.Params().N)
		for name, change := range map[string]func(s []byte){
			"r = 0":     func(s []byte) { clear(s[:half]) },
			"s = 0":     func(s []byte) { clear(s[half:]) },
			"both zero": func(s []byte) { clear(s) },
			"r = n":     func(s []byte) { copy(s, n) },
			"s = n":     func(s []byte) { copy(s[half:], n) },
			"all ones": func(s []byte) {
				for i := range s {
					s[i] = 0xff
				}
			},
		} {
			bad := bytes.Clone(sig)
			change(bad)
			for _, pub := range []*PublicKey{k.pub, k.pub.PrecomputeSmall(), k.pub.Precompute()} {
				if err := pub.VerifyVarTime(digest, bad); !errors.Is(err, ErrSignatureRange) {
					t.Errorf("%s: got %v, want ErrSignatureRange", name, err)
				}
			}
		}
	})
}

// r + n and s + n say the same modulo n and must not be a second signature. There is room for them in the bytes of some
// curves only.
func TestRPlusN(t *testing.T) {
	tried := 0
	eachCurve(t, func(t *testing.T, c *Curve) {
		k := randomKey(t, c, newRand(6))
		digest := []byte("any digest")
		half := c.ScalarSize()
		n := new(big.Int).SetBytes(c.Params().N)
		for i := range 20 {
			sig, err := k.Sign(newRand(uint64(7+i)), digest, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range []int{0, half} {
				sum := leInt(sig[at : at+half])
				sum.Add(sum, n)
				if sum.BitLen() > 8*half {
					continue
				}
				tried++
				bad := bytes.Clone(sig)
				copy(bad[at:], leBytes(sum, half))
				if err := k.pub.VerifyVarTime(digest, bad); !errors.Is(err, ErrSignatureRange) {
					t.Errorf("got %v, want ErrSignatureRange", err)
				}
			}
		}
	})
	if tried == 0 {
		t.Error("no curve had room for it")
	}
}

// With s = d·r the sum sP + rQ is O, and a comparison without division would read 0 = 0 for any digest.
func TestInfinityR(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		k := randomKey(t, c, newRand(8))
		for i := range 6 {
			r, s := scalar{uint64(i + 1)}, scalar{}
			if i > 2 {
				r = scalar{}
				r[c.n.words-1] = 1
				r[0] = uint64(i)
			}
			c.n.mul(&s, &k.d, &r)
			sig := c.n.appendBytes(c.n.appendBytes(nil, &r), &s)
			for name, pub := range map[string]*PublicKey{"new": k.pub, "seen": k.pub.PrecomputeSmall(), "known": k.pub.Precompute()} {
				if err := pub.VerifyVarTime([]byte("any digest"), sig); !errors.Is(err, ErrSignatureInfinity) {
					t.Errorf("%s key: got %v, want ErrSignatureInfinity", name, err)
				}
			}
		}
	})
}

func TestSignatureSize(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		k := randomKey(t, c, newRand(9))
		sig, err := k.Sign(newRand(9), []byte("digest"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(sig) != c.SignatureSize() {
			t.Errorf("got %d bytes, want %d", len(sig), c.SignatureSize())
		}
		for _, bad := range [][]byte{nil, sig[1:], sig[:len(sig)-1], append(bytes.Clone(sig), 0)} {
			if err := k.pub.VerifyVarTime([]byte("digest"), bad); !errors.Is(err, ErrSignatureSize) {
				t.Errorf("%d bytes: got %v, want ErrSignatureSize", len(bad), err)
			}
		}
	})
}

// Points that must not become keys, on every curve: wrong size, bits too many, O, x = 0, off the curve, of an order
// other than n. What the twin says of random encodings decides.
func TestBadPoints(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		refuse := func(name string, b []byte, want error) {
			t.Helper()
			if k, err := ParsePublicKey(c, b); k != nil || !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", name, err, want)
			}
		}
		size := c.PointSize()
		refuse("nothing", nil, ErrPointSize)
		refuse("short", make([]byte, size-1), ErrPointSize)
		refuse("long", make([]byte, size+1), ErrPointSize)
		refuse("zeros", make([]byte, size), ErrPointZero)
		over := make([]byte, size)
		over[c.FieldBits()/8] = 1 << (c.FieldBits() % 8)
		refuse("bit m", over, ErrPointEncoding)
		if c.a == 0 {
			// The lowest bit alone: with Tr(x) = 0 that is x = 0 again.
			refuse("x = 0 with a bit", append([]byte{1}, make([]byte, size-1)...), ErrPointZero)
		}

		w := twinOf(c)
		r := newRand(10)
		seen := map[error]int{}
		for range 24 {
			b := make([]byte, size)
			r.Read(b)
			b[size-1] &= 1<<(c.FieldBits()-8*(size-1)) - 1
			var want error
			p, ok := w.decompress(b)
			if !ok {
				want = ErrNotOnCurve
			} else if !w.onCurve(p) {
				t.Fatal("the twin's point is not on the curve")
			} else if w.scalarMul(w.n, p) != nil {
				want = ErrSubgroup
			}
			seen[want]++
			if _, err := ParsePublicKey(c, b); !errors.Is(err, want) {
				t.Errorf("%x: got %v, want %v", b, err, want)
			}
		}
		if seen[nil] == 0 || seen[ErrNotOnCurve] == 0 || c.a == 0 && seen[ErrSubgroup] == 0 {
			t.Errorf("random encodings did not meet every case: %v", seen)
		}
	})
}

// The shortcut for n·Q = O agrees with n·Q on every coset of the subgroup: P plus points of order 2 and 4.
func TestSubgroupCosets(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		w := twinOf(c)
		// Random points with either trace, multiplied by n, run through the points of small order.
		r := newRand(11)
		outside := 0
		for range 12 {
			b := make([]byte, c.PointSize()+8)
			r.Read(b)
			x := w.mod(leInt(b))
			xi := w.inv(x)
			rhs := new(big.Int).Xor(x, w.mul(w.b, w.mul(xi, xi)))
			rhs.Xor(rhs, big.NewInt(int64(w.a)))
			if w.trace(rhs) != 0 {
				continue
			}
			z, s := new(big.Int), rhs
			for range (w.m + 1) / 2 {
				z.Xor(z, s)
				s = w.mul(s, s)
				s = w.mul(s, s)
			}
			p := &twinPoint{x, w.mul(x, z)}
			if !w.onCurve(p) {
				t.Fatal("not on the curve")
			}
			small := w.scalarMul(w.n, p)
			want := small == nil
			if !want {
				outside++
			}
			var fx, fy gf2m.Element
			c.field.SetBytes(&fx, leBytes(p.x, c.PointSize()))
			c.field.SetBytes(&fy, leBytes(p.y, c.PointSize()))
			if got := c.inSubgroup(&fx, &fy); got != want {
				t.Errorf("got %v, want %v (n·p = %v)", got, want, small)
			}
		}
		if outside == 0 {
			t.Error("no point outside the subgroup was met")
		}
	})
}

// CVE-2020-0601: a right curve with a base point of the attacker's choice.
func TestOtherBasePoint(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		if got, err := FindCurve(c.Params()); got != c || err != nil {
			t.Fatalf("got %v, %v", got, err)
		}
		k := randomKey(t, c, newRand(12))
		for name, change := range map[string]func(p *Params){
			"base point":      func(p *Params) { p.Base = k.pub.Bytes() },
			"base point sign": func(p *Params) { p.Base[0] ^= 1 },
			"order":           func(p *Params) { p.N[len(p.N)-1] ^= 2 },
			"longer order":    func(p *Params) { p.N = append([]byte{0}, p.N...) },
			"b":               func(p *Params) { p.B[3] ^= 1 },
			"a":               func(p *Params) { p.A ^= 1 },
			"polynomial":      func(p *Params) { p.K[0]++ },
			"more terms":      func(p *Params) { p.K = append(p.K, 30) },
			"m":               func(p *Params) { p.M++ },
			"nothing":         func(p *Params) { *p = Params{} },
		} {
			p := c.Params()
			change(&p)
			if got, err := FindCurve(p); got != nil || !errors.Is(err, ErrForeignParams) {
				t.Errorf("%s: got %v, %v, want ErrForeignParams", name, got, err)
			}
		}
	})
}

func TestPrivateKeyRange(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		n := reversed(c.Params().N)
		minus1 := bytes.Clone(n)
		minus1[0]-- // n is odd
		if _, err := NewPrivateKey(c, minus1); err != nil {
			t.Errorf("n − 1: %v", err)
		}
		if k, err := NewPrivateKey(c, []byte{1}); err != nil || !k.pub.Equal(k.Public()) {
			t.Errorf("1: %v", err)
		}
		padded := append([]byte{2}, make([]byte, c.PointSize()-1)...)
		if _, err := NewPrivateKey(c, padded); err != nil {
			t.Errorf("2 with zero bytes: %v", err)
		}
		over := make([]byte, c.PointSize())
		over[c.PointSize()-1] = 0xff
		for name, bad := range map[string][]byte{
			"nothing": nil, "zero": {0}, "n": n, "longer": append(padded, 0), "large": over,
		} {
			if _, err := NewPrivateKey(c, bad); !errors.Is(err, ErrPrivateKey) {
				t.Errorf("%s: got %v, want ErrPrivateKey", name, err)
			}
		}
	})
}

func TestGenerateKey(t *testing.T) {
	if _, err := GenerateKey(M257(), nil); !errors.Is(err, ErrNoRandomness) {
		t.Errorf("nil: got %v, want ErrNoRandomness", err)
	}
	failure := errors.New("broken")
	if _, err := GenerateKey(M257(), iotest.ErrReader(failure)); !errors.Is(err, failure) {
		t.Errorf("got %v, want the reader's error", err)
	}
	// A source that gives n or zero forever ends.
	if _, err := GenerateKey(M257(), constant(0)); !errors.Is(err, ErrNoRandomness) {
		t.Errorf("zeros: got %v, want ErrNoRandomness", err)
	}
	if _, err := GenerateKey(M257(), constant(0xff)); !errors.Is(err, ErrNoRandomness) {
		t.Errorf("ones: got %v, want ErrNoRandomness", err)
	}
}

type constant byte

func (c constant) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(c)
	}
	return len(b), nil
}

func TestHedgedNonce(t *testing.T) {
	k, other := randomKey(t, M257(), newRand(13)), randomKey(t, M257(), newRand(14))
	digest := sha256.Sum256([]byte("digest"))
	sign := func(k *PrivateKey, r io.Reader, digest []byte) string {
		t.Helper()
		sig, err := k.Sign(r, digest, crypto.Hash(0))
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(sig[:32])
	}
	base := sign(k, constant(1), digest[:])
	if sign(k, constant(1), digest[:]) != base {
		t.Error("not deterministic with the same noise")
	}
	if sign(k, constant(2), digest[:]) == base {
		t.Error("the noise does not matter")
	}
	// With a source that always gives the same, nonces still differ by digest and key. r = h·F would differ by h
	// anyway, so compare what the nonce makes: F.
	nonce := func(k *PrivateKey, digest []byte) scalar {
		var h gf2m.Element
		k.Curve().hashElement(&h, digest)
		var s nonceSource
		s.init(reversed(k.Bytes()), k.Curve().field.AppendBytes(nil, &h), make([]byte, noiseSize))
		var e scalar
		s.next(&e, &k.Curve().n)
		return e
	}
	digest2 := digest
	digest2[31] ^= 0x80
	if nonce(k, digest[:]) == nonce(k, digest2[:]) {
		t.Error("two digests have one nonce")
	}
	if nonce(k, digest[:]) == nonce(other, digest[:]) {
		t.Error("two keys have one nonce")
	}

	// No fallback when the source fails.
	failure := errors.New("broken")
	for name, r := range map[string]io.Reader{
		"failing": iotest.ErrReader(failure),
		"short":   io.MultiReader(bytes.NewReader(make([]byte, noiseSize-1)), iotest.ErrReader(failure)),
	} {
		if sig, err := k.Sign(r, digest[:], nil); sig != nil || !errors.Is(err, failure) {
			t.Errorf("%s source: got %x, %v", name, sig, err)
		}
	}
	if sig, err := k.Sign(nil, digest[:], nil); sig != nil || !errors.Is(err, ErrNoRandomness) {
		t.Errorf("no source: got %x, %v", sig, err)
	}
}

// Nonces fill the whole range: no bit of many is always the same, and all are below n.
func TestNonceBits(t *testing.T) {
	for _, c := range Curves() {
		k := randomKey(t, c, newRand(15))
		var ones [448]int
		accepted := 0
		for i := range 64 {
			var s nonceSource
			s.init(reversed(k.Bytes()), []byte{byte(i)}, nil)
			for {
				var e scalar
				s.next(&e, &c.n)
				if c.n.inRange(&e) == 0 {
					continue
				}
				accepted++
				for b := range c.n.bits {
					ones[b] += int(e[b/64] >> (b % 64) & 1)
				}
				break
			}
		}
		for b := range c.n.bits - 1 {
			if ones[b] < 8 || ones[b] > 56 {
				// The highest bits of an order just above a power of two are nearly always zero in range.
				t.Errorf("%s: bit %d is set in %d of %d nonces", c.Name(), b, ones[b], accepted)
			}
		}
	}
}

// RFC 6979, appendix A.2.5: P-256, SHA-256, messages "sample" and "test", without additional data.
func TestRFC6979(t *testing.T) {
	var o order
	o.init(unhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"))
	for message, want := range map[string]string{
		"sample": "a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60",
		"test":   "d16b6ae827f17175e040871a1c7ec3500192c4c92677336ec2537acaee0008e0",
	} {
		var s nonceSource
		h := sha256.Sum256([]byte(message))
		s.init(unhex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"), h[:], nil)
		var e scalar
		s.next(&e, &o)
		if got := hex.EncodeToString(reversed(o.appendBytes(nil, &e))); got != want {
			t.Errorf("%s: got %s, want %s", message, got, want)
		}
	}
	// The same appendix, A.2.4, curve P-192 has a shorter order; A.2.7, P-521, needs more than one block and a shift.
	o = order{}
	var e scalar
	o.init(unhex("ffffffffffffffffffffffff99def836146bc9b1b4d22831"))
	var s nonceSource
	h := sha256.Sum256([]byte("sample"))
	// bits2octets: the leftmost 192 bits, which are below the order.
	s.init(unhex("6fab034934e4c0fc9ae67f5b5659a9d7d1fefd187ee09fd4"), h[:24], nil)
	s.next(&e, &o)
	if got, want := hex.EncodeToString(reversed(o.appendBytes(nil, &e))), "32b1b6d7d42a05cb449065727a84804fb1a3e34d8f261496"; got != want {
		t.Errorf("P-192: got %s, want %s", got, want)
	}
}

// SHA-256 and HMAC of our own and of the build agree with the library's.
func TestHMAC(t *testing.T) {
	r := newRand(16)
	for n := range maxSeed + 1 {
		m, key := make([]byte, n), new([32]byte)
		r.Read(m)
		r.Read(key[:])
		if got, want := initial256.finish(m, 0), sha256.Sum256(m); got != want {
			t.Fatalf("%d bytes: got %x, want %x", n, got, want)
		}
		mac := hmac.New(sha256.New, key[:])
		mac.Write(m)
		want := [32]byte(mac.Sum(nil))
		var portable portableHMAC
		var h hmac256
		portable.set(key)
		h.set(key)
		if portable.sum(m) != want || h.sum(m) != want {
			t.Fatalf("%d bytes: wrong MAC", n)
		}
	}
}

// A signature that does not verify never leaves Sign: here d is not the key's.
func TestVerifyAfterSign(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		k := randomKey(t, c, newRand(17))
		faulty := &PrivateKey{pub: k.pub, d: k.d}
		faulty.d[0] ^= 2
		for i := range checkAfter + 2 { // with and without tables
			if sig, err := faulty.Sign(crand.Reader, []byte("digest"), nil); sig != nil || !errors.Is(err, ErrFault) {
				t.Errorf("signature %d: got %x, %v, want ErrFault", i, sig, err)
			}
		}
		if faulty.check.Load() == nil {
			t.Error("the tables were not made")
		}
	})
}

// Arithmetic modulo n against big.Int.
func TestOrder(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		n := new(big.Int).SetBytes(c.Params().N)
		r := newRand(18)
		draw := func(i int) (*big.Int, scalar) {
			b := make([]byte, c.ScalarSize())
			r.Read(b)
			x := leInt(b)
			switch i {
			case 0:
				x = big.NewInt(0)
			case 1:
				x = new(big.Int).Sub(n, big.NewInt(1))
			}
			x.Mod(x, n)
			var s scalar
			c.n.setBytes(&s, leBytes(x, c.ScalarSize()))
			return x, s
		}
		for i := range 20 {
			bx, x := draw(i)
			by, y := draw(i / 2)
			var z scalar
			c.n.mul(&z, &x, &y)
			want := new(big.Int).Mul(bx, by)
			if leInt(c.n.appendBytes(nil, &z)).Cmp(want.Mod(want, n)) != 0 {
				t.Fatalf("%x·%x: got %x, want %x", bx, by, leInt(c.n.appendBytes(nil, &z)), want)
			}
			c.n.add(&z, &x, &y)
			want.Add(bx, by)
			if leInt(c.n.appendBytes(nil, &z)).Cmp(want.Mod(want, n)) != 0 {
				t.Fatalf("%x+%x: got %x, want %x", bx, by, leInt(c.n.appendBytes(nil, &z)), want)
			}
		}
	})
}

// Multiples agree with the twin for scalars at the ends of the range, where windows and carries are at their limits.
func TestMultiples(t *testing.T) {
	eachCurve(t, func(t *testing.T, c *Curve) {
		w := twinOf(c)
		k := randomKey(t, c, newRand(19))
		q := toTwin(c, &k.pub.point)
		table := k.pub.Precompute().windows
		r := newRand(20)
		b := make([]byte, c.ScalarSize())
		for i := range 6 {
			r.Read(b)
			s, u := new(big.Int).Mod(leInt(b), w.n), big.NewInt(int64(i+1))
			switch i {
			case 1:
				s, u = u, s
			case 2:
				s = new(big.Int).Sub(w.n, big.NewInt(1))
			case 3:
				u = new(big.Int).Sub(w.n, big.NewInt(2))
			case 4:
				u = new(big.Int).Set(s)
			}
			var ss, us scalar
			c.n.setBytes(&ss, leBytes(s, c.ScalarSize()))
			c.n.setBytes(&us, leBytes(u, c.ScalarSize()))
			want := w.add(w.scalarMul(s, w.p), w.scalarMul(u, q))
			var sums [3]gf2m.Point
			c.sumVarTime(&sums[0], &ss, &us, &k.pub.point)
			if small := k.pub.PrecomputeSmall(); small.split != nil {
				c.mulSplitVarTime(&sums[2], &us, small.split)
				c.accumulateVarTime(&sums[2], &ss, c.wideTable())
			} else {
				sums[2] = sums[0]
			}
			c.sumKnownVarTime(&sums[1], &ss, &us, table, &k.pub.point)
			for j := range sums {
				var a gf2m.Affine
				c.affine(&a, &sums[j])
				if j == 1 { // sums of a known key are of x alone
					a.L = w.fromTwin(c, want).L
				}
				if got := toTwin(c, &a); got.x.Cmp(want.x) != 0 || got.y.Cmp(want.y) != 0 {
					t.Fatalf("way %d, case %d: got (%x, %x), want (%x, %x)", j, i, got.x, got.y, want.x, want.y)
				}
			}
		}
	})
}

// FuzzVerify compares verification with the twin on M163 (the twin is slow) and the two ways of summing on all curves.
func FuzzVerify(f *testing.F) {
	for _, v := range loadVectors(f) {
		if v.R != nil && v.NamedCurve != nil {
			f.Add(uint8(*v.NamedCurve), []byte(v.Digest), v.signature(named(*v.NamedCurve)), v.D.Bytes())
		}
	}
	f.Fuzz(func(t *testing.T, index uint8, digest, sig, d []byte) {
		c := named(int(index) % 10)
		if len(d) > c.PointSize() {
			return
		}
		k, err := NewPrivateKey(c, reversed(bytes.Clone(d)))
		if err != nil {
			return
		}
		got := k.pub.VerifyVarTime(digest, sig)
		known, seen := k.pub.Precompute().VerifyVarTime(digest, sig), k.pub.PrecomputeSmall().VerifyVarTime(digest, sig)
		if known != got || seen != got {
			t.Fatalf("new key: %v, known key: %v, seen key: %v", got, known, seen)
		}
		if c.Index() == 0 && len(sig) == c.SignatureSize() {
			w := twinOf(c)
			half := c.ScalarSize()
			want := w.verify(digest, leInt(sig[:half]), leInt(sig[half:]), toTwin(c, &k.pub.point))
			if (got == nil) != want {
				t.Fatalf("got %v, the twin says %v", got, want)
			}
		}
	})
}

// FuzzParsePublicKey compares decompression with the twin.
func FuzzParsePublicKey(f *testing.F) {
	for _, c := range Curves() {
		f.Add(uint8(c.Index()), c.Params().Base)
	}
	f.Fuzz(func(t *testing.T, index uint8, b []byte) {
		c := named(int(index) % 10)
		k, err := ParsePublicKey(c, b)
		if err == nil && !bytes.Equal(k.Bytes(), c.compress(nil, &k.point)) {
			t.Fatal("parsed, but encodes otherwise")
		}
		if len(b) != c.PointSize() || c.Index() > 2 {
			return
		}
		w := twinOf(c)
		p, ok := w.decompress(b)
		if want := ok && w.scalarMul(w.n, p) == nil; want != (err == nil) {
			t.Fatalf("got %v, the twin says %v", err, want)
		}
	})
}

func TestAllocations(t *testing.T) {
	for _, c := range []*Curve{M257(), M431()} {
		k := randomKey(t, c, newRand(21))
		digest := []byte("digest")
		sig, err := k.Sign(newRand(22), digest, nil)
		if err != nil {
			t.Fatal(err)
		}
		known := k.pub.Precompute()
		for name, pub := range map[string]*PublicKey{"new": k.pub, "seen": k.pub.PrecomputeSmall(), "known": known} {
			pub.Verify(digest, sig)
			if n := testing.AllocsPerRun(5, func() { pub.Verify(digest, sig) }); n != 0 {
				t.Errorf("%s, %s key: %v allocations, want 0", c.Name(), name, n)
			}
		}
	}
}
