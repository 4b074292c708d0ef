// Package otelx stands in for the package of that name in github.com/ory/x; see errorsx beside it.
package otelx

import (
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// End ends span, with a status if the function that defers it returns an error. The error's text is left out: it may hold
// what a person sent.
func End(span trace.Span, err *error) {
	if err != nil && *err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
