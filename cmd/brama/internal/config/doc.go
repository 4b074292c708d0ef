// Package config reads the configuration of `brama serve`: one YAML file, strict (an unknown key is an error), secrets by
// reference to files only. It turns text into values and judges each by itself; what the values are used for is the
// wiring's business.
package config
