// Package levels is the policy that gives a login its level of assurance: a text with one line for each method and each kind
// of proof, every line with its source. One is in the program, an operator may write another.
//
// It does not know what a certificate or an answer says (connectors/internal/signing reads that), nor what a portal asks for
// (provider/authflow): nothing of a request enters here.
package levels
