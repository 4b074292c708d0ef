package demokeys

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brama/internal/fetch"
	"brama/internal/qes"
	"brama/internal/qes/cert"
	"brama/internal/qes/cmp"
	"brama/internal/qes/keystore"
	"brama/internal/qes/qestest"
	"brama/internal/qes/revocation"
	"brama/internal/qes/tbs"
	"brama/internal/qes/trustlist"
)

// A world is what brama dev starts, without the provider.
type world struct {
	keys      *Set
	validator *qes.Validator
	search    *cmp.Client
}

func start(t *testing.T) *world {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	p, err := qestest.New(qestest.Config{BaseURL: "http://" + server.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = p.Handler()
	server.Start()
	t.Cleanup(server.Close)
	client, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		t.Fatal(err)
	}
	store, err := p.TrustStore()
	if err != nil {
		t.Fatal(err)
	}
	checker, err := revocation.New(revocation.Config{Do: client.Do, Responders: store.Responders, AllowsHost: store.AllowsHost})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{}
	if w.validator, err = qes.New(qes.Config{Trust: store, Revocation: checker, Policy: qes.Policy{RequirePurpose: true}}); err != nil {
		t.Fatal(err)
	}
	w.search, err = cmp.New(cmp.Config{Do: client.Do, Services: func() []cmp.Service {
		var list []cmp.Service
		for _, provider := range store.Providers(time.Now()) {
			list = append(list, cmp.Service{Issuer: provider.ID(), URL: provider.CMP})
		}
		return list
	}})
	if err != nil {
		t.Fatal(err)
	}
	if w.keys, err = New(p); err != nil {
		t.Fatal(err)
	}
	return w
}

// wants is what a server that asks for a person says to each signature.
var wants = map[string]qes.Code{
	Valid: "", ValidOfficial: "", OtherIssuer: "", Multi: "",
	Seal: qes.CertSeal, Expired: qes.CertExpired, NotYetValid: qes.CertNotYetValid, Revoked: qes.CertRevoked,
	Suspended: qes.CertSuspended, Unknown: qes.CertStatusUnknown, NoTaxNo: qes.CertNoTaxNo,
	NoCert: qes.CertMissing, Damaged: KeyDamaged,
}

func TestSignAsEveryone(t *testing.T) {
	w := start(t)
	if persons := w.keys.Persons(); len(persons) != len(wants) || persons[0] != Valid {
		t.Fatalf("got %v", persons)
	}
	challenge := []byte("brama-login-v1\nне справжній")
	for _, outcome := range w.keys.Persons() {
		want, known := wants[outcome]
		if !known {
			t.Errorf("unknown outcome %s", outcome)
		}
		signature, err := w.keys.Sign(t.Context(), outcome, challenge)
		var result *qes.Result
		if err == nil {
			result, err = w.validator.Verify(t.Context(), signature, challenge)
		}
		if want == "" {
			if err != nil || result.Indication != qes.Passed || result.Purpose != "login" {
				t.Errorf("%s: got %v", outcome, err)
			}
			continue
		}
		if err == nil || qes.CodeOf(err) != want {
			t.Errorf("%s: got %v, want %s", outcome, err, want)
		}
	}
	if _, err := w.keys.Sign(t.Context(), "nobody", challenge); err == nil {
		t.Error("nobody signs")
	}
}

func TestSubjects(t *testing.T) {
	w := start(t)
	seen := make(map[string]string)
	for _, outcome := range w.keys.Persons() {
		for _, c := range w.keys.Certificates(outcome) {
			s, err := c.Subject()
			if err != nil || len(s.Warnings) != 0 {
				t.Errorf("%s: %v, %v", outcome, s.Warnings, err)
			}
			number := s.Identifier(cert.RNOKPP)
			if name := s.FamilyName; number != "" && seen[number] != "" && seen[number] != name {
				t.Errorf("%s has the number of %s", name, seen[number])
			} else if number != "" {
				seen[number] = name
			}
			if number != "" && (s.Identifier(cert.UNZR) == "" || !s.BirthDate.Equal(birthday)) {
				t.Errorf("%s: born %s", outcome, s.BirthDate)
			}
		}
	}
	kinds := func(outcome string) (list []cert.Kind) {
		for _, c := range w.keys.Certificates(outcome) {
			list = append(list, c.Kind())
		}
		return list
	}
	if got := kinds(Multi); !slices.Equal(got, []cert.Kind{cert.KindPerson, cert.KindEmployee, cert.KindEntrepreneur}) {
		t.Errorf("multi: %v", got)
	}
	if got := kinds(ValidOfficial); !slices.Equal(got, []cert.Kind{cert.KindEmployee}) {
		t.Errorf("official: %v", got)
	}
}

// Every file is opened as the browser program does it: by its bytes, with certificates from inside or from the search.
func TestFiles(t *testing.T) {
	w := start(t)
	dir := filepath.Join(t.TempDir(), "keys")
	if err := w.keys.Write(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 12*4+2 {
		t.Fatalf("got %d files, %v", len(entries), err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		outcome, format, _ := strings.Cut(e.Name(), ".")
		c, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte(Password))
		if outcome == Damaged {
			if !errors.Is(err, keystore.ErrDamaged) {
				t.Errorf("%s: got %v, want ErrDamaged", e.Name(), err)
			}
			continue
		}
		if err != nil || c.Partial {
			t.Errorf("%s: %v", e.Name(), err)
			continue
		}
		if _, err := keystore.Open(keystore.NewStdPrimitives(), b, []byte("brama-demO")); !errors.Is(err, keystore.ErrPassword) {
			t.Errorf("%s: wrong password: got %v", e.Name(), err)
		}
		certificates := c.Certificates
		inside := (format == qestest.FormatPKCS12 || format == qestest.FormatJKS) && outcome != NoCert
		if (len(certificates) > 0) != inside {
			t.Errorf("%s: %d certificates inside", e.Name(), len(certificates))
		}
		if !inside {
			certificates, err = w.search.FindCertificates(t.Context(), "", ids(c))
			if outcome == NoCert {
				if !errors.Is(err, cmp.ErrNotFound) {
					t.Errorf("%s: got %v, want ErrNotFound", e.Name(), err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", e.Name(), err)
			}
		}
		w.candidates(t, e.Name(), outcome, c, certificates)
	}
}

// ids are the identifiers that the browser program asks for: of the keys that may sign, in both forms.
func ids(c *keystore.Container) (list [][]byte) {
	for _, k := range c.Keys {
		if len(list)+2 <= cmp.MaxKeyIDs {
			list = append(list, k.ID, k.IDKupyna)
		}
	}
	return list
}

// candidates checks what the person would be offered.
func (w *world) candidates(t *testing.T, file, outcome string, c *keystore.Container, certificates [][]byte) {
	t.Helper()
	var parsed []*tbs.Certificate
	for _, b := range certificates {
		one, err := tbs.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, one)
	}
	reasons := map[string]keystore.Reason{Seal: keystore.ReasonSeal, Expired: keystore.ReasonExpired, NotYetValid: keystore.ReasonNotYetValid}
	signing := 0
	for _, candidate := range keystore.Match(c.Keys, parsed, time.Now()) {
		if candidate.Reason == keystore.ReasonUsage {
			continue // the agreement certificate
		}
		signing++
		if candidate.Reason != reasons[outcome] {
			t.Errorf("%s: got reason %q, want %q", file, candidate.Reason, reasons[outcome])
		}
	}
	want := 1
	if outcome == Multi {
		want = 3
	}
	if signing != want {
		t.Errorf("%s: %d certificates to sign with, want %d", file, signing, want)
	}
}

// Other-issuer is not found at the issuer that a person would choose first, and is at its own.
func TestOtherIssuer(t *testing.T) {
	w := start(t)
	keyIDs := [][]byte{w.keys.Certificates(OtherIssuer)[0].SubjectKeyID()}
	if _, err := w.search.FindCertificates(t.Context(), qestest.MainEDRPOU, keyIDs); !errors.Is(err, cmp.ErrNotFound) {
		t.Errorf("at the first issuer: got %v, want ErrNotFound", err)
	}
	if got, err := w.search.FindCertificates(t.Context(), qestest.SecondEDRPOU, keyIDs); err != nil || len(got) != 1 {
		t.Errorf("at its own: got %d, %v", len(got), err)
	}
}

// The national pins, which serve has, know nobody here.
func TestServeRefusesDemoKeys(t *testing.T) {
	w := start(t)
	cfg := w.keys.provider.TrustConfig()
	cfg.Pins, cfg.AllowTest, cfg.Directory = trustlist.NationalPins(), false, trustlist.Directory()
	store, err := trustlist.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	checker, err := revocation.New(revocation.Config{Do: func(context.Context, fetch.Request) (*fetch.Response, error) {
		t.Error("asked the network about a stranger")
		return nil, errors.New("no network")
	}})
	if err != nil {
		t.Fatal(err)
	}
	validator, err := qes.New(qes.Config{Trust: store, Revocation: checker})
	if err != nil {
		t.Fatal(err)
	}
	challenge := []byte("brama-login-v1\nне справжній")
	for _, outcome := range w.keys.Persons() {
		signature, err := w.keys.Sign(t.Context(), outcome, challenge)
		if err != nil {
			continue
		}
		if _, err := validator.Verify(t.Context(), signature, challenge); qes.CodeOf(err) != qes.KeyIssuerUntrusted {
			t.Errorf("%s: got %v, want %s", outcome, err, qes.KeyIssuerUntrusted)
		}
	}
}

// TestTokenKeys: for a token there is a key of each algorithm, in clear, with the certificate beside it.
func TestTokenKeys(t *testing.T) {
	w := start(t)
	dir := filepath.Join(t.TempDir(), "token")
	if err := w.keys.WriteTokens(dir); err != nil {
		t.Fatal(err)
	}
	for name, device := range map[string]bool{"dstu": true, "rsa": true, "ecdsa": false} {
		key, err := os.ReadFile(filepath.Join(dir, name+".p8"))
		if err != nil || len(key) == 0 {
			t.Errorf("%s: key of %d octets, %v", name, len(key), err)
		}
		der, err := os.ReadFile(filepath.Join(dir, name+".cer"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := cert.Parse(der)
		if err != nil || c.QCStatements().SSCD != device || c.Kind() != cert.KindPerson {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
}
