//go:build !linux

package wiring

func forgetStart() {}
