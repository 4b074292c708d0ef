package provider

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A heldBack is a connection and the answer on it.
type heldBack struct {
	*httptest.ResponseRecorder
	acts []string
}

func (h *heldBack) Hold()          { h.acts = append(h.acts, "hold") }
func (h *heldBack) Release() error { h.acts = append(h.acts, "release"); return nil }
func (h *heldBack) Flush()         { h.acts = append(h.acts, "flush") }
func (h *heldBack) Write(b []byte) (int, error) {
	h.acts = append(h.acts, "write")
	return h.ResponseRecorder.Write(b)
}

// What a page holds back it also lets go, and what needs no holding back is none.
func TestWriteWhole(t *testing.T) {
	for size, want := range map[int]string{0: "write", minWhole - 1: "write", minWhole: "hold write flush release", maxWhole: "hold write flush release", maxWhole + 1: "write"} {
		h := &heldBack{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		rec := &recorder{ResponseWriter: h, conn: holderOf(r.WithContext(WithHolder(r.Context(), h)))}
		if n, err := rec.WriteWhole(make([]byte, size)); n != size || err != nil || h.Body.Len() != size || rec.entry.status != http.StatusOK {
			t.Errorf("%d bytes: %d, %v, status %d", size, n, err, rec.entry.status)
		}
		if got := strings.Join(h.acts, " "); got != want {
			t.Errorf("%d bytes: %s, want %s", size, got, want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if holderOf(r) != nil {
		t.Error("a request without a connection can hold")
	}
	r = r.WithContext(WithHolder(r.Context(), &heldBack{}))
	if r.ProtoMajor = 2; holderOf(r) != nil {
		t.Error("a stream of HTTP/2 holds its connection")
	}
}
