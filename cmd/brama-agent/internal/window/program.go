package window

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// Program is the program of the administrator's choice at an absolute path, started anew for each dialog. It reads the
// Dialog as JSON from standard input and writes to standard output {"ok":true,"value":"...","choice":0}, or {"ok":false}
// where the person cancelled. It must end by itself; when the agent no longer waits, it is killed.
type Program string

var _ Asker = Program("")

// Ask runs the program.
func (p Program) Ask(ctx context.Context, d Dialog) (Answer, error) {
	in, err := json.Marshal(d)
	if err != nil {
		return Answer{}, err
	}
	out, err := run(ctx, bytes.NewReader(in), string(p))
	if err != nil {
		return Answer{}, err
	}
	defer clear(out)
	var a struct {
		OK     bool   `json:"ok"`
		Value  string `json:"value"`
		Choice int    `json:"choice"`
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&a); err != nil {
		return Answer{}, fmt.Errorf("%w: the dialog program: not the JSON of an answer", ErrUnavailable) // err may quote it
	}
	if !a.OK {
		return Answer{}, ErrCancelled
	}
	return d.answer([]byte(a.Value), a.Choice)
}

// answer checks what came back.
func (d Dialog) answer(value []byte, choice int) (Answer, error) {
	switch {
	case len(value) > maxValue:
		return Answer{}, fmt.Errorf("%w: a value of %d octets", ErrUnavailable, len(value))
	case d.Kind == Choose && (choice < 0 || choice >= len(d.Choices)):
		return Answer{}, fmt.Errorf("%w: choice %d of %d", ErrUnavailable, choice, len(d.Choices))
	case d.Kind == Choose:
		return Answer{Choice: choice}, nil
	case d.Kind == Text || d.Kind == PIN:
		return Answer{Value: value}, nil
	}
	return Answer{}, nil
}

// run runs a program that shows one window. Its output may be a PIN: it is bounded, and in no error.
func run(ctx context.Context, in io.Reader, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = in
	cmd.WaitDelay = time.Second
	hide(cmd)
	out := limited{max: 16 << 10}
	cmd.Stdout = &out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &exit) && exit.ExitCode() == 1: // what dialog programs answer for the other button
		return nil, ErrCancelled
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %w", ErrUnavailable, name, err)
	}
	return out.b, nil
}

// limited keeps at most max octets and refuses more.
type limited struct {
	b   []byte
	max int
}

func (l *limited) Write(b []byte) (int, error) {
	if len(l.b)+len(b) > l.max {
		return 0, errors.New("too much output")
	}
	l.b = append(l.b, b...)
	return len(b), nil
}
