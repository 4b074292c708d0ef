package oauth

import (
	"encoding/json"
	"slices"
	"strconv"
)

// Kinds of values of claims, as they stand in a packed grant. What is none of the first is JSON.
const (
	claimText = iota + 1
	claimBool
	claimNumber // an integer
	claimJSON
)

// A claim is one thing that a grant says of a person.
type claim struct {
	name   string
	kind   byte
	text   string // of claimText, and the JSON of claimJSON
	number int64  // of claimNumber; of claimBool 0 or 1
}

func textClaim(name, value string) claim { return claim{name: name, kind: claimText, text: value} }

func boolClaim(name string, value bool) claim {
	c := claim{name: name, kind: claimBool}
	if value {
		c.number = 1
	}
	return c
}

func numberClaim(name string, value int64) claim {
	return claim{name: name, kind: claimNumber, number: value}
}

// value returns what a verified_claims request can ask for by its value: a string or a boolean. Other claims are given as they
// would be encoded.
func (c *claim) value() any {
	switch c.kind {
	case claimText:
		return c.text
	case claimBool:
		return c.number == 1
	case claimNumber:
		return c.number
	}
	return json.RawMessage(c.text)
}

// appendJSON appends the value.
func (c *claim) appendJSON(b []byte) []byte {
	switch c.kind {
	case claimText:
		return appendJSONString(b, c.text)
	case claimBool:
		return strconv.AppendBool(b, c.number == 1)
	case claimNumber:
		return strconv.AppendInt(b, c.number, 10)
	}
	return append(b, c.text...)
}

// claimList holds claims, each name once: there are so few that looking through them costs less than a map.
type claimList []claim

// find returns the claim of a name, nil if there is none.
func (l claimList) find(name string) *claim {
	if i := slices.IndexFunc(l, func(c claim) bool { return c.name == name }); i >= 0 {
		return &l[i]
	}
	return nil
}
