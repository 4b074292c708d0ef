// Command brama is the OpenID Connect provider whose authenticate step is a qualified electronic signature: `serve` runs
// it, `dev` runs it with everything around it on this machine, and the verbs that need no server verify and make
// signatures and open key containers.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"brama/cmd/brama/internal/dev"
	"brama/cmd/brama/internal/offline"
	"brama/cmd/brama/internal/serve"
)

// version is set by the linker.
var version = "unknown"

const usage = `Brama: an OpenID Connect provider for Ukrainian qualified electronic signatures.

usage: brama VERB [ARGUMENTS]

  dev                   the provider, test trust services, a demo portal and demo keys on this machine
  serve --config FILE   the provider
  signature verify      validate a signature (ETSI EN 319 102-1)
  signature create      sign a file
  container inspect     show what is in a key container
  digest                digest a file by a national algorithm
  version [--json]      what this is

brama VERB --help tells more. Exit codes of verbs that need no server: 0 passed or opened, 1 failed, 2 usage,
3 indeterminate or opened in part.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return 2
	}
	switch verb, rest := args[0], args[1:]; verb {
	case "dev":
		return dev.Run(ctx, rest, stdout, stderr)
	case "serve":
		return serve.Run(ctx, rest, stderr)
	case "version", "--version":
		return printVersion(rest, stdout)
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return 0
	default:
		if offline.Knows(verb) {
			return offline.Run(ctx, args, stdin, stdout, stderr)
		}
		fmt.Fprintf(stderr, "brama: %q is no verb\n\n%s", verb, usage)
		return 2
	}
}

func printVersion(args []string, stdout io.Writer) int {
	if len(args) == 1 && args[0] == "--json" {
		b, err := json.Marshal(map[string]string{"version": version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
		if err != nil {
			return 1
		}
		fmt.Fprintf(stdout, "%s\n", b)
		return 0
	}
	fmt.Fprintf(stdout, "brama %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return 0
}
