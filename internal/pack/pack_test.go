package pack

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

var sample = func() []byte {
	b := AppendUint(nil, 300)
	b = AppendInt(b, -5)
	b = AppendBool(b, true)
	b = AppendString(b, "брама")
	b = AppendStrings(b, []string{"a", "", "b"})
	b = AppendStrings(b, nil)
	b = AppendTime(b, time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC))
	return AppendTime(b, time.Time{})
}()

type record struct {
	u           uint64
	i           int64
	b           bool
	s           string
	list, empty []string
	at, none    time.Time
}

func read(b []byte) (record, error) {
	r := NewReader(b)
	v := record{r.Uint(), r.Int(), r.Bool(), r.String(), r.Strings(), r.Strings(), r.Time(), r.Time()}
	return v, r.End()
}

func TestRoundTrip(t *testing.T) {
	got, err := read(sample)
	if err != nil || got.u != 300 || got.i != -5 || !got.b || got.s != "брама" || !slices.Equal(got.list, []string{"a", "", "b"}) ||
		got.empty != nil || !got.at.Equal(time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC)) || !got.none.IsZero() {
		t.Fatalf("read %+v, %v", got, err)
	}
	for _, n := range []uint64{0, 127, 128, math.MaxUint64} {
		r := NewReader(AppendUint(nil, n))
		if got := r.Uint(); got != n || r.End() != nil {
			t.Errorf("Uint %d: %d", n, got)
		}
	}
	for _, n := range []int64{0, -1, math.MinInt64, math.MaxInt64} {
		r := NewReader(AppendInt(nil, n))
		if got := r.Int(); got != n || r.End() != nil {
			t.Errorf("Int %d: %d", n, got)
		}
	}
}

// What is cut short or goes on does not pass for the record.
func TestOtherBytes(t *testing.T) {
	for i := range sample {
		if _, err := read(sample[:i]); !errors.Is(err, ErrPacked) {
			t.Errorf("%d bytes of %d: %v, want ErrPacked", i, len(sample), err)
		}
	}
	if _, err := read(append(slices.Clone(sample), 0)); !errors.Is(err, ErrPacked) {
		t.Errorf("one byte more: %v, want ErrPacked", err)
	}
	r := NewReader([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2})
	if r.Uint(); r.End() == nil {
		t.Error("a number of more than 64 bits was read")
	}
	// A length that nothing backs must not become memory.
	r = NewReader(AppendUint(nil, 1<<40))
	if list := r.Strings(); list != nil || r.End() == nil {
		t.Errorf("a list of 2^40 strings: %d of them", len(list))
	}
}

func FuzzReader(f *testing.F) {
	f.Add(sample)
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := read(b)
		if err != nil {
			return
		}
		again := AppendUint(nil, v.u)
		again = AppendInt(again, v.i)
		again = AppendBool(again, v.b)
		again = AppendString(again, v.s)
		again = AppendStrings(again, v.list)
		again = AppendStrings(again, v.empty)
		again = AppendTime(AppendTime(again, v.at), v.none)
		w, err := read(again)
		if err != nil || w.u != v.u || w.i != v.i || w.b != v.b || w.s != v.s || !slices.Equal(w.list, v.list) || !w.at.Equal(v.at) || !w.none.Equal(v.none) {
			t.Fatalf("%+v became %+v, %v", v, w, err)
		}
	})
}
