//go:build linux

package window

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestZenity: a real zenity on a real display shows each kind of window and gives back what is typed and chosen.
func TestZenity(t *testing.T) {
	for _, name := range []string{"Xvfb", "zenity", "xdotool"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(name + " is not installed")
		}
	}
	display := ":97"
	x := exec.Command("Xvfb", display, "-screen", "0", "1024x768x24", "-nolisten", "tcp")
	if err := x.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Process.Kill(); _ = x.Wait() })
	t.Setenv("DISPLAY", display)
	for range 100 {
		if _, err := os.Stat("/tmp/.X11-unix/X97"); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	const title = "Brama: захищений носій"
	press := func(keys ...string) {
		for range 200 {
			if out, err := exec.Command("xdotool", "search", "--onlyvisible", "--name", "Brama").Output(); err == nil && len(out) > 0 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(500 * time.Millisecond)
		for _, k := range keys {
			args := []string{"key", k}
			if len(k) > 1 && strings.HasPrefix(k, "=") {
				args = []string{"type", k[1:]}
			}
			if out, err := exec.Command("xdotool", args...).CombinedOutput(); err != nil {
				t.Errorf("xdotool %v: %v %s", args, err, out)
			}
		}
	}
	for _, c := range []struct {
		name   string
		dialog Dialog
		keys   []string
		want   Answer
		err    error
	}{
		{"PIN", Dialog{Kind: PIN, Title: title, Lines: []string{"Ваша фраза: сірий_кіт <b>&", "Введіть PIN-код"}, OK: "Далі", Cancel: "Скасувати"}, []string{"=90481", "Return"}, Answer{Value: []byte("90481")}, nil},
		{"text", Dialog{Kind: Text, Title: title, Lines: []string{"Фраза"}, OK: "Далі", Cancel: "Скасувати"}, []string{"=grey cat", "Return"}, Answer{Value: []byte("grey cat")}, nil},
		{"cancelled", Dialog{Kind: PIN, Title: title, Lines: []string{"x"}, OK: "Далі", Cancel: "Скасувати"}, []string{"Escape"}, Answer{}, ErrCancelled},
		{"not confirmed by Enter", Dialog{Kind: Confirm, Title: title, Lines: []string{"<i>_x"}, OK: "Далі", Cancel: "Скасувати"}, []string{"Return"}, Answer{}, ErrCancelled},
		{"notice", Dialog{Kind: Notice, Title: title, Lines: []string{"x"}, OK: "Далі"}, []string{"Return"}, Answer{}, nil},
		{"choice", Dialog{Kind: Choose, Title: title, Lines: []string{"a & b"}, Choices: []string{"перший", "<другий>", "третій"}, OK: "Далі", Cancel: "Скасувати"}, []string{"Down", "Return"}, Answer{Choice: 1}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			done := make(chan struct{})
			go func() { defer close(done); press(c.keys...) }()
			got, err := zenity("/usr/bin/zenity").Ask(ctx, c.dialog)
			<-done
			if !errors.Is(err, c.err) || string(got.Value) != string(c.want.Value) || c.err == nil && got.Choice != c.want.Choice {
				t.Errorf("Ask = %q %d, %v; want %q %d, %v", got.Value, got.Choice, err, c.want.Value, c.want.Choice, c.err)
			}
		})
	}
}
