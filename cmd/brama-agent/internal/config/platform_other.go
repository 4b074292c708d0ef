//go:build !linux && !darwin && !windows

package config

// DefaultPath is where the administrator's file is.
func DefaultPath() string { return "/usr/local/etc/brama-agent/agent.yaml" }

// platformModules: none are known.
func platformModules() []string { return nil }
