//go:build !unix && !js

package main

import "time"

const warmUp = 20 * time.Millisecond

var begin = time.Now()

func processorTime() time.Duration { return time.Since(begin) }
