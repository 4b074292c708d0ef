package e2e

import (
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A choice is what is chosen on the page of a double: an answer of the system, at which call it is spoilt, a person.
type choice struct{ outcome, stage, person, means string }

func (c choice) String() string {
	return strings.Join(slices.DeleteFunc([]string{c.outcome, c.stage, c.person, c.means}, func(s string) bool { return s == "" }), " ")
}

// An elsewhere is a system to which the browser goes, and what each of its answers comes to; "" signs in.
type elsewhere struct {
	refusing
	choose  func(t *testing.T, w *walker, c choice) // on the page of the double, and back
	answers map[choice]string
	// outages are answered when the system has been waited for; the others cost nothing.
	outages map[choice]string
}

// common are the answers of both doubles.
func common(stage string) (answers, outages map[choice]string) {
	answers = map[choice]string{
		{outcome: "unavailable"}: "REMOTE_DOWN", {outcome: "late-code"}: "REMOTE_EXPIRED", {outcome: "bad-client"}: "INTERNAL",
		{outcome: "clear"}: "UPSTREAM_INVALID", {outcome: "wrong-key"}: "UPSTREAM_INVALID", {outcome: "tampered"}: "UPSTREAM_INVALID",
		{outcome: "not-attribute"}: "UPSTREAM_INVALID", {outcome: "bad-signature"}: "UPSTREAM_INVALID", {outcome: "official"}: "UPSTREAM_INVALID",
		{outcome: "stranger"}: "UPSTREAM_INVALID",
		// Persons.
		{}: "", {person: "official"}: "", {person: "fop"}: "", {person: "apostrophe"}: "", {person: "passport"}: "CERT_NO_TAXNO",
		{person: "card"}: "CERT_NO_TAXNO", {person: "nonumber"}: "CERT_NO_TAXNO", {person: "placeholder"}: "CERT_NO_TAXNO", {person: "noname"}: "CERT_DATA_MISSING",
	}
	outages = map[choice]string{}
	for _, stage := range []string{stage, "token"} {
		for _, fault := range []string{"garbage", "html", "twice"} {
			answers[choice{outcome: fault, stage: stage}] = "UPSTREAM_INVALID"
		}
		for _, fault := range []string{"big", "down"} {
			answers[choice{outcome: fault, stage: stage}] = "REMOTE_DOWN"
		}
		for _, fault := range []string{"hang", "slow"} {
			outages[choice{outcome: fault, stage: stage}] = "REMOTE_DOWN"
		}
	}
	return answers, outages
}

// idgovRefusals are all of the double of ID.GOV.UA.
func idgovRefusals(t *testing.T) {
	answers, outages := common("user-info")
	maps.Copy(answers, map[choice]string{
		{means: "cancel"}: "UPSTREAM_CANCELLED", {means: "diia_oauth"}: "UPSTREAM_INVALID", {means: "mobile_id"}: "UPSTREAM_INVALID",
		{means: "diia_id"}: "", {means: "bank_id"}: "",
		{outcome: "device"}: "", {outcome: "number-types"}: "", {outcome: "logout-fails"}: "",
		{outcome: "error-200"}: "UPSTREAM_INVALID", {outcome: "error-401"}: "REMOTE_EXPIRED",
		{outcome: "development"}: "UPSTREAM_INVALID", {outcome: "other-means"}: "UPSTREAM_INVALID", {person: "seal"}: "CERT_SEAL",
		// The person is known by then: that the system does not forget costs nobody the login.
		{outcome: "garbage", stage: "logout"}: "", {outcome: "html", stage: "logout"}: "", {outcome: "twice", stage: "logout"}: "",
		{outcome: "big", stage: "logout"}: "", {outcome: "down", stage: "logout"}: "",
	})
	outages[choice{outcome: "hang", stage: "logout"}], outages[choice{outcome: "slow", stage: "logout"}] = "", ""
	elsewhere{refusing: refusing{d: startDev(t), tab: "idgov"}, answers: answers, outages: outages, choose: func(t *testing.T, w *walker, c choice) {
		w.press(`id="request"`)
		if c.means == "" {
			c.means = "dig_sign"
		}
		w.press("/choose", "means", c.means, "outcome", c.outcome, "stage", c.stage, "person", c.person)
	}}.walk(t)
}

// bankidRefusals are all of the double of BankID.
func bankidRefusals(t *testing.T) {
	answers, outages := common("resource")
	maps.Copy(answers, map[choice]string{
		{means: "cancel"}: "UPSTREAM_CANCELLED", {outcome: "odd-date"}: "", {outcome: "late-token"}: "REMOTE_EXPIRED",
		{outcome: "error:access_denied"}: "UPSTREAM_CANCELLED", {outcome: "error:temporarily_unavailable"}: "REMOTE_DOWN",
		{outcome: "error:invalid_request"}: "INTERNAL", {outcome: "error:invalid_cert"}: "INTERNAL", {outcome: "error:invalid_data"}: "UPSTREAM_INVALID",
		{outcome: "error:unauthorized_client"}: "INTERNAL", {outcome: "error:invalid_token"}: "REMOTE_EXPIRED",
		{outcome: "error:invalid_grant"}: "REMOTE_EXPIRED", {outcome: "error:Клієнт 12345"}: "UPSTREAM_INVALID", {outcome: "not-ok"}: "UPSTREAM_INVALID",
		{outcome: "other-member"}: "UPSTREAM_INVALID", {outcome: "other-signer"}: "UPSTREAM_INVALID", {outcome: "new-member"}: "UPSTREAM_INVALID",
		{outcome: "unsigned"}: "UPSTREAM_INVALID", {outcome: "legal"}: "UPSTREAM_INVALID", {person: "seal"}: "CERT_DATA_MISSING",
	})
	elsewhere{refusing: refusing{d: startDev(t), tab: "idgov", via: "bankid"}, answers: answers, outages: outages, choose: func(t *testing.T, w *walker, c choice) {
		w.press(`id="request"`, "bank", "kalyna")
		bank := "kalyna"
		if c.means != "" {
			bank = c.means
		}
		w.press("/choose", "bank", bank, "outcome", c.outcome, "stage", c.stage, "person", c.person)
	}}.walk(t)
}

var optionPattern = regexp.MustCompile(`(?s)<select[^>]*name="(outcome|person)".*?</select>`)

// offered fails if the page of the double offers an answer or a person that is not in the tables.
func (e elsewhere) offered(t *testing.T, page string) {
	t.Helper()
	lists := optionPattern.FindAllStringSubmatch(page, -1)
	if len(lists) != 2 {
		t.Fatalf("%d lists on the page of the double", len(lists))
	}
	all := maps.Clone(e.answers)
	maps.Copy(all, e.outages)
	for _, list := range lists {
		for _, m := range regexp.MustCompile(`<option value="([^"]*)"`).FindAllStringSubmatch(list[0], -1) {
			value := html.UnescapeString(m[1])
			walked := value == "" || value == "olena"
			for c := range all {
				walked = walked || list[1] == "outcome" && c.outcome == value || list[1] == "person" && c.person == value
			}
			if !walked {
				t.Errorf("%s %q of the double is not walked", list[1], value)
			}
		}
	}
}

func (e elsewhere) walk(t *testing.T) {
	one := func(t *testing.T, c choice, code, lang string) {
		r := e.refusing
		r.lang = lang
		w := r.open(t)
		login := loginOf(t, w.at.String())
		e.choose(t, w, c)
		if code != "" {
			r.refused(t, w, code)
			return
		}
		if !strings.HasSuffix(w.at.Path, "/confirm") {
			t.Fatalf("S8 is not there: %s at %s", w.problem(), w.at)
		}
		w.press(`id="confirm"`)
		if !strings.HasPrefix(w.at.String(), r.d.Portal+"/profile") {
			t.Fatalf("ended at %s: %s", w.at, w.problem())
		}
		r.d.proven(t, login)
	}
	key := func(m map[choice]string) (list []choice) {
		list = slices.Collect(maps.Keys(m))
		slices.SortFunc(list, func(a, b choice) int { return strings.Compare(a.String(), b.String()) })
		return list
	}
	w := e.refusing.open(t)
	w.press(`id="request"`, "bank", "kalyna")
	e.offered(t, w.body)
	for i, c := range key(e.answers) {
		lang := []string{"uk", "en"}[i%2]
		t.Run(c.String(), func(t *testing.T) { one(t, c, e.answers[c], lang) })
		if e.answers[c] == "REMOTE_DOWN" {
			one(t, choice{}, "", lang) // three failures in a row, and the system would be left alone
		}
	}
	waits := map[string]func(*testing.T){} // two for each call: a third would make the system be left alone
	for c, code := range e.outages {
		waits[c.String()] = func(t *testing.T) { one(t, c, code, "uk") }
	}
	together(t, waits)
}
