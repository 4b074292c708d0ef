package interop

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brama/internal/der"
	"brama/internal/dstu/dstu4145"
	"brama/internal/qes/spki"
)

// scalar names a private key of ДСТУ 4145 for the programs: its curve, and the number in hex.
func scalar(t testing.TB, key *dstu4145.PrivateKey) string {
	t.Helper()
	public, ok := key.Public().(*dstu4145.PublicKey)
	if !ok {
		t.Fatal("interop: not a key of DSTU 4145")
	}
	r := der.NewReader(spki.CurveAlgorithm(public.Curve()).Parameters)
	curve := r.Sequence().OID()
	d := key.Bytes()
	slices.Reverse(d)
	return curve.String() + ":" + hex.EncodeToString(d)
}

// OpenEnvelopesWithBouncyCastle has messages, EnvelopedData with ДСТУ 4145 and ГОСТ 28147 in either mode, opened by a program
// of Bouncy Castle's ASN.1 classes and primitives: as a whole it has no such envelope. senders are certificates (DER) of
// those who may have made them with a static key. What it does not open is nil.
//
// Of what our doubles may send no other program opens anything: jkurwa has the static sender in CFB alone, OpenSSL and the CMS
// layer of Bouncy Castle have neither the agreement nor the wrap. Калина with Купина in envelopes is checked by primitives
// (internal/qes/cms): no foreign program known to us makes or opens it, but for the one whose message is among the vectors.
func OpenEnvelopesWithBouncyCastle(t testing.TB, key *dstu4145.PrivateKey, senders [][]byte, messages ...[]byte) [][]byte {
	t.Helper()
	names := []string{"-"}
	for _, s := range senders {
		names = append(names, file(t, "sender", s))
	}
	args := []string{"open", scalar(t, key), strings.Join(names, ":")}
	for _, m := range messages {
		args = append(args, file(t, "message", m))
	}
	ok, output := bouncyCastle(t, "Enveloped", args...)
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if !ok || len(lines) != len(messages) {
		t.Fatalf("interop: %s", output)
	}
	opened := make([][]byte, len(messages))
	for i, line := range lines {
		if line != "opened" {
			t.Logf("message %d: %s", i, line)
			continue
		}
		b, err := os.ReadFile(args[3+i] + ".out")
		if err != nil {
			t.Fatal(err)
		}
		opened[i] = append([]byte{}, b...)
	}
	return opened
}

// A Sealing says how an envelope is made.
type Sealing struct {
	To []byte // certificate for key agreement, DER
	// Sender is a static key, with its certificate; nil is an ephemeral one.
	Sender            *dstu4145.PrivateKey
	SenderCertificate []byte
	CTR               bool // ГОСТ 28147 in гамування instead of гамування зі зворотним зв'язком
	ByKeyID           bool
	SignedData        bool // content is a SignedData, sealed as such: without its ContentInfo
}

// SealWithBouncyCastle has Bouncy Castle's primitives make an EnvelopedData, in BER as its classes write it.
func SealWithBouncyCastle(t testing.TB, content []byte, s Sealing) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	args := []string{"seal", file(t, "to", s.To), file(t, "content", content), out, "-", "-"}
	if s.Sender != nil {
		args[4], args[5] = scalar(t, s.Sender), file(t, "sender", s.SenderCertificate)
	}
	for option, yes := range map[string]bool{"ctr": s.CTR, "key-id": s.ByKeyID, "signed-data": s.SignedData} {
		if yes {
			args = append(args, option)
		}
	}
	ok, output := bouncyCastle(t, "Enveloped", args...)
	return written(t, ok, output, out)
}
