// Stands in for github.com/ory/x, of which fosite uses two small packages; see errorsx/errorsx.go.
module github.com/ory/x

go 1.26

require (
	go.opentelemetry.io/otel v1.47.0
	go.opentelemetry.io/otel/trace v1.47.0
)
