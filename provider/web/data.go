package web

import "time"

// A Method is the data of a method's page.
type Method struct {
	Panel    any    `plate:"fixed"` // the connector's own, or *Remote
	Method   string `plate:"early"`
	Label    string `plate:"early"` // the portal's own name of the method, "" for ours
	Entries  []Tab  `plate:"early"` // other methods that stand on this tab
	Action   string // where the form or the signature is posted
	Ask      string // where a request (challenge) is made
	Search   string `plate:"present"` // where certificates are looked up; "" if they are not
	Upload   string `plate:"present"` // S16, "" if it is not offered
	Back     string `plate:"present"` // from S16 to the tabs, "" if there are none
	Revision uint64
	MAC      string
	Asked    bool   `plate:"early"` // a request is live
	Download string `plate:"present"`
	Until    time.Time
	Issuer   string // what the browser program must find in the challenge
	Failed   string `plate:"present"` // code of the problem, so that the page offers the button that mends it
	// Of a wait: where the page asks, with which code, how often in milliseconds and for how many seconds more.
	Poll               string `plate:"present"`
	PollMAC            string
	Every, PollSeconds int
}

// A Confirm is the data of S8, and of S9 if Session is set.
type Confirm struct {
	Session       bool `plate:"early"`
	Action, Other string
	OtherMAC      string
	Revision      uint64
	MAC           string
	Name          string
	RNOKPP        string `plate:"present"`
	UNZR          string `plate:"present"`
	BirthDate     string `plate:"present"` // as it is shown
	Email         string `plate:"present"` // of the certificate
	Alone         bool   `plate:"early"`   // there is no role to choose: everybody signs in as himself
	Roles         []Role // more than one is a choice
	Issuer        string
	NotAfter      string `plate:"present"` // of the certificate, as it is shown
	CheckedAt     string `plate:"present"` // likewise
	Method        string `plate:"early"`
	ExpiresInDays int    `plate:"present"` // zero if that is far away
	AuthTime      time.Time
	Gets          []string     `plate:"early"` // keys below confirm.gets.: what comes with the sign-in
	GetsInRole    []string     `plate:"early"` // the same, of a role in an organisation
	Optional      []Choice     // what the person may give
	Purpose       string       `plate:"early"` // in the portal's words; may be empty
	Version       string       `plate:"early"` // of the notice; may be empty
	Policy        string       `plate:"early"` // address of the notice, "" for our own page
	Notice        []NoticePart // the notice itself; nil where there is only its address
	NoticeLang    Lang         `plate:"present"` // of Notice, "" if it is that of the page
	Consent       bool         `plate:"early"`   // the tick is asked for
	ConsentWrong  bool         `plate:"early"`   // and was missing
}

// A Role is a capacity that the person may choose.
type Role struct {
	ID, Title, Organization, EDRPOU string
	Chosen                          bool
}

// A Choice is a claim that the person may give.
type Choice struct {
	Claim  string
	Chosen bool
}

// A Problem is the data of S14.
type Problem struct {
	Start string // address where the portal starts a login, "" if unknown
	Again string // path that begins anew with the same request, "" if there is none
	Home  string
}

// A FormPost is the data of the page that posts an answer to the portal.
type FormPost struct {
	Action string
	Fields [][2]string // name and value
}

// A SignOut is the data of S13.
type SignOut struct {
	Action, MAC, Request string
	Portals              []string // that are open in this browser
	Done                 bool     // the portal that asked is closed already
}

// A SignedOut is the data of the page after S13.
type SignedOut struct {
	Stayed bool     // nothing was ended
	Back   string   // the portal's address, "" if there is none
	Frames []string // addresses of portals that are told in the browser
}
