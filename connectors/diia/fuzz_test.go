package diia

import (
	"errors"
	"strings"
	"testing"

	"brama/connectors"
	"brama/connectors/diia/diiatest"
)

// FuzzNotification: no bytes make the reader panic, and what it returns is a signature of bounded size of the one request.
func FuzzNotification(f *testing.F) {
	for _, s := range []setup{{}, {scope: Auth}} {
		w := newWorld(f, s)
		p := w.press(f)
		for _, a := range []diiatest.Action{diiatest.Approve, diiatest.Garbage} {
			ev := w.capture(f, p, a, "")
			f.Add(string(w.connector.cfg.Scope), w.requestID(f), ev.Header.Get("Content-Type"), ev.Body)
		}
	}
	seed := write("x", "hashedFilesSigning", "e30=")
	f.Add("hashedFilesSigning", "x", seed.Header.Get("Content-Type"), seed.Body)
	f.Fuzz(func(t *testing.T, scope, id, contentType string, body []byte) {
		signature, err := signatureIn(Scope(scope), id, contentType, body)
		switch {
		case err != nil && (signature != nil || !errors.Is(err, errNotification)):
			t.Errorf("%d octets with %v", len(signature), err)
		case err == nil && (len(signature) == 0 || len(signature) > connectors.MaxSignature || len(body) > connectors.MaxEventBody):
			t.Errorf("%d octets out of %d", len(signature), len(body))
		}
		loginIn(id)
		readState(body)
	})
}

// FuzzUpstreamAnswer: whatever the API answers, a link has a listed origin, an id may stand in a path, a token in a header,
// and an error repeats nothing (T54).
func FuzzUpstreamAnswer(f *testing.F) {
	for _, s := range []string{
		`{"token":"eyJ.e30.x"}`, `{"_id":"5f3c"}`, `{"deeplink":"https://diia.app/acquirers/branch/1"}`, `{"deeplink":"https://diia.app@x/"}`,
		`{"name":"NotFoundError","message":"x","code":404,"data":{}}`, `[]`, `{"total":1,"branches":[{"_id":"x"}]}`, "<html>", `{"token":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if link, err := parseLink(b, []string{"https://diia.app"}); err == nil && (!strings.HasPrefix(link, "https://diia.app/") || !printable(link, maxLink)) || err != nil && link != "" {
			t.Errorf("link %q, %v", link, err)
		}
		if id, err := parseID(b); err == nil && !validID(id) || err != nil && id != "" {
			t.Errorf("id %q, %v", id, err)
		}
		if token, err := parseToken(b); err == nil && !printable(string(token), maxToken) || err != nil && token != "" {
			t.Errorf("token of %d octets, %v", len(token), err)
		}
		if text := parseError(500, b).Error(); len(text) > 128 || strings.ContainsAny(text, "\r\n\"<") {
			t.Errorf("error %q", text)
		}
	})
}

// TestNotificationForms: what is read, and what is not.
func TestNotificationForms(t *testing.T) {
	const id, b = "AAAA.x", "--f\r\nContent-Disposition: form-data; name=\"encodeData\"\r\n\r\n"
	const mixed = "multipart/mixed; boundary=f"
	one := encode([]byte("підпис"))
	part := func(s string) string { return b + s + "\r\n--f--\r\n" }
	for _, c := range []struct {
		name, contentType, body string
		ok                      bool
	}{
		{"as sent", mixed, part(one), true},
		{"form-data", "multipart/form-data; boundary=f", part(one), true},
		{"upper case", "Multipart/Mixed; Boundary=\"f\"", part(one), true},
		{"other disposition", mixed, strings.Replace(part(one), "form-data", "attachment", 1), true},
		{"lines", mixed, part(one[:20] + "\r\n" + one[20:] + "\r\n"), true},
		{"another part before", mixed, "--f\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\ny\r\n" + part(one), true},
		{"part without a name", mixed, "--f\r\n\r\ny\r\n" + part(one), true},
		{"twice", mixed, b + one + "\r\n" + part(one), false},
		{"no end", mixed, b + one, false},
		{"other name", mixed, strings.Replace(part(one), "encodeData", "encodedata", 1), false},
		{"transfer encoding", mixed, strings.Replace(part(one), "\r\n\r\n", "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", 1), false},
		{"json", "application/json", one, false},
		{"other boundary", "multipart/mixed; boundary=g", part(one), false},
		{"long boundary", "multipart/mixed; boundary=" + strings.Repeat("f", 71), part(one), false},
		{"too many parts", mixed, strings.Repeat("--f\r\n\r\ny\r\n", maxParts+1) + part(one), false},
		{"not base64", mixed, part("%%%"), false},
		{"not JSON", mixed, part("e30"), false},
		{"no signature", mixed, part("e30="), false},
		{"two files", mixed, part(enc(`{"signedItems":[{"signature":"AA=="},{"signature":"AA=="}]}`)), false},
		{"both forms", mixed, part(enc(`{"signedItems":[{"signature":"AA=="}],"requestId":"` + id + `","signature":"AA=="}`)), false},
		{"two values", mixed, part(enc(`{"signedItems":[{"signature":"AA=="}]}{}`)), false},
		{"empty signature", mixed, part(enc(`{"signedItems":[{"signature":""}]}`)), false},
		{"large signature", mixed, part(encode(make([]byte, connectors.MaxSignature+1))), false},
	} {
		got, err := signatureIn(HashedFilesSigning, id, c.contentType, []byte(c.body))
		if (err == nil) != c.ok || c.ok && string(got) != "підпис" {
			t.Errorf("%s: %q, %v, want %v", c.name, got, err, c.ok)
		}
	}
	for body, ok := range map[string]bool{
		`{"requestId":"` + id + `","signature":"AA=="}`: true,
		`{"requestId":"other","signature":"AA=="}`:      false,
		`{"signature":"AA=="}`:                          false,
		`{"signedItems":[{"signature":"AA=="}]}`:        false,
	} {
		if _, err := signatureIn(Auth, id, mixed, []byte(part(enc(body)))); (err == nil) != ok {
			t.Errorf("auth, %s: %v", body, err)
		}
	}
}
