package provider_test

import (
	"encoding/json"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brama/provider/oauth"
)

var quoted = regexp.MustCompile("`([^`]+)`")

// wordsOf are the quoted words of the second column of the row of a guide that begins with a name.
func wordsOf(t *testing.T, guide, name string) []string {
	t.Helper()
	b, err := os.ReadFile("web/docs/" + guide)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "| `"+name+"`") {
			continue
		}
		var words []string
		for _, w := range quoted.FindAllStringSubmatch(strings.Join(strings.Split(line, "|")[2:], "|"), -1) {
			words = append(words, w[1])
		}
		return words
	}
	t.Fatalf("%s has no row %s", guide, name)
	return nil
}

// What the guides list is what the metadata announce, no more and no less.
func TestGuidesSayWhatIsTrue(t *testing.T) {
	s := newStack(t)
	res, err := http.Get(s.server.URL + oauth.PathDiscovery)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var m map[string]any
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil {
		t.Fatal(err)
	}
	announced := func(names ...string) (all []string) {
		for _, n := range names {
			list, ok := m[n].([]any)
			if !ok || len(list) == 0 {
				t.Fatalf("metadata have no list %s", n)
			}
			for _, v := range list {
				all = append(all, v.(string))
			}
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	for _, row := range []struct {
		guide, name string
		of          []string
		besides     []string // words of the row that are no values
	}{
		{"clients", "id_token_encrypted_response_alg", []string{"id_token_encryption_alg_values_supported", "id_token_encryption_enc_values_supported"}, nil},
		{"clients", "id_token_signed_response_alg", []string{"id_token_signing_alg_values_supported"}, nil},
		{"clients", "grant_types", []string{"grant_types_supported"}, nil},
		{"clients", "subject_type", []string{"subject_types_supported"}, nil},
		{"clients", "private_key_jwt", []string{"token_endpoint_auth_signing_alg_values_supported"}, []string{"jwks", "jwks_uri", "token_endpoint_auth_signing_alg"}},
		{"requests", "response_mode", []string{"response_modes_supported"}, nil},
		{"requests", "response_type", []string{"response_types_supported"}, nil},
		{"requests", "prompt", []string{"prompt_values_supported"}, nil},
		{"requests", "acr_values", []string{"acr_values_supported"}, nil},
		{"requests", "ui_locales", []string{"ui_locales_supported"}, nil},
	} {
		want := announced(row.of...)
		for _, l := range []string{".uk.md", ".en.md"} {
			got := slices.DeleteFunc(wordsOf(t, row.guide+l, row.name), func(w string) bool { return slices.Contains(row.besides, w) })
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want) {
				t.Errorf("%s%s, %s: the guide has %v, the metadata %v", row.guide, l, row.name, got, want)
			}
		}
	}
	for _, l := range []string{".uk.md", ".en.md"} {
		b, err := os.ReadFile("web/docs/clients" + l)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range announced("token_endpoint_auth_methods_supported") {
			if !strings.Contains(string(b), "`"+name+"`") {
				t.Errorf("clients%s says nothing of the method %s", l, name)
			}
		}
	}
}

// «Every field» has every field of a registration.
func TestGuideHasEveryField(t *testing.T) {
	short := map[string]string{ // several fields in one row
		"id_token_encrypted_response_enc": "…_enc", "userinfo_encrypted_response_enc": "…_enc",
		"tls_client_auth_san_uri": "…_uri", "tls_client_auth_san_ip": "…_ip", "tls_client_auth_san_email": "…_email",
	}
	for _, l := range []string{".uk.md", ".en.md"} {
		b, err := os.ReadFile("web/docs/clients" + l)
		if err != nil {
			t.Fatal(err)
		}
		fields := 0
		for _, f := range reflect.VisibleFields(reflect.TypeFor[oauth.Registration]()) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" || name == "-" {
				continue
			}
			fields++
			if s, ok := short[name]; ok {
				name = s
			}
			if !strings.Contains(string(b), "`"+name+"`") {
				t.Errorf("clients%s says nothing of %s", l, name)
			}
		}
		if fields < 70 {
			t.Fatalf("only %d fields: the test looks at nothing", fields)
		}
	}
}
