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

	"brama/cmd/brama/internal/acquirer"
	"brama/cmd/brama/internal/dev"
	"brama/cmd/brama/internal/offline"
	"brama/cmd/brama/internal/serve"
)

// version is set by the linker.
var version = "unknown"

func printUsage(w io.Writer) {
	fmt.Fprint(w, `Brama: an OpenID Connect provider for Ukrainian qualified electronic signatures.

usage: brama VERB [ARGUMENTS]

  dev                   the provider, test trust services, a demo portal and demo keys on this machine
  serve --config FILE   the provider
  diia setup, status    the institution's branch and offer at Дія
`)
	for _, v := range offline.Verbs() {
		fmt.Fprintf(w, "  %-21s %s\n", v.Name, v.Summary)
	}
	fmt.Fprint(w, `  version [--json]      what this is

brama VERB --help tells more. Exit codes of verbs that need no server: 0 passed or opened, 1 failed, 2 usage,
3 indeterminate or opened in part.
`)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		printUsage(stderr)
		return 2
	}
	switch verb, rest := args[0], args[1:]; verb {
	case "dev":
		return dev.Run(ctx, rest, stdout, stderr)
	case "serve":
		return serve.Run(ctx, rest, stderr)
	case "diia":
		return acquirer.Run(ctx, rest, stdout, stderr)
	case "version", "--version":
		return printVersion(rest, stdout)
	case "help", "-h", "--help":
		printUsage(stdout)
		return 0
	default:
		if v, arguments, ok := offline.Find(args); ok {
			return v.Run(arguments, stdin, stdout, stderr)
		}
		fmt.Fprintf(stderr, "brama: %q is no verb\n\n", verb)
		printUsage(stderr)
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
