package window

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// zenity is the dialog program of GNOME. Lists go in by standard input and no PIN is ever an argument; the lines of a
// dialog are arguments, which other users of this computer can see, so that they never name a person.
type zenity string

func (p zenity) Ask(ctx context.Context, d Dialog) (Answer, error) {
	text := strings.Join(d.Lines, "\n\n")
	args := []string{"--title=" + d.Title, "--width=520", "--ok-label=" + d.OK}
	if d.Cancel != "" && d.Kind != Notice {
		args = append(args, "--cancel-label="+d.Cancel)
	}
	var in bytes.Buffer
	switch d.Kind {
	case Confirm:
		args = append(args, "--question", "--default-cancel", "--no-markup", "--text="+text)
	case Notice:
		args = append(args, "--info", "--no-markup", "--text="+text)
	case Text:
		args = append(args, "--entry", "--text="+mnemonics(text))
	case PIN:
		args = append(args, "--entry", "--hide-text", "--text="+mnemonics(text))
	case Choose:
		args = append(args, "--list", "--height=360", "--text="+markup(text), "--column=#", "--column=", "--hide-column=1",
			"--print-column=1", "--hide-header")
		for i, c := range d.Choices {
			fmt.Fprintf(&in, "%d\n%s\n", i, oneLine(c))
		}
	default:
		return Answer{}, fmt.Errorf("%w: kind %q", ErrUnavailable, d.Kind)
	}
	out, err := run(ctx, &in, string(p), args...)
	if d.Kind == Notice && errors.Is(err, ErrCancelled) {
		return Answer{}, nil // however it was closed, it was seen
	}
	if err != nil {
		return Answer{}, err
	}
	out = bytes.TrimSuffix(out, []byte("\n"))
	if d.Kind == Choose {
		n, err := strconv.Atoi(string(out))
		if err != nil {
			return Answer{}, ErrCancelled // pressed without a choice
		}
		return d.answer(nil, n)
	}
	return d.answer(out, 0)
}

// mnemonics keeps GTK from taking an underscore for the sign of a key.
func mnemonics(s string) string { return strings.ReplaceAll(s, "_", "__") }

// markup keeps GTK from taking text for its markup, in the one dialog that has no switch for it.
func markup(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// kdialog is the dialog program of KDE.
type kdialog string

func (p kdialog) Ask(ctx context.Context, d Dialog) (Answer, error) {
	text := markup(strings.Join(d.Lines, "\n\n"))
	args := []string{"--title", d.Title}
	switch d.Kind {
	case Confirm:
		args = append(args, "--yes-label", d.OK, "--no-label", d.Cancel, "--yesno", text)
	case Notice:
		args = append(args, "--msgbox", text)
	case Text:
		args = append(args, "--inputbox", text)
	case PIN:
		args = append(args, "--password", text)
	case Choose:
		args = append(args, "--menu", text)
		for i, c := range d.Choices {
			args = append(args, strconv.Itoa(i), oneLine(c))
		}
	default:
		return Answer{}, fmt.Errorf("%w: kind %q", ErrUnavailable, d.Kind)
	}
	out, err := run(ctx, nil, string(p), args...)
	if d.Kind == Notice && errors.Is(err, ErrCancelled) {
		return Answer{}, nil
	}
	if err != nil {
		return Answer{}, err
	}
	out = bytes.TrimSuffix(out, []byte("\n"))
	if d.Kind == Choose {
		n, err := strconv.Atoi(string(out))
		if err != nil {
			return Answer{}, ErrCancelled
		}
		return d.answer(nil, n)
	}
	return d.answer(out, 0)
}
