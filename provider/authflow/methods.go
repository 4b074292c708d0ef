package authflow

import (
	"fmt"
	"net/http"
	"slices"

	"brama/connectors"
	"brama/provider/oauth"
	"brama/provider/web"
)

// order is every method there is, in the order of the tabs (ux.md 2).
var order = []string{"file", "token", "diia", "cloud", "idgov", "upload", "bankid", "mobileid", "demo"}

func isMethod(m string) bool { return slices.Contains(order, m) }

// untabbed methods are reached by a link on another tab.
var untabbed = []string{"upload"}

// linked are methods whose telephone opens a return link, which may then be of one login. A system that a browser is sent
// to knows one address for all, letter for letter.
var linked = []string{"diia"}

// entries are methods that stand on the tab of another one, if that one is there.
var entries = map[string]string{"bankid": "idgov", "mobileid": "idgov"}

// An idler is a connector whose tab shows something before the person presses anything.
type idler interface{ Idle() connectors.Page }

// A leveled connector says the highest level it can give. One that does not say gives low.
type leveled interface{ MaxLoA() connectors.LoA }

// An immediate connector needs no challenge in the page: its form is the press that makes one.
type immediate interface{ Immediate() bool }

// An agented connector has a page that calls a program on the person's computer; Agent is its origin.
type agented interface{ Agent() string }

func levelRank(l connectors.LoA) int {
	return slices.Index([]connectors.LoA{connectors.Low, connectors.Substantial, connectors.High}, l) + 1
}

// minimum is the level that the request asks for: the lowest of the acr_values that are levels, for any of them will do.
// Values that are no levels are voluntary claims of other worlds and are passed over. It is never below that of the client's
// registration: a request can only raise it (threat T78).
func minimum(client *oauth.Client, req *oauth.AuthorizeRequest) connectors.LoA {
	lowest := connectors.LoA("")
	for _, v := range req.ACRValues {
		l := connectors.LoA(v)
		if levelRank(l) > 0 && (lowest == "" || levelRank(l) < levelRank(lowest)) {
			lowest = l
		}
	}
	if least := connectors.LoA(client.MinLevel); levelRank(lowest) < levelRank(least) {
		return least
	}
	return lowest
}

// methods are those that exist here, that the client allows and whose level is enough, in the order of the tabs.
func (f *Flow) methods(client *oauth.Client, req *oauth.AuthorizeRequest) []string {
	least := minimum(client, req)
	var list []string
	for _, m := range order {
		c, ok := f.Connectors[m]
		if !ok || client.Methods != nil && !slices.Contains(client.Methods, m) && m != "demo" {
			continue
		}
		highest := connectors.Low
		if c, ok := c.(leveled); ok && levelRank(least) > levelRank(highest) {
			highest = c.MaxLoA()
		}
		if levelRank(highest) >= levelRank(least) {
			list = append(list, m)
		}
	}
	return list
}

// Serves says why nobody could sign in to a client here: none of its methods gives its minimum level. nil if somebody can.
func (f *Flow) Serves(client *oauth.Client) error {
	if client.SignsIn() && len(f.methods(client, &oauth.AuthorizeRequest{})) == 0 {
		return fmt.Errorf("authflow: client %q: no method that it allows gives the level %q", client.ID, client.MinLevel)
	}
	return nil
}

// first is the method whose tab opens: the portal's hint, else the one that served this browser last, else the first.
func first(methods []string, req *oauth.AuthorizeRequest, last string) string {
	for _, m := range []string{req.IDPHint, last} {
		if slices.Contains(methods, m) {
			return m
		}
	}
	return methods[0]
}

// last is the method by which somebody got to S8 in this browser before, "" if it is not known or not offered now. It says
// nothing of a person and is a right to nothing.
func (f *Flow) last(r *http.Request, l *login) string {
	m, err := f.Cookies.Get(r, web.MethodCookie)
	if err != nil || !slices.Contains(l.methods, m) {
		return ""
	}
	return m
}

// remember keeps the method for the next time. The persons of dev are nobody's habit.
func (f *Flow) remember(w http.ResponseWriter, method string) {
	if method != "demo" {
		f.Cookies.Set(w, web.MethodCookie, method, web.MethodLife)
	}
}

// forgotten obeys ?forget= on a tab: true means that the answer is given.
func (f *Flow) forgotten(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.RawQuery == "" || !r.URL.Query().Has(forgetParameter) {
		return false
	}
	f.Cookies.Clear(w, web.MethodCookie)
	noStore(w)
	http.Redirect(w, r, r.URL.EscapedPath(), http.StatusSeeOther)
	return true
}

const forgetParameter = "forget"
