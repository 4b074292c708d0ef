package window

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/term"
)

// A Terminal asks in the terminal that the agent was started in.
type Terminal struct {
	mu  sync.Mutex
	in  *os.File
	out io.Writer
}

var _ Asker = (*Terminal)(nil)

// NewTerminal returns an Asker on in and out, or ErrUnavailable if in is no terminal: a PIN must not be echoed.
func NewTerminal(in, out *os.File) (*Terminal, error) {
	if !term.IsTerminal(int(in.Fd())) {
		return nil, fmt.Errorf("%w: standard input is not a terminal", ErrUnavailable)
	}
	return &Terminal{in: in, out: out}, nil
}

// Ask prints the dialog and reads a line. An empty line is the other button. A dialog whose ctx has ended leaves a reader
// behind that takes the next line.
func (t *Terminal) Ask(ctx context.Context, d Dialog) (Answer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, "\n== %s ==\n", d.Title)
	for _, line := range d.Lines {
		fmt.Fprintln(t.out, plain(line))
	}
	for i, c := range d.Choices {
		fmt.Fprintf(t.out, "  %d. %s\n", i+1, plain(c))
	}
	type reply struct {
		line []byte
		err  error
	}
	got := make(chan reply, 1)
	go func() {
		var r reply
		switch d.Kind {
		case PIN:
			fmt.Fprint(t.out, "PIN: ")
			r.line, r.err = term.ReadPassword(int(t.in.Fd()))
			fmt.Fprintln(t.out)
		case Confirm, Notice:
			fmt.Fprintf(t.out, "[+ = %s] [Enter = %s] ", d.OK, d.Cancel)
			r.line, r.err = readLine(t.in)
		default:
			fmt.Fprint(t.out, "> ")
			r.line, r.err = readLine(t.in)
		}
		got <- r
	}()
	var r reply
	select {
	case r = <-got:
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
	switch {
	case r.err != nil:
		return Answer{}, fmt.Errorf("%w: %w", ErrUnavailable, r.err)
	case d.Kind == Notice:
		return Answer{}, nil
	case len(r.line) == 0, d.Kind == Confirm && string(r.line) != "+":
		return Answer{}, ErrCancelled
	case d.Kind == Choose:
		n, err := strconv.Atoi(string(r.line))
		if err != nil || n < 1 || n > len(d.Choices) {
			return Answer{}, ErrCancelled
		}
		return Answer{Choice: n - 1}, nil
	}
	return d.answer(r.line, 0)
}

func readLine(r io.Reader) ([]byte, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxValue)).ReadString('\n')
	return []byte(strings.TrimRight(line, "\r\n")), err
}

// plain drops what a terminal would obey.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}
