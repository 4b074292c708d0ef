package layers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A rule says what is wrong with the imports of one package, and shows that it can.
type rule struct {
	name  string
	check func(pkg) []string
	bad   []pkg // each breaks the rule, and good ones do not
	good  []pkg
}

// of is a package of this project with its imports, for the examples of a rule.
func of(name string, imports ...string) pkg {
	return pkg{ImportPath: module + "/" + name, Imports: imports}
}

var rules = []rule{
	{
		name: "imports point down", check: pointsDown,
		bad: []pkg{
			of("internal/nowhere"), of("storage", "brama/storage/boltstore"), of("provider/session", "brama/provider/authflow"),
			of("connectors/cloud", "brama/connectors/mobileid"), of("provider/oauth", "brama/provider/backchannel"), of("internal/der", "brama/internal/audit"),
		},
		good: []pkg{of("provider/authflow", "brama/provider/oauth"), of("storage/boltstore", "brama/storage/memstore"), of("internal/der", "fmt")},
	},
	{
		name: "connectors know neither storage nor the provider", check: connectorsApart,
		bad:  []pkg{of("connectors/cloud", "brama/storage"), of("connectors/internal/upstream", "brama/storage/seal"), of("connectors/diia", "brama/provider/web")},
		good: []pkg{of("connectors/cloud", "brama/connectors"), of("provider", "brama/storage")},
	},
	{
		name: "the provider knows the contract of connectors only", check: providerApart,
		bad:  []pkg{of("provider/authflow", "brama/internal/qes"), of("provider", "brama/internal/dstu/kupyna"), of("provider/authflow", "brama/connectors/cloud")},
		good: []pkg{of("provider/authflow", "brama/connectors"), of("connectors/cloud", "brama/internal/qes")},
	},
	{
		name: "doubles are reached by the wiring of dev only", check: doublesApart,
		bad:  []pkg{of("cmd/brama/internal/serve", "brama/internal/demokeys"), of("cmd/brama/internal/wiring", "brama/connectors/diia/diiatest")},
		good: []pkg{of("cmd/brama/internal/dev", "brama/internal/demokeys"), of("connectors/cloud", "brama/connectors/connectortest")},
	},
	{
		name: "contracts stand on the standard library", check: standardOnly,
		bad: []pkg{
			of("connectors", "brama/internal/der"), of("storage", "example.com/x"), of("internal/der", "golang.org/x/crypto/cryptobyte"),
			of("internal/dstu/kupyna", "brama/internal/der"), of("internal/dstu/kupyna", "golang.org/x/sys/cpu"),
		},
		good: []pkg{of("storage", "encoding/json"), of("internal/dstu/kupyna", "brama/internal/dstu/internal/feistel")},
	},
	{
		name: "cgo has one home", check: oneCgo,
		bad:  []pkg{{ImportPath: "brama/internal/audit", CgoFiles: []string{"a.go"}}},
		good: []pkg{{ImportPath: "brama/internal/pkcs11", CgoFiles: []string{"a.go"}}, of("internal/audit")},
	},
	{
		name: "one library, one home", check: oneHome,
		bad:  []pkg{of("provider", "github.com/ory/fosite/token/jwt"), of("provider/oauth", "github.com/gorilla/mux"), of("provider/web", "github.com/go-jose/go-jose/v4/jwt")},
		good: []pkg{of("provider/oauth", "github.com/ory/fosite"), of("provider/keys", "github.com/go-jose/go-jose/v4")},
	},
	{
		name: "what judges signatures does no I/O", check: noIO,
		bad:  []pkg{of("internal/qes", "os"), of("internal/qes/cms", "net/http"), of("internal/challenge", "os/exec")},
		good: []pkg{of("internal/qes", "time"), of("internal/qes/revocation", "net/http")},
	},
	{
		name: "sockets are opened by internal/fetch and cmd", check: noSockets,
		bad:  []pkg{of("provider", "net"), of("connectors/cloud", "net")},
		good: []pkg{of("internal/fetch", "net"), of("cmd/brama", "net"), of("connectors/cloud/cloudtest", "net"), of("provider", "net/netip")},
	},
}

// TestRulesCanFail: each rule refuses what it is there for, and nothing else.
func TestRulesCanFail(t *testing.T) {
	for _, r := range rules {
		for _, p := range r.bad {
			if len(r.check(p)) == 0 {
				t.Errorf("%s: %s may import %v", r.name, p.ImportPath, p.Imports)
			}
		}
		for _, p := range r.good {
			if complaints := r.check(p); len(complaints) != 0 {
				t.Errorf("%s: %v", r.name, complaints)
			}
		}
	}
}

// ours calls say with every import of p that is of this project, and collects the complaints.
func ours(p pkg, say func(name, to string) bool) (complaints []string) {
	name, _ := local(p.ImportPath)
	for _, imp := range p.Imports {
		if to, ok := local(imp); ok && say(name, to) {
			complaints = append(complaints, fmt.Sprintf("%s imports %s", name, to))
		}
	}
	return complaints
}

func pointsDown(p pkg) []string {
	name, _ := local(p.ImportPath)
	from, within, pattern := rankOf(name)
	if from == 0 {
		return []string{name + " has no place in the table"}
	}
	return ours(p, func(_, to string) bool {
		rank, _, toPattern := rankOf(to)
		return rank >= from && !(within && toPattern == pattern)
	})
}

func connectorsApart(p pkg) []string {
	return ours(p, func(name, to string) bool {
		return strings.HasPrefix(name, "connectors/") && (to == "storage" || strings.HasPrefix(to, "storage/") || strings.HasPrefix(to, "provider"))
	})
}

func providerApart(p pkg) []string {
	return ours(p, func(name, to string) bool {
		return strings.HasPrefix(name, "provider") && (strings.HasPrefix(to, "internal/qes") || strings.HasPrefix(to, "internal/dstu") || strings.HasPrefix(to, "connectors/"))
	})
}

func doublesApart(p pkg) []string {
	return ours(p, func(name, to string) bool {
		return isDouble(to) && !slices.Contains(devWiring, name) && !isDouble(name)
	})
}

// foreign reports whether an import is of another module.
func foreign(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return strings.Contains(first, ".")
}

func standardOnly(p pkg) (complaints []string) {
	name, _ := local(p.ImportPath)
	under := ""
	switch {
	case slices.Contains(stdOnly, name):
	case strings.HasPrefix(name, "internal/dstu"):
		under = "internal/dstu/"
	default:
		return nil
	}
	for _, imp := range p.Imports {
		to, isLocal := local(imp)
		if foreign(imp) || isLocal && to != "internal/pack" && (under == "" || !strings.HasPrefix(to, under)) {
			complaints = append(complaints, name+" imports "+imp)
		}
	}
	return complaints
}

func oneCgo(p pkg) []string {
	if name, _ := local(p.ImportPath); len(p.CgoFiles) > 0 && name != "internal/pkcs11" {
		return []string{name + " uses cgo"}
	}
	return nil
}

func oneHome(p pkg) (complaints []string) {
	name, _ := local(p.ImportPath)
	for _, imp := range p.Imports {
		for prefix, allowed := range homes {
			if strings.HasPrefix(imp, prefix) && !slices.Contains(allowed, name) {
				complaints = append(complaints, fmt.Sprintf("%s imports %s, whose home is %v", name, imp, allowed))
			}
		}
	}
	return complaints
}

// noIO: it reads no file, opens no socket and asks no clock but the one it is given.
func noIO(p pkg) (complaints []string) {
	quiet := []string{"internal/qes", "internal/qes/cert", "internal/qes/cms", "internal/qes/keystore", "internal/qes/spki", "internal/qes/tbs", "internal/challenge", "internal/der"}
	name, _ := local(p.ImportPath)
	for _, imp := range p.Imports {
		if slices.Contains(quiet, name) && slices.Contains([]string{"os", "net", "net/http", "os/exec", "syscall"}, imp) {
			complaints = append(complaints, name+" imports "+imp)
		}
	}
	return complaints
}

func noSockets(p pkg) []string {
	name, _ := local(p.ImportPath)
	if !slices.Contains(p.Imports, "net") || name == "internal/fetch" || name == "storage/pgstore" || strings.HasPrefix(name, "cmd/") ||
		strings.HasPrefix(name, "internal/tools/") || isDouble(name) {
		return nil
	}
	return []string{name + " imports net"}
}
