package web

import (
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"
)

// A Remote is the data of the pages of methods whose proof is made elsewhere: S4, S5, S6. Each connector has a type of its
// own; this one has the fields of them all, by the same names, and is read from their JSON: a page that was kept with its
// login is then the same as one that was made just now.
type Remote struct {
	Phase   string    // idle, waiting, expired, cancelled
	Link    string    // opens the application on a telephone; the text of the QR code
	Code    string    // matching code, two digits; "" where the telephone has no place for one
	File    string    // what the telephone shows
	Expires time.Time // of the request
	Message string    // code of something to tell
	Notice  string    // the same, by another name
	Down    bool      // «тимчасово недоступно»

	Providers []RemoteProvider // of S5, to choose from
	Operators []RemoteProvider // the same, of MobileID
	Provider  string           // id of the one in use
	Operator  string           // the same, of MobileID
	Wait      *RemoteWait      // there while the person is to approve
	Keys      []RemoteKey      // to choose from
	OTP       bool             // a one-time code is to be typed

	Origin  string         // of the system to which the person is sent
	Means   []string       // it offers
	Banks   []RemoteChoice // to choose from
	Seconds int            `json:"-"` // until Expires
}

// A RemoteWait is a request that waits for a person, where the page's own fields do not say it.
type RemoteWait struct {
	Provider, Operator string // name
	Code, Link         string
	Until              time.Time
}

// A RemoteProvider keeps keys for people.
type RemoteProvider struct {
	ID, Name   string
	Identifier string // kind of what it finds a person by; "" if it needs nothing
	Down       bool
}

// A RemoteKey is one of several keys of a person.
type RemoteKey struct {
	Value, Name, Organization, Title, Issuer string
	NotAfter                                 time.Time
}

// A RemoteChoice is a thing with a name.
type RemoteChoice struct{ ID, Name string }

// remotePages have a *Remote for their panel.
var remotePages = []string{"diia", "cloud", "idgov", "bankid", "mobileid"}

// IsRemote reports whether a page is of a method whose proof is made elsewhere.
func IsRemote(name string) bool { return slices.Contains(remotePages, name) }

// ReadPanel returns the data of a method's page as its template wants them: those of remote pages become a *Remote as it
// is at now, all others stay as they are.
func ReadPanel(name string, data any, now time.Time) (any, error) {
	if !IsRemote(name) {
		return data, nil
	}
	b, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("web: data of page %s: %w", name, err)
	}
	var r Remote
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("web: data of page %s: %w", name, err)
	}
	if w := r.Wait; w != nil {
		r.Code, r.Link, r.Expires, r.Phase = w.Code, w.Link, w.Until, "waiting"
	}
	if r.Message == "" {
		r.Message = r.Notice
	}
	if r.Phase == "waiting" {
		if r.Seconds = int(r.Expires.Sub(now) / time.Second); !now.Before(r.Expires) {
			r.Wait, r.Seconds, r.Phase, r.Message = nil, 0, "expired", "REMOTE_EXPIRED"
		}
	}
	return &r, nil
}

// Leaving is the data of the page that sends the person to another system.
type Leaving struct{ URL string }

// Elsewhere is the data of the page that a return link shows in a browser which did not begin the login.
type Elsewhere struct {
	Text, Next, Code   string
	Action, Login, MAC string
}

// quiet is the blank margin of a QR code in modules (ISO/IEC 18004 asks for four).
const quiet = 4

// qrCode draws text as a QR code of level M: black on white in every theme, and nothing that runs or loads. It is empty if
// text does not fit into one; the link stands beside it.
func qrCode(text, label string) template.HTML {
	if text == "" {
		return ""
	}
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return ""
	}
	n := code.Bounds().Dx()
	var path strings.Builder
	for y := range n {
		for x := 0; x < n; {
			from := x
			for x < n && isBlack(code.At(x, y).RGBA()) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
			if x == from {
				x++
			}
		}
	}
	side := n + 2*quiet
	return template.HTML(fmt.Sprintf(`<svg class="qr" role="img" aria-label="%s" viewBox="0 0 %d %d" width="264" height="264" shape-rendering="crispEdges">`+ //nolint:gosec // numbers, and a text that is escaped
		`<path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="%s"/></svg>`, template.HTMLEscapeString(label), side, side, side, side, path.String()))
}

func isBlack(r, _, _, _ uint32) bool { return r < 0x8000 }
