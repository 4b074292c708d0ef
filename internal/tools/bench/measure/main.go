// Command measure times the operations of internal/dstu and prints "name nanoseconds" lines. It is
// built three ways by the command above: as it is, with -tags purego, and for wasm under node. Arguments choose among the
// operations.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"brama/internal/dstu/dstu4145"
	"brama/internal/dstu/gost28147"
	"brama/internal/dstu/gost34311"
	"brama/internal/dstu/kupyna"
)

const size = 16 << 10 // bytes hashed or encrypted at a time

type operation struct {
	name string
	run  func()
	per  float64 // divides the time: bytes for hashes and ciphers
}

func main() {
	for _, o := range operations() {
		if len(os.Args) > 1 && !slices.Contains(os.Args[1:], o.name) {
			continue
		}
		o.run()
		fmt.Printf("%s %.3f\n", o.name, measure(o.run)/o.per)
	}
}

// What is measured is the shortest of many short rounds: each takes a millisecond or one call, so that between two turns
// of the machine's other work there are some that nothing interrupted. (Processor time counts too coarsely for that on
// some systems, and includes what a busy neighbour core costs all the same.)
const (
	roundTime = time.Millisecond
	wholeTime = 1500 * time.Millisecond // a third of it warms up
)

// measure returns nanoseconds a call.
func measure(run func()) float64 {
	begin := time.Now()
	n := 1
	best := math.Inf(1)
	for elapsed := time.Duration(0); elapsed < wholeTime; elapsed = time.Since(begin) {
		start := time.Now()
		for range n {
			run()
		}
		d := time.Since(start)
		if d < roundTime/2 {
			n *= 2
			continue
		}
		if elapsed > wholeTime/3 {
			best = min(best, float64(d.Nanoseconds())/float64(n))
		}
	}
	return best
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return v
}

func check(ok bool) {
	if !ok {
		fmt.Fprintln(os.Stderr, "a signature was refused")
		os.Exit(1)
	}
}

func operations() []operation {
	digest, data := make([]byte, 32), make([]byte, size)
	rand.Read(digest)
	var ops []operation
	add := func(name string, per float64, run func()) { ops = append(ops, operation{name, run, per}) }

	for _, c := range []*dstu4145.Curve{dstu4145.M257(), dstu4145.M431()} {
		k := must(dstu4145.GenerateKey(c, rand.Reader))
		sig := must(k.Sign(rand.Reader, digest, nil))
		pub := must(dstu4145.ParsePublicKey(c, k.PublicKey().Bytes()))
		known := pub.Precompute()
		for range 40 { // a key that signs often
			must(k.Sign(rand.Reader, digest, nil))
		}
		add("parse-"+c.Name(), 1, func() { must(dstu4145.ParsePublicKey(c, pub.Bytes())) })
		add("verify-"+c.Name(), 1, func() { check(pub.Verify(digest, sig)) })
		add("known-"+c.Name(), 1, func() { check(known.Verify(digest, sig)) })
		add("sign-"+c.Name(), 1, func() { must(k.Sign(rand.Reader, digest, nil)) })
	}
	p := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	sig := must(ecdsa.SignASN1(rand.Reader, p, digest))
	add("verify-P256", 1, func() { check(ecdsa.VerifyASN1(&p.PublicKey, digest, sig)) })
	add("sign-P256", 1, func() { must(ecdsa.SignASN1(rand.Reader, p, digest)) })

	add("gost34311", size, func() { gost34311.Sum(data) })
	add("kupyna256", size, func() { kupyna.Sum256(data) })
	cfb := must(gost28147.NewCFBEncrypter(make([]byte, 32), nil, make([]byte, 8)))
	add("cfb-encrypt", size, func() { cfb.XORKeyStream(data, data) })
	cfb = must(gost28147.NewCFBDecrypter(make([]byte, 32), nil, make([]byte, 8)))
	open := cfb
	add("cfb-decrypt", size, func() { open.XORKeyStream(data, data) })
	// A hundredth of the 10,000 iterations, so that a round stays short.
	add("pbkdf2", 0.01, func() { gost34311.PBKDF2([]byte("password"), digest, 100, 32) })
	add("container-key", 0.01, func() { gost34311.ContainerKey([]byte("password"), 100) })
	return ops
}
