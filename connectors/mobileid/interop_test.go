package mobileid

import (
	"testing"

	"brama/connectors"
	"brama/connectors/connectortest"
	"brama/connectors/mobileid/mobileidtest"
	"brama/internal/interop"
)

// TestDoubleByOthers: what the double's SIM signs, with the text and without, is a signature to an implementation that is not
// ours, and one made by such an implementation signs in.
func TestDoubleByOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("runs another program for seconds")
	}
	a := connectortest.NewAuthority(t)
	for _, detached := range []bool{false, true} {
		w := open(t, a, mobileidtest.Config{Detached: detached}, Config{})
		w.press(t)
		w.decide(t, mobileidtest.Approve)
		step, err := w.step(t, poll)
		done, ok := step.(connectors.Done)
		if err != nil || !ok {
			t.Fatalf("%T, %v", step, err)
		}
		content := w.login.Challenge
		if !detached {
			content = nil
		}
		interop.VerifyWithBouncyCastle(t, done.Identity.Evidence.Signature, content, nil).Accept(t)
		if detached {
			interop.VerifyWithBouncyCastle(t, done.Identity.Evidence.Signature, []byte("договір.pdf"), nil).Refuse(t)
		}
	}
	w := open(t, a, mobileidtest.Config{}, Config{})
	person := a.Person(t, nil)
	foreign := interop.SignWithBouncyCastle(t, person.Key.DSTU, person.Certificate.Raw, w.login.Challenge, false)
	step, err := w.judge(t.Context(), w.login, &w.cfg.Operators[0], state{}, &answer{status: statusSignature, signature: foreign})
	if done, ok := step.(connectors.Done); err != nil || !ok || done.Identity.Name != connectortest.PersonName {
		t.Errorf("%T, %v", step, err)
	}
}
