//go:build js

package main

import (
	"syscall/js"
	"time"
)

// The worker passes one message at a time and a function for the answer. Work happens on a goroutine of its own: a
// callback of JavaScript must not wait for a promise.
func main() {
	s := &session{primitives: webPrimitives{}, newSigner: newWebSigner, rand: webRandom{}, now: time.Now}
	handler := js.FuncOf(func(_ js.Value, args []js.Value) any {
		message, answer := args[0], args[1]
		go func() { answer.Invoke(s.handle(message)) }()
		return nil
	})
	js.Global().Call("bramaReady", handler)
	select {}
}

// handle works off one message; every refusal, a panic too, is an answer.
func (s *session) handle(message js.Value) (answer map[string]any) {
	defer func() {
		if recover() != nil {
			answer = refusal(codeInternal)
		}
	}()
	answer, err := s.command(message)
	if err != nil {
		return refusal(err)
	}
	answer["ok"] = true
	return answer
}

func refusal(err error) map[string]any {
	c, kind := codeOf(err)
	answer := map[string]any{"ok": false, "code": string(c)}
	if kind != "" {
		answer["kind"] = kind
	}
	return answer
}

func (s *session) command(message js.Value) (map[string]any, error) {
	switch message.Get("cmd").String() {
	case "open":
		data, password := take(message.Get("data")), take(message.Get("password"))
		defer clear(data)
		defer clear(password)
		if err := s.open(data, password); err != nil {
			return nil, err
		}
		return s.describe(), nil
	case "addCertificates":
		list := message.Get("data")
		if !list.InstanceOf(js.Global().Get("Array")) {
			return nil, codeInternal
		}
		var files [][]byte
		for i := range list.Length() {
			files = append(files, fromJS(list.Index(i)))
		}
		if err := s.addCertificates(files); err != nil {
			return nil, err
		}
		return s.describe(), nil
	case "sign":
		index := message.Get("certificate")
		if index.Type() != js.TypeNumber {
			return nil, codeInternal
		}
		signature, err := s.sign(index.Int(), fromJS(message.Get("challenge")), message.Get("origin").String())
		if err != nil {
			return nil, err
		}
		return map[string]any{"signature": toJS(signature).Get("buffer")}, nil
	case "close":
		s.close()
		return map[string]any{}, nil
	}
	return nil, codeInternal
}

// take copies secret bytes and overwrites what they were copied from.
func take(v js.Value) []byte {
	b := fromJS(v)
	if b != nil {
		if v.InstanceOf(js.Global().Get("ArrayBuffer")) {
			v = js.Global().Get("Uint8Array").New(v)
		}
		v.Call("fill", 0)
	}
	return b
}
