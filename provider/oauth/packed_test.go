package oauth

import (
	"reflect"
	"testing"
	"time"

	"brama/internal/pack"
)

// filled is a request of which no field is zero: a field that is new and not packed makes the test below fail.
func filled(t *testing.T) *AuthorizeRequest {
	t.Helper()
	req := &AuthorizeRequest{}
	v := reflect.ValueOf(req).Elem()
	age := 60
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		switch value := f.Addr().Interface().(type) {
		case *string:
			*value = name
		case *[]string:
			*value = []string{name, "", "ї"}
		case *bool:
			*value = true
		case **int:
			*value = &age
		case *time.Time:
			*value = time.Date(2026, 11, 22, 3, 4, 5, 6, time.UTC)
		case **ClaimsRequest:
			*value = &ClaimsRequest{IDToken: ClaimSet{Claims: map[string]ClaimRequest{"acr": {Essential: true, Values: []any{"high"}}}}}
		default:
			t.Fatalf("the test does not know fields such as %s", name)
		}
	}
	return req
}

func TestPackedRequestHasEveryField(t *testing.T) {
	for _, req := range []*AuthorizeRequest{filled(t), {}} {
		b, err := req.AppendTo(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, r := &AuthorizeRequest{}, pack.NewReader(b)
		if err := got.ReadPacked(r); err != nil || r.End() != nil {
			t.Fatal(err, r.End())
		}
		if !reflect.DeepEqual(got, req) {
			t.Errorf("packed and read:\n%+v\nwant\n%+v", got, req)
		}
	}
}

func BenchmarkPackedRequest(b *testing.B) {
	req := &AuthorizeRequest{ClientID: "portal", RedirectURI: "https://portal.example/cb", State: "0123456789abcdef", Scopes: []string{"openid", "profile"},
		RequestedAt: time.Unix(1, 0), Nonce: "0123456789abcdef", Challenge: challengeOf(testVerifier)}
	for b.Loop() {
		packed, err := req.AppendTo(nil)
		if err != nil {
			b.Fatal(err)
		}
		var got AuthorizeRequest
		if err := got.ReadPacked(pack.NewReader(packed)); err != nil {
			b.Fatal(err)
		}
	}
}
