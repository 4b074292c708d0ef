package revocation

import (
	"bytes"
	"crypto/sha256"
	"sync"
	"time"

	"brama/internal/qes"
)

const (
	// maxAnswers bounds the answers that are remembered, in octets: some four thousand persons. Forgetting one costs a
	// question, no more.
	maxAnswers = 4 << 20
	// maxAnswer bounds one. What is larger comes of a CRL, which is kept by itself.
	maxAnswer = 64 << 10
	// answerCost is what an answer takes beside its evidence.
	answerCost = 512
)

// answers remembers what responders said, each answer while it is fresh, the oldest forgotten first. The zero value is empty.
type answers struct {
	mu     sync.Mutex
	byKey  map[cacheKey]remembered
	order  []aged // as they came
	octets int
}

type cacheKey struct{ leaf, issuer [sha256.Size]byte }

type remembered struct {
	answer qes.Revocation
	until  time.Time
}

// An aged is an answer's place in the order. An answer that came again has two; the first is of nothing any more.
type aged struct {
	key   cacheKey
	until time.Time
}

func (a *answers) get(key cacheKey, now time.Time) (qes.Revocation, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.byKey[key]
	if !ok || !now.Before(r.until) {
		return qes.Revocation{}, false
	}
	return r.answer, true
}

func (a *answers) put(key cacheKey, answer qes.Revocation, until, now time.Time) {
	if len(answer.Evidence) > maxAnswer {
		return
	}
	answer.Evidence = bytes.Clone(answer.Evidence) // not the whole message it came in
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byKey == nil {
		a.byKey = make(map[cacheKey]remembered)
	}
	a.drop(key)
	a.byKey[key] = remembered{answer, until}
	a.order = append(a.order, aged{key, until})
	a.octets += cost(answer)
	for len(a.order) > 0 {
		first := a.order[0]
		r, ok := a.byKey[first.key]
		if current := ok && r.until.Equal(first.until); current && now.Before(r.until) && a.octets <= maxAnswers {
			break
		} else if current {
			a.drop(first.key)
		}
		a.order = a.order[1:]
	}
}

func (a *answers) drop(key cacheKey) {
	if r, ok := a.byKey[key]; ok {
		a.octets -= cost(r.answer)
		delete(a.byKey, key)
	}
}

func cost(r qes.Revocation) int { return answerCost + len(r.Evidence) }
