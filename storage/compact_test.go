package storage

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

func fullGrant() Grant {
	at := time.Unix(1790000000, 123456789).UTC()
	return Grant{
		ID: "id", Revision: 300, Client: "client", Person: "person", Login: "login", Session: "sid", RedirectURI: "https://portal.example.ua/cb",
		Challenge: "challenge", Scopes: []string{"openid", "profile"}, RequestedAt: at, CodeExpires: at.Add(time.Minute), Spent: at, Revoked: at.Add(1),
		Sealed: []byte{0, 1, 2}, Offline: true, JKT: "jkt", Expires: at,
	}
}

// Every field comes back, and none is forgotten when one is added.
func TestCompactRoundTrip(t *testing.T) {
	want := fullGrant()
	for i, v := 0, reflect.ValueOf(want); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("the test leaves %s empty", v.Type().Field(i).Name)
		}
	}
	got := Grant{ID: want.ID, Expires: want.Expires}
	if err := got.unpack(want.pack()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	family := RefreshFamily{Grant: "id", Generation: 1 << 40, Rotated: want.Spent, Used: want.Revoked, Retries: 2, Bound: "jkt:x", Expires: want.Expires}
	back := RefreshFamily{Grant: "id", Expires: want.Expires}
	if err := back.unpack(family.pack()); err != nil || !reflect.DeepEqual(back, family) {
		t.Errorf("got %+v, %v\nwant %+v", back, err, family)
	}
	certificate := Certificate{ID: "id", Person: "person", Sealed: []byte{0, 1, 2}, Checked: want.Spent, Ended: "CERT_REVOKED", Expires: want.Expires}
	if r := certificate.record(); r.Group != "person" || !r.Expires.Equal(want.Expires) || bytes.Contains(r.Body, []byte("person")) {
		t.Errorf("record %+v", r)
	}
	for n := range want.pack() {
		if err := new(Grant).unpack(want.pack()[:n]); err == nil {
			t.Errorf("%d bytes are a grant", n)
		}
	}
	if err := new(Grant).unpack(append(want.pack(), 0)); err == nil {
		t.Error("a grant with something behind it")
	}
	if err := new(Grant).unpack([]byte(`{"revision":1}`)); err == nil {
		t.Error("JSON is a grant")
	}
}

func FuzzCompact(f *testing.F) {
	g := fullGrant()
	family := RefreshFamily{Generation: 1, Rotated: g.Spent, Bound: "x"}
	f.Add(g.pack())
	f.Add(family.pack())
	f.Fuzz(func(t *testing.T, raw []byte) {
		var a, b Grant
		if a.unpack(raw) == nil {
			if err := b.unpack(a.pack()); err != nil || !bytes.Equal(a.pack(), b.pack()) {
				t.Fatalf("%+v, %+v, %v", a, b, err)
			}
		}
		var x RefreshFamily
		_ = x.unpack(raw)
	})
}
