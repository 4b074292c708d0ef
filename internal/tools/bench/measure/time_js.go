package main

import (
	"syscall/js"
	"time"
)

// processorTime is what node's process.cpuUsage says.
func processorTime() time.Duration {
	u := js.Global().Get("process").Call("cpuUsage")
	return time.Duration(u.Get("user").Int()+u.Get("system").Int()) * time.Microsecond
}
