package login

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"brama/cmd/brama-agent/internal/module"
	"brama/cmd/brama-agent/internal/window"
	"brama/cmd/brama-agent/internal/words"
	"brama/internal/pkcs11"
)

// A token is a token with the child that serves it and the certificates it shows without a login.
type token struct {
	process      *module.Process
	info         pkcs11.Token
	certificates [][]byte
}

// tokens lists what is connected. While there is nothing, the person is asked to connect a token, as often as they press.
func (a *attempt) tokens(ctx context.Context) ([]token, error) {
	for range maxRounds {
		tokens, failed := a.list(ctx)
		if len(tokens) > 0 {
			return tokens, nil
		}
		a.closeAll()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var lines []string
		for _, f := range failed {
			lines = append(lines, words.Fill(a.w.ModuleFailed, f.Values["module"]))
		}
		lines = append(lines, a.w.Insert)
		if _, err := a.ask(ctx, window.Dialog{Kind: window.Confirm, Lines: lines, OK: a.w.Next}); err != nil {
			switch {
			case !errors.Is(err, window.ErrCancelled):
				return nil, err
			case len(failed) > 0:
				return nil, failed[0]
			}
			return nil, refuse(TokenAbsent, err)
		}
	}
	return nil, refuse(TokenAbsent, nil)
}

// list asks every module at once; one that fails leaves the others as they are.
func (a *attempt) list(ctx context.Context) (tokens []token, failed []*Refusal) {
	paths := a.Modules()
	found, errs := make([][]token, len(paths)), make([]error, len(paths))
	var wg sync.WaitGroup
	for i, path := range paths {
		p, err := a.Start(path)
		if err != nil {
			errs[i] = err
			continue
		}
		a.open = append(a.open, p)
		wg.Go(func() { found[i], errs[i] = tokensOf(ctx, p) })
	}
	wg.Wait()
	for i, path := range paths {
		if errs[i] != nil {
			a.Log.WarnContext(ctx, "module failed", "module", filepath.Base(path), "err", errs[i])
			if r := refusalOf(errs[i], path); r.Code == TokenFault {
				failed = append(failed, r)
			}
		}
		tokens = append(tokens, found[i]...)
	}
	return distinct(tokens), failed
}

func tokensOf(ctx context.Context, p *module.Process) ([]token, error) {
	infos, err := p.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	var list []token
	for _, info := range infos {
		opened, certificates, err := p.Open(ctx, info.Slot)
		switch {
		case errors.Is(err, pkcs11.ErrRemoved), errors.Is(err, pkcs11.ErrUnsupported):
			continue
		case err != nil:
			return list, err
		}
		list = append(list, token{process: p, info: opened, certificates: certificates})
	}
	return list, nil
}

// distinct drops a token that a second module shows as well, where a serial number tells.
func distinct(tokens []token) []token {
	seen := map[[2]string]*module.Process{}
	var list []token
	for _, t := range tokens {
		id := [2]string{t.info.Manufacturer, t.info.Serial}
		if other, ok := seen[id]; ok && t.info.Serial != "" && other != t.process {
			continue
		}
		seen[id] = t.process
		list = append(list, t)
	}
	return list
}

// nameOf names a token in a window.
func nameOf(t pkcs11.Token) string {
	switch {
	case t.Label != "":
		return t.Label
	case t.Model != "":
		return t.Model
	}
	return t.Serial
}

// lastDigits are what a window shows of a serial number.
func lastDigits(serial string) string {
	const shown = 4
	if r := []rune(serial); len(r) > shown {
		return string(r[len(r)-shown:])
	}
	return serial
}
