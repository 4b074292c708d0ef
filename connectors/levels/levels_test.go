package levels

import (
	"strings"
	"testing"

	"brama/connectors"
)

// TestDefault holds the decisions of the policy in the program.
func TestDefault(t *testing.T) {
	p := Default()
	for _, c := range []struct {
		name string
		got  connectors.LoA
		want connectors.LoA
	}{
		{"file that says device", p.Signature("file", true, true), connectors.Substantial},
		{"file", p.Signature("file", true, false), connectors.Substantial},
		{"token in a device", p.Signature("token", true, true), connectors.High},
		{"token", p.Signature("token", true, false), connectors.Substantial},
		{"own program", p.Signature("upload", true, true), connectors.Substantial},
		{"certificate that is not qualified", p.Signature("token", false, true), connectors.Low},
		{"unknown method", p.Signature("password", true, true), connectors.Low},
		{"signed, device", p.Answer("idgov", "dig_sign", true, true), connectors.High},
		{"unsigned, device", p.Answer("idgov", "dig_sign", false, true), connectors.Substantial},
		{"bank, device", p.Answer("idgov", "bank_id", true, true), connectors.Substantial},
		{"unknown means", p.Answer("idgov", "new", true, true), connectors.Low},
		{"no means", p.Answer("idgov", "", true, true), connectors.Low},
		{"bank", p.Answer("bankid", "", true, false), connectors.Substantial},
		{"bank that signs nothing", p.Answer("bankid", "", false, false), connectors.Low},
		{"idgov unsigned at most", p.MaxAnswer("idgov", false), connectors.Substantial},
		{"idgov at most", p.MaxAnswer("idgov", true), connectors.High},
		{"bankid at most", p.MaxAnswer("bankid", true), connectors.Substantial},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
	// One decision for all keys that are approved on a telephone.
	for _, method := range []string{"diia", "cloud", "mobileid"} {
		if d, q := p.Signature(method, true, true), p.Signature(method, true, false); d != connectors.High || q != connectors.Substantial || p.MaxSignature(method) != connectors.High {
			t.Errorf("%s: %q in a device, %q without", method, d, q)
		}
	}
}

// TestLevelNeverRises: no policy lifts a kind of proof above what it can show (threat T33).
func TestLevelNeverRises(t *testing.T) {
	for method, answer := range methods {
		proofs := []Case{Device, Qualified}
		if answer {
			proofs = []Case{SignedDevice, Signed, Unsigned}
		}
		for _, proof := range proofs {
			_, err := Parse([]byte(header + "\n" + method + " " + string(proof) + " high we want it\n"))
			allowed := (proof == Device || proof == SignedDevice) && !strings.Contains(" file upload bankid idgov/bank_id idgov/diia_oauth ", " "+method+" ")
			if (err == nil) != allowed {
				t.Errorf("%s %s as high: %v", method, proof, err)
			}
		}
	}
}

// TestMissingIsLow: what a policy does not name is low.
func TestMissingIsLow(t *testing.T) {
	p, err := Parse([]byte(header + "\ntoken device high ours\n"))
	if err != nil {
		t.Fatal(err)
	}
	if p.Signature("token", true, true) != connectors.High || p.Signature("token", true, false) != connectors.Low ||
		p.MaxSignature("diia") != connectors.Low || p.MaxAnswer("idgov", true) != connectors.Low {
		t.Error("something that is not named has a level")
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":         {"", "line 1"},
		"other version": {"brama-levels-v2\n", "line 1"},
		"nothing":       {header + "\n# nothing\n", "no line"},
		"no source":     {header + "\n\ntoken device high\n", "line 3"},
		"method":        {header + "\ntokens device high x\n", "line 2: \"tokens\""},
		"case":          {header + "\ntoken hardware high x\n", "no case"},
		"level":         {header + "\ntoken device highest x\n", "no level"},
		"wrong half":    {header + "\ntoken signed low x\n", "signature"},
		"other half":    {header + "\nbankid device low x\n", "answer"},
		"twice":         {header + "\ntoken device low x\ntoken device high x\n", "line 3: token device stands twice"},
		"every fault":   {header + "\nx device low x\ny device low x\n", "line 3"},
		"long line":     {header + "\n#" + strings.Repeat("x", maxLine), "longer"},
		"large":         {header + strings.Repeat("\n", maxSize), "at most"},
		"not a text":    {header + "\n\xff", "text"},
	} {
		if _, err := Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want something of %q", name, err, c.want)
		}
	}
}

// FuzzParse: a policy that is taken gives no level above the ceilings.
func FuzzParse(f *testing.F) {
	f.Add([]byte(text))
	f.Add([]byte(header + "\ntoken device high ours\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err != nil {
			if p != nil {
				t.Fatal("a policy beside an error")
			}
			return
		}
		if p.MaxSignature("file") == connectors.High || p.MaxAnswer("idgov", false) == connectors.High || p.MaxAnswer("bankid", true) == connectors.High {
			t.Error("above the ceiling")
		}
	})
}
