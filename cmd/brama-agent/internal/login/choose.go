package login

import (
	"context"
	"strings"

	"brama/cmd/brama-agent/internal/window"
	"brama/cmd/brama-agent/internal/words"
	"brama/internal/pkcs11"
	"brama/internal/qes/cert"
)

// A candidate is what a person can choose: a certificate of a token, or a token that shows none.
type candidate struct {
	token       int
	certificate *cert.Certificate // nil: it is looked for once the key is known
	line        string
	reason      string // why it is not offered, for people; "" if it is
	code        Code   // of a certificate that cannot be used
}

// choose finds what can sign and has the person choose where there is a choice. A certificate whose time is wrong is
// offered only if there is no other: this computer's clock may be wrong, and the server decides.
func (a *attempt) choose(ctx context.Context, tokens []token) (candidate, error) {
	var usable, untimely, unknown, unusable []candidate
	for i, t := range tokens {
		n := 0
		for _, der := range t.certificates {
			c, err := cert.Parse(der)
			if err != nil {
				a.Log.WarnContext(ctx, "unreadable certificate on a token", "err", err)
				continue
			}
			n++
			switch k := a.describe(i, t.info, c); {
			case k.code != "":
				unusable = append(unusable, k)
			case k.reason != "":
				untimely = append(untimely, k)
			default:
				usable = append(usable, k)
			}
		}
		if n == 0 {
			unknown = append(unknown, candidate{token: i, line: a.w.NoCertificate + ", " + a.onToken(t.info)})
		}
	}
	offered := append(usable, unknown...)
	if len(offered) == 0 {
		offered, untimely = untimely, nil
	}
	if len(offered) == 0 {
		return candidate{}, refuse(unusable[0].code, nil)
	}
	return a.pick(ctx, offered, append(unusable, untimely...))
}

// pick shows the list, unless there is one thing only.
func (a *attempt) pick(ctx context.Context, offered, unusable []candidate) (candidate, error) {
	if len(offered) == 1 {
		return offered[0], nil
	}
	lines := []string{a.w.ChooseKey}
	for _, u := range unusable {
		lines = append(lines, words.Fill(a.w.Unusable, u.line, u.reason))
	}
	var choices []string
	for _, o := range offered {
		choices = append(choices, o.line)
	}
	answer, err := a.ask(ctx, window.Dialog{Kind: window.Choose, Lines: lines, Choices: choices})
	if err != nil {
		return candidate{}, err
	}
	return offered[answer.Choice], nil
}

// describe tells what a certificate is, and why it cannot sign if so.
func (a *attempt) describe(token int, info pkcs11.Token, c *cert.Certificate) candidate {
	k := candidate{token: token, certificate: c, line: a.title(c) + ", " + a.onToken(info)}
	switch c.Kind() {
	case cert.KindPerson, cert.KindEmployee, cert.KindEntrepreneur:
		switch now := a.Now(); {
		case now.Before(c.NotBefore):
			k.reason = words.Fill(a.w.NotYet, words.Date(c.NotBefore))
		case now.After(c.NotAfter):
			k.reason = words.Fill(a.w.Expired, words.Date(c.NotAfter))
		}
	case cert.KindSeal:
		k.code, k.reason = CertSeal, a.w.Seal
	case cert.KindEncryption:
		k.code, k.reason = CertUsage, a.w.Encryption
	default:
		k.code, k.reason = CertUsage, a.w.NotForIt
	}
	return k
}

func (a *attempt) onToken(t pkcs11.Token) string {
	return words.Fill(a.w.OnToken, nameOf(t), lastDigits(t.Serial))
}

// title is the certificate for people: name, position, issuer, end.
func (a *attempt) title(c *cert.Certificate) string {
	var parts []string
	if s, err := c.Subject(); err == nil {
		for _, p := range []string{s.CommonName, s.Title, s.Organization} {
			if p != "" && (len(parts) == 0 || p != parts[0]) {
				parts = append(parts, p)
			}
		}
	}
	if issuer := c.IssuerName(); issuer != "" {
		parts = append(parts, words.Fill(a.w.IssuedBy, issuer))
	}
	return strings.Join(append(parts, words.Fill(a.w.Until, words.Date(c.NotAfter))), ", ")
}
