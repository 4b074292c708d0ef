package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

const here = "internal/tools/benchprovider"

// An operation is measured for both servers.
type operation struct {
	name  string
	least float64 // how many times less processor time than the peer
	run   func(*portal) error
	token bool // it looks at an access token: the peer's memory store forgets all but the last thousand records
}

var operations = []operation{
	{"code flow", 6, (*portal).signIn, false},
	{"refresh", 5, (*portal).refresh, false},
	{"client credentials", 3, (*portal).clientCredentials, false},
	{"introspection", 4, (*portal).introspect, true},
	{"userinfo", 4, (*portal).userInfo, true},
	{"JWKS", 2, (*portal).jwks, false},
	{"discovery", 2, (*portal).discovery, false},
}

// Bounds of memory and size.
const (
	mostIdle   = 25 << 20
	mostAfter  = 50 << 20
	mostBinary = 25_000_000
)

func main() {
	rounds := flag.Int("rounds", 7, "rounds of each server and operation")
	least := flag.Duration("cpu", 600*time.Millisecond, "processor time that a round takes at least")
	signIns := flag.Int("signins", 20000, "sign-ins before the memory is read again")
	alone := flag.Bool("alone", false, "leave the peer out")
	flag.Parse()
	if err := run(*rounds, *signIns, *least, *alone); err != nil {
		fmt.Fprintln(os.Stderr, "bench-provider:", err)
		os.Exit(1)
	}
}

func run(rounds, signIns int, least time.Duration, alone bool) error {
	if _, err := os.Stat(here); err != nil {
		return fmt.Errorf("run this in the root of the repository")
	}
	dir, err := os.MkdirTemp("", "bench-provider")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "brama")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, "./cmd/brama")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build has it
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	size, err := os.Stat(bin)
	if err != nil {
		return err
	}

	ours, err := startBrama(bin, dir)
	if err != nil {
		return err
	}
	defer ours.stop()
	servers := []*server{ours}
	if !alone {
		peer, err := startPeer()
		if err != nil {
			return err
		}
		defer peer.stop()
		servers = append(servers, peer)
	}
	idle := map[*server]int64{}
	for _, s := range servers {
		if err := s.portal.discover(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		time.Sleep(2 * time.Second) // what the start left behind is collected
		if idle[s], err = s.memory(); err != nil {
			return err
		}
	}

	fmt.Printf("%s/%s, %d processors; server CPU per operation, median of %d rounds\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds)
	fmt.Printf("%-20s %12s %12s %9s  %-12s %-8s %12s %12s\n", "operation", "brama", "peer", "ratio", "to reach", "", "p99 brama", "p99 peer")
	for _, op := range operations {
		got := map[*server]*sample{}
		for _, s := range servers {
			got[s] = &sample{}
			if op.token {
				if err := s.portal.signIn(); err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
			}
			if err := op.run(s.portal); err != nil { // once for nothing: tokens at hand, tables made
				return fmt.Errorf("%s: %s: %w", s.name, op.name, err)
			}
		}
		for range rounds {
			for _, s := range servers {
				if op.token {
					if err := s.portal.signIn(); err != nil {
						return fmt.Errorf("%s: %w", s.name, err)
					}
				}
				if err := s.round(op, least, got[s]); err != nil {
					return fmt.Errorf("%s: %s: %w", s.name, op.name, err)
				}
			}
		}
		printRow(op, got[ours], servers, got)
	}

	for range signIns {
		if err := ours.portal.signIn(); err != nil {
			return err
		}
	}
	after, err := ours.memory()
	if err != nil {
		return err
	}
	fmt.Println()
	bound("memory when idle", idle[ours], mostIdle)
	for _, s := range servers[1:] {
		fmt.Printf("%-34s %8.1f MiB\n", "  the peer", float64(idle[s])/(1<<20))
	}
	bound(fmt.Sprintf("memory after %d sign-ins more", signIns), after, mostAfter)
	fmt.Printf("%-34s %8.1f MB   at most %g  %s\n", "stripped binary", float64(size.Size())/1e6, mostBinary/1e6, met(size.Size() <= mostBinary))
	return nil
}

func bound(what string, value, most int64) {
	fmt.Printf("%-34s %8.1f MiB  at most %d  %s\n", what, float64(value)/(1<<20), most>>20, met(value <= most))
}

func met(ok bool) string {
	if ok {
		return "reached"
	}
	return "MISSED"
}

func printRow(op operation, ours *sample, servers []*server, got map[*server]*sample) {
	if len(servers) == 1 {
		fmt.Printf("%-20s %9.0f µs %12s %9s  %-12s %-8s %9.0f µs\n", op.name, micros(ours.median()), "", "", "", "", micros(ours.p99()))
		return
	}
	peer := got[servers[1]]
	ratio := float64(peer.median()) / float64(ours.median())
	fmt.Printf("%-20s %9.0f µs %9.0f µs %8.1f×  %-12s %-8s %9.0f µs %9.0f µs\n", op.name, micros(ours.median()), micros(peer.median()), ratio,
		fmt.Sprintf("at least %g", op.least), met(ratio >= op.least), micros(ours.p99()), micros(peer.p99()))
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// A sample collects the rounds of one operation at one server.
type sample struct {
	perOperation []time.Duration // processor time of the server, one a round
	answers      []time.Duration // as the driver waited, one an operation
}

func (s *sample) median() time.Duration { return at(s.perOperation, 0.5) }
func (s *sample) p99() time.Duration    { return at(s.answers, 0.99) }

func at(d []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
