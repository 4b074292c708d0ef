//go:build cgo

package pkcs11

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/miekg/pkcs11"
)

// A Module is a loaded and initialised PKCS#11 module. Not safe for concurrent use.
type Module struct{ ctx *pkcs11.Ctx }

// Open loads the module at path, which must be absolute and trusted: its code runs at once.
func Open(path string) (*Module, error) {
	ctx := pkcs11.New(path)
	if ctx == nil {
		return nil, ErrNoModule
	}
	if err := ctx.Initialize(); err != nil {
		return nil, classify("C_Initialize", err)
	}
	return &Module{ctx: ctx}, nil
}

// restart initialises the module anew: some find their device again only so. Every session is lost with it.
func (m *Module) restart() error {
	_ = m.ctx.Finalize() // it may be in no state to be ended
	return classify("C_Initialize", m.ctx.Initialize())
}

// Close ends the module's work. It stays loaded: modules do not survive being unloaded.
func (m *Module) Close() error { return classify("C_Finalize", m.ctx.Finalize()) }

// Tokens lists the tokens that are there and recognised. A slot that goes wrong is left out unless it is the only one.
func (m *Module) Tokens() ([]Token, error) {
	slots, err := m.ctx.GetSlotList(true)
	if err != nil {
		return nil, classify("C_GetSlotList", err)
	}
	if len(slots) > maxSlots {
		return nil, fmt.Errorf("C_GetSlotList: %w: %d slots", ErrFault, len(slots))
	}
	var tokens []Token
	var failed error
	for _, slot := range slots {
		t, ok, err := m.token(slot)
		switch {
		case err != nil:
			failed = err
		case ok:
			tokens = append(tokens, t)
		}
	}
	if len(tokens) == 0 && failed != nil {
		return nil, failed
	}
	return tokens, nil
}

// token reads one token; ok is false for one that was never initialised.
func (m *Module) token(slot uint) (t Token, ok bool, err error) {
	info, err := m.ctx.GetTokenInfo(slot)
	if err != nil {
		return Token{}, false, classify("C_GetTokenInfo", err)
	}
	has := func(flag uint) bool { return info.Flags&flag != 0 }
	return Token{
		Slot:          slot,
		Label:         printable(info.Label),
		Manufacturer:  printable(info.ManufacturerID),
		Model:         printable(info.Model),
		Serial:        printable(info.SerialNumber),
		LoginRequired: has(pkcs11.CKF_LOGIN_REQUIRED),
		PINPad:        has(pkcs11.CKF_PROTECTED_AUTHENTICATION_PATH),
		PINCountLow:   has(pkcs11.CKF_USER_PIN_COUNT_LOW),
		PINFinalTry:   has(pkcs11.CKF_USER_PIN_FINAL_TRY),
		PINLocked:     has(pkcs11.CKF_USER_PIN_LOCKED),
	}, has(pkcs11.CKF_TOKEN_INITIALIZED), nil
}

// printable keeps what a window may show of a fixed field, which modules fill with spaces, zeros or anything.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.TrimSpace(s)
}
