// Package systems makes the methods behind which another system stands (Дія, ID.GOV.UA, BankID НБУ, clouds, MobileID) from the
// configuration of the server: it reads their credentials and keys, and hands each method what it may use.
//
// It does not check the form of the configuration (cmd/brama/internal/config), nor does it know a double: brama dev makes its
// methods itself.
package systems
