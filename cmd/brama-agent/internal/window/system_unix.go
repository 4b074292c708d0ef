//go:build unix && !darwin

package window

import (
	"fmt"
	"os"
	"os/exec"

	"brama/cmd/brama-agent/internal/adminonly"
)

// System returns the windows that this computer offers: kdialog or zenity, whichever belongs to the desktop, if the agent
// runs in a graphical session, else the terminal.
func System() (Asker, error) {
	if os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "" {
		const forGNOME, forKDE = "/usr/bin/zenity", "/usr/bin/kdialog"
		order := []string{forGNOME, forKDE}
		if os.Getenv("XDG_CURRENT_DESKTOP") == "KDE" {
			order = []string{forKDE, forGNOME}
		}
		for _, path := range order {
			switch {
			case adminonly.Check(path) != nil:
			case path == forKDE:
				return kdialog(path), nil
			default:
				return zenity(path), nil
			}
		}
	}
	t, err := NewTerminal(os.Stdin, os.Stderr)
	if err != nil {
		return nil, fmt.Errorf("neither zenity nor kdialog in a graphical session: %w", err)
	}
	return t, nil
}

func hide(*exec.Cmd) {}
