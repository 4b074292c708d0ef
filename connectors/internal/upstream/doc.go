// Package upstream is what the clients of ID.GOV.UA and BankID share: the browser's way there and back, calls with limits,
// answers read strictly, envelopes opened with the institution's key, the signature within, and the person in the end.
//
// It knows no address, parameter or field of either system (they are in the connectors), decides no level (that is package
// signing), and opens no socket (that is internal/fetch).
package upstream
