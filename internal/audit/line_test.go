package audit

import "testing"

// A line costs the same few allocations whatever was written before it.
func TestLineAllocations(t *testing.T) {
	w := newLineWriter(testKey(1), testKey(2))
	it := &entry{
		event: Event{
			Action: "login.verified", Outcome: Passed, Login: "l", Client: "c", Person: "p",
			Identifiers: []Identifier{{"RNOKPP", "UA", "3333333334"}}, Detail: map[string]string{"acr": "high", "amr": "pop"},
		},
		evidence: &sealedEvidence{id: "id"},
	}
	var h head
	if n := testing.AllocsPerRun(100, func() { h = w.add(w.begin(h), it) }); n > 2 { // the mask
		t.Errorf("%v allocations", n)
	}
}
