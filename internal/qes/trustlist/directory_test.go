package trustlist

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"brama/internal/vectors"
)

// T103: the directory is what was compared, and nothing that was changed at the source afterwards is taken for it.
func TestTrustDataDigests(t *testing.T) {
	list := vectors.ReadTrust(t, "CAs.json")
	sum := sha256.Sum256(list)
	if got := hex.EncodeToString(sum[:]); got != ComparedList {
		t.Fatalf("CAs.json: got digest %s, want %s", got, ComparedList)
	}
	sum = sha256.Sum256(vectors.ReadTrust(t, "CACertificates.p7b"))
	if got := hex.EncodeToString(sum[:]); got != ComparedBundle {
		t.Fatalf("CACertificates.p7b: got digest %s, want %s", got, ComparedBundle)
	}
	compared, err := ParseList(list)
	if err != nil {
		t.Fatal(err)
	}
	ours := Directory()
	if len(compared) != len(ours) || len(ours) != 33 {
		t.Fatalf("got %d entries, the list has %d", len(ours), len(compared))
	}
	added := 0
	for i := range ours {
		if n := len(compared[i].IssuerCNs); n < len(ours[i].IssuerCNs) {
			added += len(ours[i].IssuerCNs) - n
			ours[i].IssuerCNs = ours[i].IssuerCNs[:n] // TestRealBundle finds the others in certificates
		}
		got, _ := json.Marshal(ours[i])
		want, _ := json.Marshal(compared[i])
		if string(got) != string(want) {
			t.Errorf("entry %d:\n got %s\nwant %s", i, got, want)
		}
	}
	if added != 3 {
		t.Errorf("got %d names that the list does not have, want 3", added)
	}
}

func TestPinsStandInTheBundle(t *testing.T) {
	certificates, err := ParseBundle(vectors.ReadTrust(t, "CACertificates.p7b"))
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[Fingerprint]bool)
	for _, c := range certificates {
		found[FingerprintOf(c)] = true
	}
	for _, p := range append(NationalPins(), testPins()...) {
		if !found[p.Fingerprint] {
			t.Errorf("%s %q is not in the bundle", p.Fingerprint, p.Name)
		}
	}
	if n := len(NationalPins()); n != 18 {
		t.Errorf("got %d national pins, want 18", n)
	}
	for _, p := range NationalPins() {
		if isTestPin(p.Fingerprint) || isTestName(p.Name) {
			t.Errorf("%q is among the national pins", p.Name)
		}
	}
	for _, p := range testPins() {
		if !isTestName(p.Name) {
			t.Errorf("%q is a test root that its name does not betray", p.Name)
		}
	}
}

func TestParseList(t *testing.T) {
	got, err := ParseList(vectors.ReadTrust(t, "CAs.Test.json"))
	if err != nil || len(got) != 28 {
		t.Fatalf("got %d entries, %v", len(got), err)
	}
	entry := func(members string) string {
		return `[{"issuerCNs":["X"],"address":"a.example","codeEDRPOU":"12345678",` + members + `}]`
	}
	got, err = ParseList([]byte(entry(`"ocspAccessPointAddress":"A.example","ocspAccessPointPort":"8080","cmpAddress":"cmp.a.example","tspAddress":"a.example"`)))
	if err != nil {
		t.Fatal(err)
	}
	if p := got[0]; p.OCSP != "http://a.example:8080/" || p.CMP != "http://cmp.a.example/" || p.TSP != "http://a.example/services/tsp/" {
		t.Errorf("got %+v", p)
	}
	for name, s := range map[string]string{
		"empty": "", "no entries": "[]", "object": "{}", "truncated": entry(`"cmpAddress":"a"`)[:20],
		"no names":      `[{"codeEDRPOU":"1","issuerCNs":[]}]`,
		"empty name":    `[{"codeEDRPOU":"1","issuerCNs":[""]}]`,
		"no code":       `[{"issuerCNs":["X"]}]`,
		"code":          `[{"codeEDRPOU":"1;2","issuerCNs":["X"]}]`,
		"user in URL":   entry(`"cmpAddress":"user@evil.example/"`),
		"query in URL":  entry(`"cmpAddress":"a.example/?x=y"`),
		"space in host": entry(`"cmpAddress":"a .example/"`),
		"port":          entry(`"ocspAccessPointAddress":"a.example","ocspAccessPointPort":"99x"`),
		"too large":     "[" + strings.Repeat(" ", MaxList) + "]",
	} {
		if got, err := ParseList([]byte(s)); !errors.Is(err, ErrList) || got != nil {
			t.Errorf("%s: got %v, %v, want ErrList", name, got, err)
		}
	}
}

func TestOwnsHost(t *testing.T) {
	p := Provider{Host: "a.example", OCSP: "http://ocsp.a.example:8080/x", Hosts: []string{"b.example"}}
	for host, want := range map[string]bool{
		"a.example": true, "A.EXAMPLE": true, "ocsp.a.example": true, "b.example": true,
		"": false, "x.a.example": false, "a.example.evil.example": false, "example": false,
	} {
		if got := p.OwnsHost(host); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}

func FuzzList(f *testing.F) {
	f.Add(vectors.ReadTrust(f, "CAs.json"))
	f.Add(vectors.ReadTrust(f, "CAs.Test.json"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := ParseList(b)
		if err != nil {
			return
		}
		for _, p := range list {
			for _, address := range []string{p.OCSP, p.TSP, p.CMP} {
				if address != "" && checkURL(address) != nil || slices.Contains(p.IssuerCNs, "") {
					t.Fatalf("unusable entry: %+v", p)
				}
			}
		}
	})
}
