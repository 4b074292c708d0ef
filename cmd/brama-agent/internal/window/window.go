// Package window asks the person at this computer: in a window of the system, in the terminal, or by a program that the
// administrator has chosen. It shows what it is told, and knows neither tokens nor sites. It is the only place where a PIN
// is typed, and hands it on once.
package window

import (
	"context"
	"errors"
)

// A Kind is what a dialog asks for. The zero value is none.
type Kind string

// Kinds.
const (
	Confirm Kind = "confirm" // two buttons
	Notice  Kind = "notice"  // one button
	Choose  Kind = "choose"  // one of Choices
	Text    Kind = "text"    // a line of text
	PIN     Kind = "pin"     // a line that is not shown
)

// A Dialog is one window. Everything in it is plain text.
type Dialog struct {
	Kind    Kind     `json:"kind"`
	Title   string   `json:"title"`
	Lines   []string `json:"lines"`
	Choices []string `json:"choices,omitempty"`
	OK      string   `json:"ok"`
	Cancel  string   `json:"cancel,omitempty"`
}

// An Answer is what the person did: pressed OK.
type Answer struct {
	Value  []byte // of Text and PIN; the caller clears it
	Choice int    // of Choose: index into Choices
}

// Errors of Ask.
var (
	ErrCancelled   = errors.New("window: the person cancelled")
	ErrUnavailable = errors.New("window: no way to ask the person")
)

// maxValue bounds what is typed.
const maxValue = 256

// An Asker shows one dialog and waits. Ending ctx closes the window.
type Asker interface {
	Ask(ctx context.Context, d Dialog) (Answer, error)
}
