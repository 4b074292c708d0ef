package authflow

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"brama/connectors"
	"brama/provider/oauth"
)

// fill sets every field below v to something, so that one that is not packed is missed.
func fill(t *testing.T, v reflect.Value) {
	switch value := v.Addr().Interface().(type) {
	case *time.Time:
		*value = time.Date(2026, 11, 22, 3, 4, 5, 6, time.UTC)
		return
	case *oauth.AuthorizeRequest: // packed by its own package
		*value = oauth.AuthorizeRequest{ClientID: "portal", State: "s"}
		return
	case *json.RawMessage:
		*value = json.RawMessage(`{"a":1}`)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("ї" + v.Type().Name())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"a": "b"}))
	default:
		t.Fatalf("the test does not know %s", v.Type())
	}
}

func TestPackedStateHasEveryField(t *testing.T) {
	var full state
	fill(t, reflect.ValueOf(&full).Elem())
	full.Identity.Evidence, full.Identity.Certificate.Raw = connectors.Evidence{}, nil // not kept with a login
	for _, want := range []state{full, {}} {
		b, err := want.pack()
		if err != nil {
			t.Fatal(err)
		}
		var got state
		if err := got.unpack(b); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
		for n := range b {
			if new(state).unpack(b[:n]) == nil {
				t.Fatalf("%d of %d bytes are a login", n, len(b))
			}
		}
	}
	var id connectors.Identity
	if err := unpackIdentity(packIdentity(full.Identity), &id); err != nil || !reflect.DeepEqual(&id, full.Identity) {
		t.Errorf("got %+v, %v\nwant %+v", id, err, full.Identity)
	}
}

func FuzzState(f *testing.F) {
	s := state{Phase: confirmable, Identity: &connectors.Identity{Name: "Тестенко", AMR: []string{"hwk"}}, Shown: &shown{Name: "wait", Data: json.RawMessage("{}")},
		Request: oauth.AuthorizeRequest{ClientID: "portal"}}
	b, err := s.pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, again state
		if s.unpack(b) != nil {
			return
		}
		packed, err := s.pack()
		if err != nil {
			return // data of a page that is no JSON
		}
		if err := again.unpack(packed); err != nil {
			t.Fatalf("%+v is not read back: %v", s, err)
		}
	})
}
