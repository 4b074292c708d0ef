package authflow

import (
	"slices"

	"brama/connectors"
	"brama/provider/oauth"
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
// Values that are no levels are voluntary claims of other worlds and are passed over. A request can only raise it.
func minimum(req *oauth.AuthorizeRequest) connectors.LoA {
	lowest := connectors.LoA("")
	for _, v := range req.ACRValues {
		l := connectors.LoA(v)
		if levelRank(l) > 0 && (lowest == "" || levelRank(l) < levelRank(lowest)) {
			lowest = l
		}
	}
	return lowest
}

// methods are those that exist here, that the client allows and whose level is enough, in the order of the tabs.
func (f *Flow) methods(client oauth.Client, req *oauth.AuthorizeRequest) []string {
	least := minimum(req)
	var list []string
	for _, m := range order {
		c, ok := f.Connectors[m]
		if !ok || client.Methods != nil && !slices.Contains(client.Methods, m) && m != "demo" {
			continue
		}
		highest := connectors.Low
		if c, ok := c.(leveled); ok {
			highest = c.MaxLoA()
		}
		if levelRank(highest) >= levelRank(least) {
			list = append(list, m)
		}
	}
	return list
}

// first is the method whose tab opens: the portal's hint, else the first.
func first(methods []string, req *oauth.AuthorizeRequest) string {
	if slices.Contains(methods, req.IDPHint) {
		return req.IDPHint
	}
	return methods[0]
}
