package storage

import (
	"bytes"
	"reflect"
	"testing"
	"time"
)

// fill sets every field of v to something, so that one that is not packed is missed.
func fill(t testing.TB, v reflect.Value) {
	if at, ok := v.Addr().Interface().(*time.Time); ok {
		*at = time.Unix(1790000000, 123456789).UTC()
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("ї")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(300)
	case reflect.Uint64, reflect.Uint8:
		v.SetUint(200)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	default:
		t.Fatalf("the test does not know %s", v.Type())
	}
}

func filled[T any](t testing.TB) T {
	var v T
	fill(t, reflect.ValueOf(&v).Elem())
	return v
}

type packed interface {
	pack() []byte
	unpack([]byte) error
}

// comesBack packs want and reads it into got, which has what does not stand in the body: the name of the record, its group
// and its end.
func comesBack(t *testing.T, want, got packed) {
	t.Helper()
	b := want.pack()
	if err := got.unpack(b); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	again := func() packed { return reflect.New(reflect.TypeOf(want).Elem()).Interface().(packed) }
	for n := range b {
		if again().unpack(b[:n]) == nil {
			t.Errorf("%d of %d bytes are a %T", n, len(b), want)
		}
	}
	if again().unpack(append(bytes.Clone(b), 0)) == nil {
		t.Errorf("a %T with something behind it", want)
	}
	if again().unpack([]byte(`{"revision":1}`)) == nil {
		t.Errorf("JSON is a %T", want)
	}
}

// Every field comes back, and none is forgotten when one is added.
func TestCompactRoundTrip(t *testing.T) {
	g := filled[Grant](t)
	comesBack(t, &g, &Grant{ID: g.ID, Expires: g.Expires})
	f := filled[RefreshFamily](t)
	comesBack(t, &f, &RefreshFamily{Grant: f.Grant, Expires: f.Expires})
	s := filled[Session](t)
	comesBack(t, &s, &Session{ID: s.ID, Person: s.Person, Expires: s.Expires})
	c := filled[Consent](t)
	comesBack(t, &c, &Consent{Person: c.Person})
	p := filled[Person](t)
	comesBack(t, &p, &Person{ID: p.ID})

	certificate := filled[Certificate](t)
	if r := certificate.record(); r.Group != certificate.Person || !r.Expires.Equal(certificate.Expires) {
		t.Errorf("record %+v", r)
	}
}

func FuzzCompact(f *testing.F) {
	for _, v := range []packed{new(Grant), new(RefreshFamily), new(Session), new(Consent), new(Person)} {
		fill(f, reflect.ValueOf(v).Elem())
		f.Add(v.pack())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, v := range []packed{new(Grant), new(RefreshFamily), new(Session), new(Consent), new(Person)} {
			if v.unpack(raw) != nil {
				continue
			}
			again := reflect.New(reflect.TypeOf(v).Elem()).Interface().(packed)
			if err := again.unpack(v.pack()); err != nil || !bytes.Equal(again.pack(), v.pack()) {
				t.Fatalf("%+v, %+v, %v", v, again, err)
			}
		}
	})
}
