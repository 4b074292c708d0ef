package offline

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"

	"brama/cmd/brama/internal/config"
	"brama/cmd/brama/internal/wiring"
	"brama/internal/audit"
)

// runAuditVerify checks the log of events of a configuration, or a copy of it, against its chain and its checkpoints.
func runAuditVerify(e *env, args []string) int {
	fs := flag.NewFlagSet("audit verify", flag.ContinueOnError)
	dir := fs.String("dir", "", "")
	checkpoints := fs.String("checkpoints", "", "")
	file, code, ok := e.parse(fs, args)
	if !ok {
		return code
	}
	c, err := config.Load(file)
	if err != nil {
		return e.usage("%v", err)
	}
	secret, err := c.Secret()
	if err != nil {
		return e.usage("reading the secret: %v", err)
	}
	if *dir == "" {
		*dir = filepath.Join(c.Path(c.Data), wiring.AuditDir)
	}
	lines, err := audit.Verify(*dir, *checkpoints, wiring.AuditKey(secret))
	if errors.Is(err, audit.ErrTampered) {
		e.errorf("%v", err)
		return ExitFailed
	}
	if err != nil {
		return e.usage("%v", err)
	}
	fmt.Fprintf(e.stdout, "%d lines, the chain is whole\n", lines)
	return ExitOK
}
