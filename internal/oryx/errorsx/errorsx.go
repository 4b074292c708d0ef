// Package errorsx stands in for the package of that name in github.com/ory/x, by a replace directive in go.mod.
//
// fosite v0.49.0 uses of that module WithStack, Cause, five names of interfaces and otelx.End, and with them comes most of
// OpenTelemetry's exporters, gRPC, a logger and an ORM: 10 MB of program that nothing calls. What fosite needs is here; it
// owns no behaviour of its own. If fosite is ever raised, its compilation says what is missing.
package errorsx

// WithStack returns err. Stack traces would cost a walk of the stack for every refusal, and nothing prints them.
func WithStack(err error) error { return err }

// Cause follows Cause methods down to the first error.
func Cause(err error) error {
	for {
		c, ok := err.(interface{ Cause() error })
		if !ok {
			return err
		}
		next := c.Cause()
		if next == nil {
			return err
		}
		err = next
	}
}

// What an error may tell of itself; fosite asserts that its errors do.
type (
	StatusCodeCarrier interface{ StatusCode() int }
	StatusCarrier     interface{ Status() string }
	RequestIDCarrier  interface{ RequestID() string }
	ReasonCarrier     interface{ Reason() string }
	DebugCarrier      interface{ Debug() string }
)
