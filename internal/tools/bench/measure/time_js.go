package main

import (
	"syscall/js"
	"time"
)

// warmUp is time for node to compile what is used often.
const warmUp = 2 * time.Second

// processorTime is what node's process.cpuUsage says.
func processorTime() time.Duration {
	u := js.Global().Get("process").Call("cpuUsage")
	return time.Duration(u.Get("user").Int()+u.Get("system").Int()) * time.Microsecond
}
