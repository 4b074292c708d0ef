// Package authflow carries one login from the portal's request to the code: it shows the methods, hands events to the
// connector of the chosen one, keeps what it proved, lets the person check it, and only then asks package oauth for the
// code. One function, dispatch, decides what comes next; every step returns to it.
//
// It does not know how a method proves who a person is (connectors), what a request or a token looks like
// (provider/oauth), how a page looks (provider/web), or under which address a step stands (provider).
//
// # States
//
// A login begins as a ticket: a sealed value in a cookie of its own. Nothing is stored until the person presses something
// that needs it. From then on a record holds it, sealed, with a revision that every change compares:
//
//	open        a method was pressed; a challenge may be live. Failed tries are counted here.
//	verified    the connector proved a person; nothing else can be proven by this login any more.
//	confirmable the audit has the proof and the person is known; S8 shows it.
//	confirmed   «Увійти» was pressed; the code is issued. The end.
//	ended       left, refused for good, or begun anew. The end.
//
// A login stays at verified if the audit could not be written: it then fails, and nothing of it can be used.
package authflow
