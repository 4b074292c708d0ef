package offline

import (
	"errors"
	"fmt"

	"brama/internal/qes"
	"brama/internal/qes/asic"
)

// A part is one signature to validate: of a file of its own, or one of several in a container.
type part struct {
	qes.Document
	documents []string // of a container: what is signed
}

// parts takes the signatures out of a container. Its documents are what a person sees, so that a container is no document if
// one of them is a request to sign in (threat T1).
func parts(b []byte) ([]part, error) {
	c, err := asic.Read(b, asic.DocumentLimits)
	if err != nil {
		return nil, err
	}
	for _, d := range c.Documents {
		if qes.IsLoginText(d.Content) {
			return nil, fmt.Errorf("%w: %q", errLogin, d.Name)
		}
	}
	list := make([]part, 0, len(c.Signatures))
	for _, s := range c.Signatures {
		list = append(list, part{qes.Document{Signature: s.CMS, Content: s.Signed}, s.Documents})
	}
	return list, nil
}

var errLogin = errors.New("the container holds a request to sign in, which is no document")

// verifyContainer validates every signature of a container; the worst verdict is the container's.
func (e *env) verifyContainer(input []byte, t *trust, at qes.Document, noNetwork, asJSON bool) int {
	list, err := parts(input)
	if err != nil {
		e.errorf("%v", err)
		return e.printReport(refusedContainer(err), asJSON)
	}
	all, documents := &qes.DocumentReport{Indication: qes.Passed}, [][]string(nil)
	for _, p := range list {
		p.At = at.At
		report, err := e.validate(t, p.Document, noNetwork)
		if err != nil {
			e.errorf("%v", err)
			return ExitFailed
		}
		if worse(report.Indication, all.Indication) {
			all.Indication, all.SubIndication, all.Code = report.Indication, report.SubIndication, report.Code
		}
		all.Signatures = append(all.Signatures, report.Signatures...)
		for range report.Signatures {
			documents = append(documents, p.documents)
		}
	}
	r := newReport(all)
	for i := range r.Signatures {
		r.Signatures[i].Documents = documents[i]
	}
	return e.print(r, all.Indication, asJSON)
}

// worse orders failed before indeterminate before passed.
func worse(a, b qes.Indication) bool {
	rank := map[qes.Indication]int{qes.Passed: 0, qes.Failed: 2}
	of := func(i qes.Indication) int {
		if r, ok := rank[i]; ok {
			return r
		}
		return 1
	}
	return of(a) > of(b)
}

func refusedContainer(err error) *qes.DocumentReport {
	r := &qes.DocumentReport{Indication: qes.Failed, SubIndication: qes.SubFormatFailure, Code: qes.CMSMalformed}
	switch {
	case errors.Is(err, errLogin):
		r.SubIndication, r.Code = qes.SubSigConstraints, qes.SigInvalid
	case errors.Is(err, asic.ErrDigest):
		r.SubIndication, r.Code = qes.SubHashFailure, qes.SigInvalid
	case errors.Is(err, asic.ErrNotASiC), errors.Is(err, asic.ErrXAdES), errors.Is(err, asic.ErrAlgorithm), errors.Is(err, asic.ErrUnsigned):
		r.Code = qes.FormatUnsupported
	}
	return r
}
