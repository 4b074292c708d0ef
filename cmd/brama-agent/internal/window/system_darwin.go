package window

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// System returns the windows of the system's own script program.
func System() (Asker, error) { return osascript("/usr/bin/osascript"), nil }

type osascript string

// Each script takes its texts as arguments, never as parts of the script.
var scripts = map[Kind]string{
	Confirm: `on run {t, x, o, c}
display dialog x with title t buttons {c, o} default button c cancel button c
end run`,
	Notice: `on run {t, x, o, c}
display dialog x with title t buttons {o} default button o
end run`,
	Text: `on run {t, x, o, c}
text returned of (display dialog x with title t default answer "" buttons {c, o} default button o cancel button c)
end run`,
	PIN: `on run {t, x, o, c}
text returned of (display dialog x with title t default answer "" buttons {c, o} default button o cancel button c with hidden answer)
end run`,
	Choose: `on run argv
set n to (choose from list (items 5 thru -1 of argv) with title (item 1 of argv) with prompt (item 2 of argv) OK button name (item 3 of argv) cancel button name (item 4 of argv))
if n is false then error number -128
return item 1 of n
end run`,
}

func (p osascript) Ask(ctx context.Context, d Dialog) (Answer, error) {
	script, ok := scripts[d.Kind]
	if !ok {
		return Answer{}, fmt.Errorf("%w: kind %q", ErrUnavailable, d.Kind)
	}
	args := []string{"-e", script, d.Title, strings.Join(d.Lines, "\n\n"), d.OK, d.Cancel}
	for i, c := range d.Choices {
		args = append(args, fmt.Sprintf("%d. %s", i+1, c))
	}
	out, err := run(ctx, nil, string(p), args...)
	if err != nil {
		return Answer{}, err
	}
	out = bytes.TrimSuffix(out, []byte("\n"))
	if d.Kind == Choose {
		number, _, _ := strings.Cut(string(out), ".")
		n, err := strconv.Atoi(number)
		if err != nil {
			return Answer{}, ErrCancelled
		}
		return d.answer(nil, n-1)
	}
	return d.answer(out, 0)
}

func hide(*exec.Cmd) {}
