package login

import (
	"context"
	"errors"

	"brama/cmd/brama-agent/internal/window"
	"brama/cmd/brama-agent/internal/words"
	"brama/internal/pkcs11"
)

// logIn asks for the PIN and logs in. Every attempt is a window and a press of its own; the last one that a token has is
// confirmed before it is asked for (threat T58).
func (a *attempt) logIn(ctx context.Context, token *pkcs11.Token) error {
	return a.withPIN(ctx, token, "", func(pin []byte) (*pkcs11.Token, error) { return a.used.Login(ctx, pin) })
}

// withPIN asks until try succeeds with what was typed, or fails for another cause than a wrong PIN, or the person has had
// enough. reason stands above the question.
func (a *attempt) withPIN(ctx context.Context, token *pkcs11.Token, reason string, try func(pin []byte) (*pkcs11.Token, error)) error {
	for {
		pin, err := a.askPIN(ctx, token, reason)
		if err != nil {
			if a.wrong != nil && errors.Is(err, window.ErrCancelled) {
				return a.wrong
			}
			return err
		}
		now, err := try(pin)
		clear(pin)
		if now != nil {
			*token = *now
		}
		switch {
		case errors.Is(err, pkcs11.ErrPINWrong):
			a.wrong = refuse(PINWrong, err)
			switch {
			case token.PINFinalTry:
				a.wrong.Values = map[string]string{"attempts": "last"}
			case token.PINCountLow:
				a.wrong.Values = map[string]string{"attempts": "low"}
			}
			reason = a.w.PINWrong
		case errors.Is(err, pkcs11.ErrPINLocked):
			a.notice(ctx, a.w.Locked)
			return err
		case errors.Is(err, pkcs11.ErrPINExpired):
			a.notice(ctx, a.w.PINExpired)
			return err
		default:
			return err
		}
	}
}

// askPIN returns what was typed; nil for a token whose PIN is typed on the reader.
func (a *attempt) askPIN(ctx context.Context, token *pkcs11.Token, reason string) ([]byte, error) {
	name := nameOf(*token)
	if token.PINLocked {
		a.notice(ctx, a.w.Locked)
		return nil, refuse(PINLocked, nil)
	}
	if token.PINFinalTry {
		if _, err := a.ask(ctx, window.Dialog{Kind: window.Confirm, Lines: []string{words.Fill(a.w.FinalConfirm, name)}}); err != nil {
			return nil, err
		}
	}
	var lines []string
	if reason != "" {
		lines = append(lines, reason)
	}
	switch {
	case token.PINFinalTry:
		lines = append(lines, a.w.PINFinal)
	case token.PINCountLow:
		lines = append(lines, a.w.PINLow)
	}
	if token.PINPad {
		_, err := a.ask(ctx, window.Dialog{Kind: window.Confirm, Lines: append(lines, a.w.PINPad), OK: a.w.Next})
		return nil, err
	}
	lines = append(lines, words.Fill(a.w.PIN, name),
		words.Fill(a.w.Portal, a.Challenge.Host), words.Fill(a.w.Site, a.Challenge.Issuer))
	answer, err := a.ask(ctx, window.Dialog{Kind: window.PIN, Lines: lines})
	if err != nil {
		return nil, err
	}
	if len(answer.Value) == 0 {
		return nil, window.ErrCancelled // an empty PIN is no attempt
	}
	return answer.Value, nil
}
