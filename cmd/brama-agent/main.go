// Brama-agent lets a page sign a login with a hardware token of this computer. It listens on the loopback, answers the
// sites that the administrator of the computer has listed, shows in a window of its own what it is asked to sign, and asks
// the PIN there and nowhere else.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"brama/cmd/brama-agent/internal/adminonly"
	"brama/cmd/brama-agent/internal/config"
	"brama/cmd/brama-agent/internal/door"
	"brama/cmd/brama-agent/internal/login"
	"brama/cmd/brama-agent/internal/module"
	"brama/cmd/brama-agent/internal/window"
)

// version is set by the linker.
var version = "0.0.0"

const usage = `usage: brama-agent [--config FILE] [--terminal]
       brama-agent --version

Without --config the file is %s.
--terminal asks in this terminal instead of in windows.
`

func main() {
	if len(os.Args) == 3 && os.Args[1] == module.Verb {
		os.Exit(child(os.Args[2]))
	}
	flags := flag.NewFlagSet("brama-agent", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprintf(os.Stderr, usage, config.DefaultPath()) }
	file := flags.String("config", config.DefaultPath(), "")
	terminal := flags.Bool("terminal", false, "")
	showVersion := flags.Bool("version", false, "")
	switch err := flags.Parse(os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil || flags.NArg() > 0:
		os.Exit(2)
	case *showVersion:
		fmt.Println(version)
		return
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(*file, *terminal, log); err != nil {
		log.Error("the agent stops", "err", err)
		os.Exit(1)
	}
}

// child is the life of a child process with one module.
func child(path string) int {
	answers, err := module.Isolate()
	if err == nil {
		err = module.Serve(path, os.Stdin, answers)
	}
	if err != nil {
		return 1
	}
	return 0
}

func run(file string, terminal bool, log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := module.NoDumps(); err != nil {
		return err
	}
	c, err := config.Load(file)
	if err != nil {
		return err
	}
	ask, err := asker(c, terminal)
	if err != nil {
		return err
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return err
	}
	steps := login.Config{
		Ask:     ask,
		Person:  login.NewPerson(filepath.Join(dir, "brama-agent")),
		Modules: func() []string { return c.ModulePaths(log) },
		Start: func(path string) (*module.Process, error) {
			return module.Start(self, path, module.DefaultLimits)
		},
		Log: log,
	}
	d, err := door.New(door.Config{
		Origins:  c.Origins,
		Port:     c.Port,
		Version:  version,
		Language: c.Language,
		Login: func(ctx context.Context, r login.Request) ([]byte, error) {
			return login.Login(ctx, steps, r)
		},
		Log: log,
	})
	if err != nil {
		return err
	}
	log.Info("ready", "version", version, "port", c.Port, "origins", len(c.Origins))
	if err := d.Serve(ctx); err != nil {
		return err
	}
	return nil
}

// asker is the administrator's dialog program, the terminal, or what the system has.
func asker(c *config.Config, terminal bool) (window.Asker, error) {
	switch {
	case terminal:
		return window.NewTerminal(os.Stdin, os.Stderr)
	case c.Dialog != "":
		if err := adminonly.Check(c.Dialog); err != nil {
			return nil, fmt.Errorf("dialog program: %w", err)
		}
		return window.Program(c.Dialog), nil
	}
	return window.System()
}
