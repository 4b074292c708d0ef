package acquirer

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"brama/cmd/brama/internal/config"
	"brama/cmd/brama/internal/systems"
	"brama/connectors/diia"
	"brama/internal/fetch"
	"brama/provider"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// maxTime bounds a whole verb: a few calls of five seconds.
const maxTime = time.Minute

const usage = `usage: brama diia setup --config FILE --plan PLAN [--dry-run] [--json]
       brama diia status --config FILE [--json]

  setup   finds the branch and the offer of PLAN by their names, makes what is absent, and prints their ids for the
          configuration; it changes and deletes nothing
  status  tries the tokens, the branch, the scope and the offer, and prints the address for notifications

Exit codes: 0 done, or ready for sign-ins; 1 failed, or not ready; 2 usage or configuration.
`

// A verb is one run.
type verb struct {
	stdout, stderr io.Writer
	outbound       func(*config.Config) (*fetch.Client, error)
}

// Run runs `brama diia` with the arguments after these words, and returns the exit code.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	v := &verb{stdout: stdout, stderr: stderr, outbound: systems.Outbound}
	return v.run(ctx, args)
}

func (v *verb) run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(v.stderr, usage)
		return exitUsage
	}
	flags := flag.NewFlagSet("brama diia "+args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	file := flags.String("config", "", "")
	asJSON := flags.Bool("json", false, "")
	var plan string
	var dry bool
	switch args[0] {
	case "setup":
		flags.StringVar(&plan, "plan", "", "")
		flags.BoolVar(&dry, "dry-run", false, "")
	case "status":
	case "-h", "--help", "help":
		fmt.Fprint(v.stdout, usage)
		return exitOK
	default:
		fmt.Fprintf(v.stderr, "brama diia: %q is no verb\n%s", args[0], usage)
		return exitUsage
	}
	err := flags.Parse(args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(v.stdout, usage)
		return exitOK
	case err != nil:
	case *file == "" || flags.NArg() > 0:
		err = errors.New("--config is required, and nothing stands beside the flags")
	case args[0] == "setup" && plan == "":
		err = errors.New("--plan is required")
	}
	if err != nil {
		fmt.Fprintf(v.stderr, "brama diia %s: %v\n%s", args[0], err, usage)
		return exitUsage
	}
	c, err := config.Load(*file)
	if err == nil && c.Connectors.Diia == nil {
		err = fmt.Errorf("%s: connectors.diia: there are no settings", *file)
	}
	if err != nil {
		fmt.Fprintf(v.stderr, "brama diia %s: %v\n", args[0], err)
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	var code int
	if args[0] == "setup" {
		code, err = v.setup(ctx, c, plan, dry, *asJSON)
	} else {
		code, err = v.status(ctx, c, *asJSON)
	}
	if err != nil {
		fmt.Fprintf(v.stderr, "brama diia %s: %v\n", args[0], err)
	}
	return code
}

func (v *verb) client(c *config.Config) (*diia.Client, error) {
	outbound, err := v.outbound(c)
	if err != nil {
		return nil, err
	}
	return systems.DiiaClient(c, outbound)
}

// A made is the answer of setup.
type made struct {
	Branch        string   `json:"branch"`
	Offer         string   `json:"offer"`
	BranchCreated bool     `json:"branch_created"` // with DryRun: would be
	OfferCreated  bool     `json:"offer_created"`
	DryRun        bool     `json:"dry_run,omitempty"`
	Warnings      []string `json:"warnings,omitempty"`
}

func (v *verb) setup(ctx context.Context, c *config.Config, name string, dry, asJSON bool) (int, error) {
	p, err := config.LoadPlan(name)
	if err != nil {
		return exitUsage, err
	}
	client, err := v.client(c)
	if err != nil {
		return exitUsage, err
	}
	b := p.Branch
	r, err := client.Setup(ctx, diia.Plan{Offer: p.Offer, ReturnLink: p.ReturnLink, Scope: diia.Scope(c.Connectors.Diia.Scope), DryRun: dry,
		Branch: diia.Branch{Name: b.Name, FullName: b.FullName, Address: b.Address, Email: b.Email, Region: b.Region, District: b.District,
			Location: b.Location, Street: b.Street, House: b.House}})
	if err != nil {
		return exitFailed, err
	}
	out := made{Branch: r.BranchID, Offer: r.OfferID, BranchCreated: r.BranchCreated, OfferCreated: r.OfferMade, DryRun: dry}
	code := exitOK
	if r.BranchScopesMissing {
		code = exitFailed
		out.OfferCreated = false
		out.Warnings = append(out.Warnings, "the branch is there without the scope of the configuration: have it changed, or give another name")
	}
	if r.OfferReturnLinkDiffers {
		out.Warnings = append(out.Warnings, "the offer is there with another return link; that is harmless, ours goes with each request")
	}
	if asJSON {
		return code, json.NewEncoder(v.stdout).Encode(out)
	}
	done := func(created bool) string {
		switch {
		case created && dry:
			return "would be made"
		case created:
			return "made"
		}
		return "found"
	}
	fmt.Fprintf(v.stdout, "branch %q: %s\noffer %q: %s\n", p.Branch.Name, done(r.BranchCreated), p.Offer, done(out.OfferCreated))
	for _, w := range out.Warnings {
		fmt.Fprintf(v.stderr, "brama diia setup: %s\n", w)
	}
	if out.Branch != "" && out.Offer != "" {
		fmt.Fprintf(v.stdout, "\nconnectors:\n  diia:\n    branch: %q\n    offer: %q\n", out.Branch, out.Offer)
	}
	return code, nil
}

// A state is the answer of status.
type state struct {
	Session bool   `json:"session"`
	Branch  bool   `json:"branch"`
	Scope   bool   `json:"scope"`
	Offer   bool   `json:"offer"`
	Ready   bool   `json:"ready"`
	Notify  string `json:"notifications"` // address; its last part is a secret that Diia has to be told
}

func (v *verb) status(ctx context.Context, c *config.Config, asJSON bool) (int, error) {
	d := c.Connectors.Diia
	if d.Branch == "" {
		return exitUsage, errors.New("connectors.diia.branch: is not there yet (brama diia setup makes it)")
	}
	secret, err := c.Secret()
	if err != nil {
		return exitUsage, err
	}
	client, err := v.client(c)
	if err != nil {
		return exitUsage, err
	}
	scope := diia.Scope(d.Scope)
	if scope == "" {
		scope = diia.HashedFilesSigning
	}
	s, failed := client.Status(ctx, d.Branch, d.Offer, scope)
	out := state{s.Session, s.Branch, s.Scope, s.Offer, s.Ready(), provider.NotifyURL(c.Issuer, secret, diia.Method)}
	code := exitOK
	if !out.Ready {
		code = exitFailed
	}
	if asJSON {
		return code, errors.Join(failed, json.NewEncoder(v.stdout).Encode(out))
	}
	var b strings.Builder
	for _, line := range []struct {
		name string
		ok   bool
	}{{"tokens are taken", out.Session}, {"branch exists", out.Branch}, {"branch has the scope " + string(scope), out.Scope}, {"offer exists with the scope", out.Offer}} {
		mark := "no "
		if line.ok {
			mark = "yes"
		}
		fmt.Fprintf(&b, "%s  %s\n", mark, line.name)
	}
	fmt.Fprintf(&b, "\nnotifications: %s\n", out.Notify)
	_, err = io.WriteString(v.stdout, b.String())
	return code, errors.Join(failed, err)
}
