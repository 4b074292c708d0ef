package dstu4145

import (
	"errors"
	"sync"

	"brama/internal/dstu/internal/gf2m"
)

// A Curve is one of the ten named curves y² + xy = x³ + ax² + b. Curves are compared by pointer.
type Curve struct {
	name  string
	index int
	field *gf2m.Field
	// public is the same field for public values: verification, keys to verify with, and tables.
	public *gf2m.Field
	a      int
	b      gf2m.Element
	n      order
	base   gf2m.Affine
	// params are the numbers as other packages compare them.
	params Params

	verifyOnce  sync.Once
	verifyTable []gf2m.Affine // odd multiples of P for verification with a new key
	signOnce    sync.Once
	sign        *fixedTable
	wideOnce    sync.Once
	wide        *fixedTable
}

// Params are the numbers of a curve, for comparison with explicit parameters. They come from outside there, so the
// comparison must be of all of them: a foreign base point with a right curve is a forgery (CVE-2020-0601).
type Params struct {
	M    int
	K    []int  // 1 or 3 exponents, ascending: x^m + … + x^K[0] + 1
	A    int    // 0 or 1
	B    []byte // little-endian, ⌈m/8⌉ bytes
	N    []byte // big-endian magnitude, without leading zero bytes
	Base []byte // compressed, little-endian, ⌈m/8⌉ bytes
}

// ErrForeignParams refuses explicit parameters that are not those of a named curve in every number.
var ErrForeignParams = errors.New("dstu4145: parameters of no named curve")

// Equal reports whether p and q agree in every number.
func (p Params) Equal(q Params) bool {
	if p.M != q.M || p.A != q.A || len(p.K) != len(q.K) {
		return false
	}
	for i, k := range p.K {
		if k != q.K[i] {
			return false
		}
	}
	return string(p.B) == string(q.B) && string(p.N) == string(q.N) && string(p.Base) == string(q.Base)
}

// FindCurve returns the named curve whose parameters are p in every number, base point and order included, else
// ErrForeignParams. It does no arithmetic with p.
func FindCurve(p Params) (*Curve, error) {
	for i := range curves {
		if curves[i].m == p.M {
			if c := named(i); c.params.Equal(p) {
				return c, nil
			}
		}
	}
	return nil, ErrForeignParams
}

// Curves returns the ten curves in the order of their OIDs (index 0 is M163, 6 is M257, 9 is M431).
func Curves() []*Curve {
	all := make([]*Curve, len(curves))
	for i := range all {
		all[i] = named(i)
	}
	return all
}

// M257 is the curve of most signing keys.
func M257() *Curve { return named(6) }

// M431 is the largest curve, of most agreement keys and of the national root of 2026.
func M431() *Curve { return named(9) }

// Name is "M257" and so on.
func (c *Curve) Name() string { return c.name }

// Index is the last arc of the curve's OID 1.2.804.2.1.1.1.1.3.1.1.2.N.
func (c *Curve) Index() int { return c.index }

// FieldBits is m.
func (c *Curve) FieldBits() int { return c.field.Bits() }

// PointSize is ⌈m/8⌉, the length of a compressed point in bytes.
func (c *Curve) PointSize() int { return c.field.Bytes() }

// ScalarSize is ⌈bitlen(n)/8⌉, the length of a private key and of half a signature in bytes.
func (c *Curve) ScalarSize() int { return c.n.bytes }

// SignatureSize is 2·⌈bitlen(n)/8⌉, the length of a signature in bytes.
func (c *Curve) SignatureSize() int { return 2 * c.n.bytes }

// Params returns a copy of the curve's numbers.
func (c *Curve) Params() Params {
	p := c.params
	p.K = append([]int(nil), p.K...)
	p.B = append([]byte(nil), p.B...)
	p.N = append([]byte(nil), p.N...)
	p.Base = append([]byte(nil), p.Base...)
	return p
}

type curveSpec struct {
	name  string
	m     int
	k     []int
	a     int
	b, n  string // big-endian hex
	base  string // compressed, little-endian hex
	once  sync.Once
	curve *Curve
}

// named returns the curve of an index and makes it ready the first time.
func named(i int) *Curve {
	s := &curves[i]
	s.once.Do(func() {
		s.curve = newCurve(s.name, i, gf2m.New(s.m, s.k...), s.a, Params{
			M: s.m, K: s.k, A: s.a, B: reversed(unhex(s.b)), N: unhex(s.n), Base: unhex(s.base),
		})
	})
	return s.curve
}

func newCurve(name string, index int, f *gf2m.Field, a int, p Params) *Curve {
	// b is written without leading zeros; the encoding has ⌈m/8⌉ bytes.
	for len(p.B) < f.Bytes() {
		p.B = append(p.B, 0)
	}
	c := &Curve{name: name, index: index, field: f, public: f.VarTime(), a: a, params: p}
	if !f.SetBytes(&c.b, p.B) {
		panic("dstu4145: internal error: coefficient b")
	}
	c.n.init(p.N)
	if err := c.decompress(&c.base, p.Base); err != nil {
		panic("dstu4145: internal error: base point")
	}
	return c
}

func reversed(b []byte) []byte {
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return b
}

// unhex reads the constants below; a missing leading zero is allowed.
func unhex(s string) []byte {
	if len(s)%2 == 1 {
		s = "0" + s
	}
	b := make([]byte, len(s)/2)
	for i := range b {
		b[i] = nibble(s[2*i])<<4 | nibble(s[2*i+1])
	}
	return b
}

func nibble(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

// curves are the curves of ДСТУ 4145-2002, annex Г, in the order of their OIDs.
var curves = [10]curveSpec{
	{name: "M163", m: 163, k: []int{3, 6, 7}, a: 1,
		b:    "5ff6108462a2dc8210ab403925e638a19c1455d21",
		n:    "400000000000000000002bec12be2262d39bcf14d",
		base: "be2358f3a3f8da297223c4a583e94cd75d5ff8e202"},
	{name: "M167", m: 167, k: []int{6}, a: 1,
		b:    "6ee3ceeb230811759f20518a0930f1a4315a827dac",
		n:    "3fffffffffffffffffffffb12ebcc7d7f29ff7701f",
		base: "54cd218b01a2b2303d0a91032819686a7853661f7a"},
	{name: "M173", m: 173, k: []int{1, 2, 10}, a: 0,
		b:    "108576c80499db2fc16eddf6853bbb278f6b6fb437d9",
		n:    "800000000000000000000189b4e67606e3825bb2831",
		base: "ca8973d381917a56ad2fa28f44f0ad6ecc9b611ad404"},
	{name: "M179", m: 179, k: []int{1, 2, 4}, a: 1,
		b:    "4a6e0856526436f2f88dd07a341e32d04184572beb710",
		n:    "3ffffffffffffffffffffffb981960435fe5ab64236ef",
		base: "027d2c02674695a99b81487fc56dd22b4b4651fe06ba06"},
	{name: "M191", m: 191, k: []int{9}, a: 1,
		b:    "7bc86e2102902ec4d5890e8b6b4981ff27e0482750fefc03",
		n:    "40000000000000000000000069a779cac1dabc6788f7474f",
		base: "2871ebda76fefcc2b5b958acd2a612794afff262b7144171"},
	{name: "M233", m: 233, k: []int{1, 4, 9}, a: 1,
		b:    "6973b15095675534c7cf7e64a21bd54ef5dd3b8a0326aa936ece454d2c",
		n:    "1000000000000000000000000000013e974e72f8a6922031d2603cfe0d7",
		base: "96fe5eb2ee03d02827f345351d76313c5bf38d11a13bf8cdb626a5cd3f00"},
	{name: "M257", m: 257, k: []int{12}, a: 0,
		b:    "1cef494720115657e18f938d7a7942394ff9425c1458c57861f9eea6adbe3be10",
		n:    "800000000000000000000000000000006759213af182e987d3e17714907d470d",
		base: "b60fd2d8dce8a93423c6101bca91c47a007e6c300b26cd556c9b0e7d20ef292a00"},
	{name: "M307", m: 307, k: []int{2, 4, 8}, a: 1,
		b:    "393c7f7d53666b5054b5e6c6d3de94f4296c0c599e2e2e241050df18b6090bdc90186904968bb",
		n:    "3ffffffffffffffffffffffffffffffffffffffc079c2f3825da70d390fbba588d4604022b7b7",
		base: "aa32726e2dc0523c7467316d279b237a085a82cd5cf76bd1f1921e4c9824021a299d188bee1602"},
	{name: "M367", m: 367, k: []int{21}, a: 1,
		b:    "43fc8ad242b0b7a6f3d1627ad5654447556b47bf6aa4a64b0c2afe42cadab8f93d92394c79a79755437b56995136",
		n:    "40000000000000000000000000000000000000000000009c300b75a3fa824f22428fd28ce8812245ef44049b2d49",
		base: "a0b9b34135374abf789f109ae512feb53996e081a60c401ae87b3e41767a1961f9d3e09aa9498cf012d5dd6e4a32"},
	{name: "M431", m: 431, k: []int{1, 3, 5}, a: 1,
		b:    "3ce10490f6a708fc26dfe8c3d27c4f94e690134d5bff988d8d28aaeaede975936c66bac536b18ae2dc312ca493117daa469c640caf3",
		n:    "3fffffffffffffffffffffffffffffffffffffffffffffffffffffba3175458009a8c0a724f02f81aa8a1fcbaf80d90c7a95110504cf",
		base: "7c857c94c5433bfd991e17c22684065850a9a249ed7bc249ae5a4e878689f872ef7ad524082ec3038e9aede7ba6ba13381d979ba621a"},
}
