//go:build !js

package main

import "os"

func main() {
	_, _ = os.Stderr.WriteString("brama-wasm runs in a browser: build it with GOOS=js GOARCH=wasm\n")
	os.Exit(2)
}
