package offline

import (
	"context"
	"errors"
	"flag"
	"time"

	"brama/internal/qes"
	"brama/internal/qes/asic"
	"brama/internal/qes/revocation"
)

// files is a flag that may stand several times.
type files []string

func (f *files) String() string     { return "" }
func (f *files) Set(s string) error { *f = append(*f, s); return nil }

// networkTimeout bounds all questions of one verification.
const networkTimeout = 30 * time.Second

func runVerify(e *env, args []string) int {
	fs := flag.NewFlagSet("signature verify", flag.ContinueOnError)
	contentFile := fs.String("content", "", "")
	var trustFiles files
	fs.Var(&trustFiles, "trust", "")
	atText := fs.String("at", "", "")
	noNetwork := fs.Bool("offline", false, "")
	asJSON := fs.Bool("json", false, "")
	file, code, ok := e.parse(fs, args)
	if !ok {
		return code
	}
	d := qes.Document{}
	if *atText != "" {
		at, err := time.Parse(time.RFC3339, *atText)
		if err != nil {
			return e.usage("--at wants a time like 2026-01-02T15:04:05Z")
		}
		d.At = at
	}
	input, err := e.read(file, maxDocument)
	if err != nil {
		return e.usage("%v", err)
	}
	if *contentFile != "" {
		if d.Content, err = e.read(*contentFile, maxDocument); err != nil {
			return e.usage("%v", err)
		}
		if d.Content == nil {
			d.Content = []byte{}
		}
	}
	t, err := e.readTrust(trustFiles)
	if err != nil {
		return e.usage("%v", err)
	}
	if asic.IsZIP(input) {
		if d.Content != nil {
			return e.usage("--content is for a detached signature; a container holds its documents")
		}
		return e.verifyContainer(input, t, d, *noNetwork, *asJSON)
	}
	if d.Signature, err = signature(input); err != nil {
		e.errorf("%v", err)
		return e.printReport(&qes.DocumentReport{Indication: qes.Failed, SubIndication: qes.SubFormatFailure, Code: qes.FormatUnsupported}, *asJSON)
	}
	report, err := e.validate(t, d, *noNetwork)
	if err != nil {
		e.errorf("%v", err)
		return ExitFailed
	}
	return e.printReport(report, *asJSON)
}

func (e *env) validate(t *trust, d qes.Document, noNetwork bool) (*qes.DocumentReport, error) {
	store, err := t.store(qes.CertificatesIn(d.Signature), e.now)
	if err != nil {
		return nil, err
	}
	cfg := qes.DocumentConfig{Trust: store, Evidence: revocation.Evidence{}, Now: e.now}
	if !noNetwork {
		if cfg.Revocation, err = t.checker(store, e.now); err != nil {
			return nil, err
		}
	}
	v, err := qes.NewDocumentValidator(cfg)
	if err != nil {
		return nil, err
	}
	d.Candidates = t.certificates()
	ctx, cancel := context.WithTimeout(context.Background(), networkTimeout)
	defer cancel()
	report := v.Validate(ctx, d)
	if report == nil {
		return nil, errors.New("no verdict")
	}
	return report, nil
}
