// Command measure times the operations of internal/dstu and prints "name nanoseconds" lines. It is
// built three ways by the command above: as it is, with -tags purego, and for wasm under node. Arguments choose among the
// operations.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
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
	ops := slices.DeleteFunc(operations(), func(o operation) bool {
		return len(os.Args) > 1 && !slices.Contains(os.Args[1:], o.name)
	})
	best := make([]float64, len(ops))
	// A busy moment of the machine lasts longer than one measurement: come back to each operation.
	for pass := range passes {
		for i, o := range ops {
			if t := measure(o.run) / o.per; pass == 0 || t < best[i] {
				best[i] = t
			}
		}
	}
	for i, o := range ops {
		fmt.Printf("%s %.3f\n", o.name, best[i])
	}
}

// What is measured is the shortest of many short rounds: each takes half a millisecond or one call, so that between two
// turns of the machine's other work there are some that nothing interrupted. (Processor time counts too coarsely for that
// on some systems, and includes what a busy neighbour core costs all the same.)
const (
	passes    = 3
	roundTime = time.Millisecond / 2
	passTime  = 400 * time.Millisecond
	leastRuns = 5
)

// measure returns nanoseconds a call. It needs no warm-up: what is slow at the beginning is not the shortest.
func measure(run func()) float64 {
	best, begin, n := 0.0, time.Now(), 1
	for rounds := 0; rounds < leastRuns || time.Since(begin) < passTime; {
		start := time.Now()
		for range n {
			run()
		}
		d := time.Since(start)
		if d < roundTime {
			n *= 2
			continue
		}
		if t := float64(d.Nanoseconds()) / float64(n); rounds == 0 || t < best {
			best = t
		}
		rounds++
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
