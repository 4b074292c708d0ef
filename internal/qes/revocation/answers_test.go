package revocation

import (
	"encoding/binary"
	"testing"
	"time"

	"brama/internal/qes"
)

func keyOf(n int) (k cacheKey) {
	binary.BigEndian.PutUint64(k.leaf[:], uint64(n))
	return k
}

// TestAnswersBound: however many persons sign in, what is remembered of them stays within the bound, is counted rightly and
// goes when it is stale.
func TestAnswersBound(t *testing.T) {
	var a answers
	now := time.Unix(1_800_000_000, 0)
	answer := qes.Revocation{Status: qes.StatusGood, Evidence: make([]byte, 900, 4096)}
	const persons = 20_000
	for i := range persons {
		a.put(keyOf(i), answer, now.Add(5*time.Minute), now)
		if a.octets > maxAnswers || len(a.order) != len(a.byKey) {
			t.Fatalf("%d octets, %d answers in order, %d known", a.octets, len(a.order), len(a.byKey))
		}
	}
	if want := maxAnswers / cost(answer); len(a.byKey) != want {
		t.Errorf("%d answers, want %d", len(a.byKey), want)
	}
	if _, ok := a.get(keyOf(persons-1), now); !ok {
		t.Error("the last answer is forgotten")
	}
	if _, ok := a.get(keyOf(0), now); ok {
		t.Error("the first answer is remembered")
	}
	kept, _ := a.get(keyOf(persons-1), now)
	if cap(kept.Evidence) > 1024 {
		t.Error("the message of the answer is kept")
	}
	later := now.Add(5 * time.Minute)
	if _, ok := a.get(keyOf(persons-1), later); ok {
		t.Error("a stale answer is given")
	}
	a.put(keyOf(0), answer, later.Add(time.Minute), later)
	if len(a.byKey) != 1 || len(a.order) != 1 || a.octets != cost(answer) {
		t.Errorf("stale answers stay: %d, %d octets", len(a.byKey), a.octets)
	}
}

// TestAnswersAgain: an answer that comes again takes the place of the first, and outlives it.
func TestAnswersAgain(t *testing.T) {
	var a answers
	now := time.Unix(1_800_000_000, 0)
	for i := range 100 {
		at := now.Add(time.Duration(i) * time.Second)
		a.put(keyOf(1), qes.Revocation{Status: qes.StatusGood, Reason: i}, at.Add(10*time.Second), at)
	}
	if len(a.byKey) != 1 || len(a.order) > 20 || a.octets != answerCost {
		t.Errorf("%d answers, %d in order, %d octets", len(a.byKey), len(a.order), a.octets)
	}
	if got, ok := a.get(keyOf(1), now.Add(108*time.Second)); !ok || got.Reason != 99 {
		t.Errorf("got %v, %v", got, ok)
	}
	a.put(keyOf(2), qes.Revocation{Evidence: make([]byte, maxAnswer+1)}, now.Add(time.Hour), now)
	if _, ok := a.get(keyOf(2), now); ok {
		t.Error("a whole CRL is kept for one person")
	}
}
