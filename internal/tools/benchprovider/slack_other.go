//go:build !linux

package main

import "os/exec"

func launch(cmd *exec.Cmd) error { return cmd.Start() }
