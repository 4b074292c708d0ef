package diia

import (
	"testing"

	"brama/connectors"
	"brama/connectors/diia/diiatest"
	"brama/internal/interop"
	"brama/internal/qes/qestest"
)

// TestDoubleByOthers: what the telephone of the double signs is a signature to implementations that are not ours, and one
// made by such an implementation signs in.
func TestDoubleByOthers(t *testing.T) {
	signed := func(w *world, a diiatest.Action) []byte {
		ev := w.capture(t, w.press(t), a, "")
		b, err := signatureIn(w.connector.cfg.Scope, w.requestID(t), ev.Header.Get("Content-Type"), ev.Body)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	t.Run("OpenSSL", func(t *testing.T) {
		w := newWorld(t, setup{algorithm: ECDSA})
		interop.VerifyWithOpenSSL(t, signed(w, diiatest.Approve), w.login.Challenge).Accept(t)
		interop.VerifyWithOpenSSL(t, signed(w, diiatest.WrongHash), w.login.Challenge).Refuse(t)
	})
	t.Run("BouncyCastle", func(t *testing.T) {
		w := newWorld(t, setup{})
		interop.VerifyWithBouncyCastle(t, signed(w, diiatest.Approve), w.login.Challenge, nil).Accept(t)
		person := w.Person(t, func(r *qestest.Request) { r.Authority = qestest.Diia })
		foreign := interop.SignWithBouncyCastle(t, person.Key.DSTU, person.Certificate.Raw, w.login.Challenge, true)
		step, err := w.connector.Advance(t.Context(), w.login, write(w.requestID(t), "hashedFilesSigning", encode(foreign)))
		done, ok := step.(connectors.Done)
		if err != nil || !ok {
			t.Fatalf("%T, %v", step, err)
		}
		// A certificate that says nothing of a device is substantial (T33).
		if done.Identity.LoA != connectors.Substantial || done.Identity.AMR[0] != "pop" {
			t.Errorf("level %q, amr %v", done.Identity.LoA, done.Identity.AMR)
		}
	})
}
