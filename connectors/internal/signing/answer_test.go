package signing

import (
	"testing"

	"brama/connectors"
)

// TestLevelNeverRisesOfAnswers: what a system says of a device counts only in an answer that it signed, and nothing unknown
// is above low (threats T33, T47).
func TestLevelNeverRisesOfAnswers(t *testing.T) {
	for method, means := range answers {
		for name := range means {
			for _, device := range []bool{false, true} {
				unsigned, amr := Answer{Method: method, Means: name, Device: device}.Level(nil)
				signed, _ := Answer{Method: method, Means: name, Device: device, Signed: true}.Level(nil)
				switch {
				case rank(unsigned) > rank(connectors.Substantial):
					t.Errorf("%s %s: %q without a signature", method, name, unsigned)
				case rank(unsigned) > rank(signed):
					t.Errorf("%s %s: a signature lowers %q to %q", method, name, unsigned, signed)
				case rank(signed) > rank(connectors.Substantial) && !device:
					t.Errorf("%s %s: %q without a device", method, name, signed)
				case rank(unsigned) == 0 || len(amr) == 0:
					t.Errorf("%s %s: level %q, amr %v", method, name, unsigned, amr)
				}
			}
		}
		if got, _ := (Answer{Method: method, Means: "new", Device: true, Signed: true}).Level(nil); got != connectors.Low {
			t.Errorf("%s: an unknown means gives %q", method, got)
		}
		if got := MaxAnswerLoA(nil, method, false); rank(got) > rank(connectors.Substantial) {
			t.Errorf("%s: at most %q without a signature", method, got)
		}
	}
	if got, _ := (Answer{Method: "facebook"}).Level(nil); got != "" || MaxAnswerLoA(nil, "facebook", true) != "" {
		t.Errorf("an unknown system gives %q", got)
	}
	if MaxAnswerLoA(nil, "idgov", true) != connectors.High || MaxAnswerLoA(nil, "bankid", true) != connectors.Substantial {
		t.Error("levels of the two systems")
	}
}
