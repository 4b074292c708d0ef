//go:build !unix && !js

package main

import "time"

var begin = time.Now()

func processorTime() time.Duration { return time.Since(begin) }
