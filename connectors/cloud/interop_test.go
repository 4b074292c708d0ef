package cloud

import (
	"testing"

	"brama/connectors"
	"brama/connectors/cloud/cloudtest"
	"brama/internal/interop"
	"brama/internal/qes/qestest"
)

// TestDoubleByOthers: what is put together from the raw value of a provider, and what a provider puts together itself, is a
// signature over the challenge to implementations that are not ours.
func TestDoubleByOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("runs another program for seconds")
	}
	signed := func(t *testing.T, kind Kind, algorithm qestest.Algorithm, plain bool) (signature, challenge []byte) {
		t.Helper()
		key := authority(t).Person(t, func(r *qestest.Request) {
			if r.Algorithm = algorithm; algorithm == qestest.P256 {
				r.Authority = qestest.ECDSA
			}
		})
		w := open(t, setting{provider: Provider{Kind: kind}, account: cloudtest.Account{Keys: []*qestest.Issued{key}, Push: kind == CSC2},
			double: cloudtest.Config{PlainECDSA: plain}})
		step, err := w.press(t)
		if _, ok := step.(connectors.Wait); ok && err == nil {
			w.decide(t, cloudtest.Approve)
			step, err = w.poll(t)
		}
		done, ok := step.(connectors.Done)
		if err != nil || !ok {
			t.Fatalf("%s: %T, %v", kind, step, err)
		}
		return done.Identity.Evidence.Signature, w.login.Challenge
	}
	for _, kind := range []Kind{CSC1, CSC2} {
		signature, challenge := signed(t, kind, qestest.M257, false)
		interop.VerifyWithBouncyCastle(t, signature, challenge, nil).Accept(t)
		interop.VerifyWithBouncyCastle(t, signature, append(challenge, '\n'), nil).Refuse(t)
		signature, challenge = signed(t, kind, qestest.P256, kind == CSC1)
		interop.VerifyWithOpenSSL(t, signature, challenge).Accept(t)
		interop.VerifyWithOpenSSL(t, signature, append(challenge, '\n')).Refuse(t)
	}
	signature, challenge := signed(t, SmartID, qestest.M257, false)
	interop.VerifyWithBouncyCastle(t, signature, challenge, nil).Accept(t)
}
