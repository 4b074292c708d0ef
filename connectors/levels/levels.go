package levels

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"brama/connectors"
)

// A Case is a kind of proof.
type Case string

// Cases. The first two are of signatures with the person's certificate, the others of answers of other systems.
const (
	Device       Case = "device"
	Qualified    Case = "qualified"
	SignedDevice Case = "signed-device"
	Signed       Case = "signed"
	Unsigned     Case = "unsigned"
)

// methods are those that may have lines: true for those whose proof is an answer. With a means after a stroke where the
// system has several.
var methods = map[string]bool{
	"file": false, "token": false, "upload": false, "diia": false, "cloud": false, "mobileid": false,
	"idgov/dig_sign": true, "idgov/bank_id": true, "idgov/mobile_id": true, "idgov/diia_id": true, "idgov/diia_oauth": true,
	"bankid": true,
}

// header is the first line of a policy.
const header = "brama-levels-v1"

// Limits of a policy: it is written by hand.
const (
	maxSize = 64 << 10
	maxLine = 512
)

// A Policy gives levels. It is not changed after it was read, and safe for concurrent use.
type Policy struct {
	rules map[key]connectors.LoA
}

type key struct {
	method string
	proof  Case
}

//go:embed default.txt
var text string

// Text is the policy that is in the program.
func Text() string { return text }

// Default returns the policy that is in the program.
func Default() *Policy { return standard() }

var standard = sync.OnceValue(func() *Policy {
	p, err := Parse([]byte(text))
	if err != nil {
		panic("levels: internal error: " + err.Error())
	}
	return p
})

// Parse reads a policy. Errors name the line; all of them are told at once.
func Parse(b []byte) (*Policy, error) {
	if len(b) > maxSize || !utf8.Valid(b) {
		return nil, fmt.Errorf("levels: not a text of at most %d bytes", maxSize)
	}
	lines := strings.Split(string(b), "\n")
	if strings.TrimRight(lines[0], " \t\r") != header {
		return nil, fmt.Errorf("levels: line 1 is not %q", header)
	}
	p := &Policy{rules: map[key]connectors.LoA{}}
	var faults []error
	for i, line := range lines[1:] {
		if err := p.line(line); err != nil {
			faults = append(faults, fmt.Errorf("levels: line %d: %w", i+2, err))
		}
	}
	if len(faults) == 0 && len(p.rules) == 0 {
		faults = append(faults, errors.New("levels: no line says anything"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Policy) line(line string) error {
	fields := strings.Fields(line)
	switch {
	case len(line) > maxLine:
		return fmt.Errorf("longer than %d octets", maxLine)
	case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
		return nil
	case len(fields) < 4:
		return errors.New("METHOD CASE LEVEL SOURCE are needed: a level without a source is nobody's decision")
	}
	method, k, level := fields[0], key{fields[0], Case(fields[1])}, connectors.LoA(fields[2])
	answer, known := methods[method]
	if !known {
		return fmt.Errorf("%q is no method; those that exist: %s", method, strings.Join(slices.Sorted(maps.Keys(methods)), " "))
	}
	switch k.proof {
	case Device, Qualified:
		if answer {
			return fmt.Errorf("%s is an answer of another system: signed-device, signed or unsigned", method)
		}
	case SignedDevice, Signed, Unsigned:
		if !answer {
			return fmt.Errorf("%s is a signature: device or qualified", method)
		}
	default:
		return fmt.Errorf("%q is no case", k.proof)
	}
	if rank(level) == 0 {
		return fmt.Errorf("%q is no level: low, substantial or high", level)
	}
	if most := ceiling(k); rank(level) > rank(most) {
		return fmt.Errorf("%s %s cannot be more than %s", method, k.proof, most)
	}
	if _, twice := p.rules[k]; twice {
		return fmt.Errorf("%s %s stands twice", method, k.proof)
	}
	p.rules[k] = level
	return nil
}

// ceiling is the most that a kind of proof can show, whatever a policy says (threat T33): a key in a file is never high, nor
// one outside a qualified device, nor an answer that anyone could have encrypted (threat T47) or that no key of the person
// stands behind.
func ceiling(k key) connectors.LoA {
	switch {
	case k.method == "file" || k.method == "upload" || k.method == "bankid" || k.method == "idgov/bank_id" || k.method == "idgov/diia_oauth":
		return connectors.Substantial
	case k.proof == Device || k.proof == SignedDevice:
		return connectors.High
	}
	return connectors.Substantial
}

func (p *Policy) of(method string, proof Case) connectors.LoA {
	if l, ok := p.rules[key{method, proof}]; ok {
		return l
	}
	return connectors.Low
}

// Signature returns the level of a signature by method with a certificate that is qualified, and says that its key is in a
// qualified device, or not. A certificate that is not qualified is low, and so is what has no line.
func (p *Policy) Signature(method string, qualified, device bool) connectors.LoA {
	switch {
	case !qualified:
		return connectors.Low
	case device:
		return p.of(method, Device)
	}
	return p.of(method, Qualified)
}

// Answer returns the level of an answer of the system behind method, got by means ("" for a system with one). device is what
// the system says of the person's key, and counts only in an answer that the system signed.
func (p *Policy) Answer(method, means string, signed, device bool) connectors.LoA {
	if means != "" {
		method += "/" + means
	}
	switch {
	case !signed:
		return p.of(method, Unsigned)
	case device:
		return p.of(method, SignedDevice)
	}
	return p.of(method, Signed)
}

// MaxSignature returns the highest level that signatures by method can have.
func (p *Policy) MaxSignature(method string) connectors.LoA {
	return most(p.Signature(method, true, true), p.Signature(method, true, false))
}

// MaxAnswer returns the highest level that answers of the system behind method can have.
func (p *Policy) MaxAnswer(method string, signed bool) connectors.LoA {
	highest := connectors.Low
	for name := range methods {
		if system, means, _ := strings.Cut(name, "/"); system == method {
			highest = most(highest, most(p.Answer(method, means, signed, true), p.Answer(method, means, signed, false)))
		}
	}
	return highest
}

func most(a, b connectors.LoA) connectors.LoA {
	if rank(a) < rank(b) {
		return b
	}
	return a
}

// rank orders levels; what is none is 0.
func rank(l connectors.LoA) int {
	return slices.Index([]connectors.LoA{connectors.Low, connectors.Substantial, connectors.High}, l) + 1
}
