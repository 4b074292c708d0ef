package mobileid

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Name spaces.
const (
	nsMSS    = "http://uri.etsi.org/TS102204/v1.1.2#"
	nsSOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
	nsSOAP12 = "http://www.w3.org/2003/05/soap-envelope"
	// formatPKCS7 is the format of the signature that is asked for.
	formatPKCS7 = nsMSS + "PKCS7"
)

// text escapes a value for an element or an attribute.
func text(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder never fails
	return b.String()
}

// apInfo is who asks: (AP_ID, AP_TransID, Instant) is never used twice.
func (o *Operator) apInfo(trans, password string, now time.Time) string {
	return fmt.Sprintf(`<mss:AP_Info AP_ID="%s" AP_PWD="%s" AP_TransID="%s" Instant="%s"/><mss:MSSP_Info><mss:MSSP_ID><mss:URI>%s</mss:URI></mss:MSSP_ID></mss:MSSP_Info>`,
		text(o.APID), text(password), text(trans), now.UTC().Format("2006-01-02T15:04:05.000Z"), text(o.MSSP))
}

// signatureRequest is MSS_SignatureReq.
func signatureRequest(o *Operator, ap string, wait time.Duration, number string, content []byte, display string) []byte {
	profile := ""
	if o.Profile != "" {
		profile = "<mss:SignatureProfile><mss:mssURI>" + text(o.Profile) + "</mss:mssURI></mss:SignatureProfile>"
	}
	return fmt.Appendf(nil, `<mss:MSS_SignatureReq MajorVersion="1" MinorVersion="1" MessagingMode="asynchClientServer" TimeOut="%d">%s`+
		`<mss:MobileUser><mss:MSISDN>%s</mss:MSISDN></mss:MobileUser>`+
		`<mss:DataToBeSigned MimeType="application/octet-stream" Encoding="base64">%s</mss:DataToBeSigned>`+
		`<mss:DataToBeDisplayed MimeType="text/plain" Encoding="UTF-8">%s</mss:DataToBeDisplayed>%s`+
		`<mss:MSS_Format><mss:mssURI>`+formatPKCS7+`</mss:mssURI></mss:MSS_Format></mss:MSS_SignatureReq>`,
		int(wait/time.Second), ap, text(number), base64.StdEncoding.EncodeToString(content), text(display), profile)
}

// statusRequest is MSS_StatusReq.
func statusRequest(_ *Operator, ap, trans string) []byte {
	return fmt.Appendf(nil, `<mss:MSS_StatusReq MajorVersion="1" MinorVersion="1" MSSP_TransID="%s">%s</mss:MSS_StatusReq>`, text(trans), ap)
}

// envelope puts a body into SOAP.
func (o *Operator) envelope(body []byte, action string) (b []byte, contentType string) {
	ns, contentType := nsSOAP12, `application/soap+xml; charset=utf-8; action="`+action+`"`
	if o.SOAP11 {
		ns, contentType = nsSOAP11, "text/xml; charset=utf-8"
	}
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="%s" xmlns:mss="%s"><env:Body>%s</env:Body></env:Envelope>`,
		ns, nsMSS, body), contentType
}

// An answer is MSS_SignatureResp or MSS_StatusResp.
type answer struct {
	trans     string // MSSP_TransID
	status    int
	signature []byte // DER, nil if there is none
}

// ErrAnswer says that a service's answer is not the SOAP it should be.
var ErrAnswer = errors.New("mobileid: answer does not parse")

// Limits of an answer beside its size.
const (
	maxDepth    = 24
	maxElements = 512
)

// An element is one element of the answer.
type element struct {
	name     xml.Name
	attrs    []xml.Attr
	children []*element
	text     strings.Builder
}

// parseXML reads one document without DTD, entities of its own and processing instructions.
func parseXML(b []byte) (*element, error) {
	if len(b) > maxAnswer || !utf8.Valid(b) {
		return nil, ErrAnswer
	}
	dec := xml.NewDecoder(bytes.NewReader(b))
	dec.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, ErrAnswer }
	root := &element{}
	stack := []*element{root}
	count := 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, ErrAnswer
		}
		top := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if count++; count > maxElements || len(stack) > maxDepth || len(t.Attr) > 32 {
				return nil, ErrAnswer
			}
			e := &element{name: t.Name, attrs: t.Copy().Attr}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if top == root && len(bytes.TrimSpace(t)) > 0 {
				return nil, ErrAnswer
			}
			top.text.Write(t)
		case xml.Directive:
			return nil, ErrAnswer // a DTD is the only thing that it could be
		case xml.ProcInst:
			if t.Target != "xml" || top != root || count > 0 {
				return nil, ErrAnswer
			}
		case xml.Comment:
			if top != root {
				return nil, ErrAnswer // it would split a text, and readers disagree about what is left
			}
		}
	}
	if len(stack) != 1 || len(root.children) != 1 {
		return nil, ErrAnswer
	}
	return root.children[0], nil
}

// child returns the one child of that name; nil if there is none or more than one.
func (e *element) child(space, local string) *element {
	var found *element
	if e == nil {
		return nil
	}
	for _, c := range e.children {
		if c.name.Local == local && c.name.Space == space {
			if found != nil {
				return nil
			}
			found = c
		}
	}
	return found
}

// attr returns an attribute without a name space; "" if it is absent or stands twice.
func (e *element) attr(local string) string {
	value, n := "", 0
	if e == nil {
		return ""
	}
	for _, a := range e.attrs {
		if a.Name.Local == local && a.Name.Space == "" {
			value = a.Value
			n++
		}
	}
	if n != 1 {
		return ""
	}
	return value
}

// parseAnswer reads the answer to an action. trans is our AP_TransID, which it must give back if it gives any. A SOAP fault is
// a *faultError.
func parseAnswer(b []byte, action, trans string) (*answer, error) {
	root, err := parseXML(b)
	if err != nil {
		return nil, err
	}
	ns := root.name.Space
	if root.name.Local != "Envelope" || ns != nsSOAP11 && ns != nsSOAP12 {
		return nil, ErrAnswer
	}
	body := root.child(ns, "Body")
	if body == nil || len(body.children) != 1 {
		return nil, ErrAnswer
	}
	if fault := body.child(ns, "Fault"); fault != nil {
		return nil, &faultError{code: fault.faultCode(ns)}
	}
	name := map[string]string{"MSS_Signature": "MSS_SignatureResp", "MSS_StatusQuery": "MSS_StatusResp"}[action]
	res := body.child(nsMSS, name)
	if wrapper := body.children[0]; res == nil && len(wrapper.children) == 1 {
		// Services that describe themselves as RPC wrap the message into an element of the operation.
		res = wrapper.child(nsMSS, name)
	}
	if res == nil {
		return nil, ErrAnswer
	}
	if given := res.child(nsMSS, "AP_Info").attr("AP_TransID"); given != trans && given != "" {
		return nil, ErrAnswer // the answer to another question
	}
	a := &answer{trans: res.attr("MSSP_TransID")}
	if a.status, err = strconv.Atoi(res.child(nsMSS, "Status").child(nsMSS, "StatusCode").attr("Value")); err != nil || a.status < 0 || a.status > 9999 {
		return nil, ErrAnswer
	}
	for _, c := range res.children {
		if c.name.Local == "MSS_Signature" && res.child(nsMSS, "MSS_Signature") != c {
			return nil, ErrAnswer // there are two, or one of another name space
		}
	}
	if holder := res.child(nsMSS, "MSS_Signature"); holder != nil {
		value := holder.child(nsMSS, "Base64Signature")
		if value == nil || len(value.children) > 0 {
			return nil, ErrAnswer
		}
		if a.signature, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value.text.String()), "")); err != nil || len(a.signature) == 0 {
			return nil, ErrAnswer
		}
	}
	return a, nil
}

// faultCode reads NNN out of the subcode mss:_NNN of SOAP 1.2, or out of the fault code of SOAP 1.1.
func (e *element) faultCode(ns string) int {
	value := e.child(ns, "Code").child(ns, "Subcode").child(ns, "Value")
	if ns == nsSOAP11 {
		value = e.child("", "faultcode")
	}
	if value == nil {
		return 0
	}
	_, digits, ok := strings.Cut(strings.TrimSpace(value.text.String()), "_")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 100 || n > 999 {
		return 0
	}
	return n
}
