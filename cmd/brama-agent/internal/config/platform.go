package config

import (
	"log/slog"
	"os"
	"slices"

	"brama/cmd/brama-agent/internal/adminonly"
)

// ModulePaths returns the modules to be loaded: those of the configuration, then those known for this system that are
// there. A path that somebody else could change is left out and logged (threat T61).
func (c *Config) ModulePaths(log *slog.Logger) []string {
	list := slices.Clone(c.Modules)
	if c.PlatformModules == nil || *c.PlatformModules {
		for _, p := range platformModules() {
			if _, err := os.Stat(p); err == nil && !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	}
	return slices.DeleteFunc(list, func(p string) bool {
		err := adminonly.Check(p)
		if err != nil {
			log.Error("module refused", "err", err)
		}
		return err != nil
	})
}
