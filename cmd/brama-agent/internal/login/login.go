package login

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"brama/cmd/brama-agent/internal/module"
	"brama/cmd/brama-agent/internal/window"
	"brama/cmd/brama-agent/internal/words"
	"brama/internal/challenge"
	"brama/internal/pkcs11"
)

// Config is what a Login needs. All is required but Now.
type Config struct {
	Ask     window.Asker
	Person  *Person
	Modules func() []string                            // paths of the modules to try
	Start   func(path string) (*module.Process, error) // starts a child for one of them
	Log     *slog.Logger
	Now     func() time.Time // nil means time.Now
}

// A Finder asks the page for certificates of keys, by their ids: 32 octets for ДСТУ 4145, 20 (SHA-1) for others.
type Finder func(ctx context.Context, keyIDs [][]byte) (certificates [][]byte, err error)

// A Request is one login that a site asks for.
type Request struct {
	Challenge challenge.Challenge
	Text      []byte // the challenge as it is signed; its issuer is the site
	Language  string // "uk" or "en"
	Find      Finder
}

// Login takes the person through one login and returns SignedData, DER. An error is a *Refusal.
func Login(ctx context.Context, c Config, r Request) ([]byte, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	a := &attempt{Config: c, Request: r, w: words.Of(r.Language)}
	signature, err := a.run(ctx)
	if err != nil {
		return nil, refusalOf(err, a.path())
	}
	return signature, nil
}

// An attempt is one Login on its way.
type attempt struct {
	Config
	Request
	w      *words.Words
	phrase string
	open   []*module.Process // children that are alive
	used   *module.Process   // the child whose token is used
	wrong  *Refusal          // the last wrong PIN
}

func (a *attempt) path() string {
	if a.used == nil {
		return ""
	}
	return a.used.Path()
}

// maxRounds bounds how often a person may connect a token anew in one login.
const maxRounds = 10

func (a *attempt) run(ctx context.Context) ([]byte, error) {
	if err := a.consent(ctx); err != nil {
		return nil, err
	}
	for range maxRounds {
		signature, err := a.round(ctx)
		a.closeAll()
		if !errors.Is(err, pkcs11.ErrRemoved) {
			return signature, err
		}
		a.Log.InfoContext(ctx, "token removed", "err", err)
		if _, asked := a.ask(ctx, window.Dialog{Kind: window.Confirm, Lines: []string{a.w.Removed}, OK: a.w.Next}); asked != nil {
			return nil, errors.Join(refuse(TokenRemoved, err), asked)
		}
	}
	return nil, refuse(TokenRemoved, nil)
}

// round is a login with the tokens that are there now.
func (a *attempt) round(ctx context.Context) ([]byte, error) {
	tokens, err := a.tokens(ctx)
	if err != nil {
		return nil, err
	}
	choice, err := a.choose(ctx, tokens)
	if err != nil {
		return nil, err
	}
	t := tokens[choice.token]
	a.used = t.process
	for _, p := range a.open {
		if p != t.process {
			p.Close()
		}
	}
	if t.info, _, err = t.process.Open(ctx, t.info.Slot); err != nil {
		return nil, err
	}
	if t.info.LoginRequired {
		if err := a.logIn(ctx, &t.info); err != nil {
			return nil, err
		}
	}
	certificates, keys, err := t.process.Objects(ctx)
	if err != nil {
		return nil, err
	}
	pair, err := a.pair(ctx, choice, certificates, keys)
	if err != nil {
		return nil, err
	}
	return a.sign(ctx, &t.info, pair)
}

func (a *attempt) closeAll() {
	for _, p := range a.open {
		p.Close()
	}
	a.open = nil
}

// ask shows one dialog under the person's phrase.
func (a *attempt) ask(ctx context.Context, d window.Dialog) (window.Answer, error) {
	d.Title = a.w.Title
	if a.phrase != "" {
		d.Lines = append([]string{words.Fill(a.w.Phrase, a.phrase)}, d.Lines...)
	}
	if d.OK == "" {
		d.OK = a.w.OK
	}
	if d.Cancel == "" {
		d.Cancel = a.w.Cancel
	}
	return a.Ask.Ask(ctx, d)
}

// notice tells something; that it could not be told changes nothing.
func (a *attempt) notice(ctx context.Context, line string) {
	if _, err := a.ask(ctx, window.Dialog{Kind: window.Notice, Lines: []string{line}}); err != nil {
		a.Log.WarnContext(ctx, "notice not shown", "err", err)
	}
}

// consent has the person choose a phrase, once, and then agree to this login.
func (a *attempt) consent(ctx context.Context) error {
	kept := a.Person.load()
	if kept.Phrase == "" {
		phrase, err := a.choosePhrase(ctx)
		if err != nil {
			return err
		}
		kept = chosen{Phrase: phrase}
		if err := a.Person.save(kept); err != nil {
			return err
		}
	}
	a.phrase = kept.Phrase
	lines := []string{
		words.Fill(a.w.Site, a.Challenge.Issuer),
		words.Fill(a.w.Portal, a.Challenge.Host),
		a.w.Purpose,
	}
	origin := a.Challenge.Origin()
	if kept.knows(origin) {
		lines = append(lines, a.w.WillAsk)
	} else {
		lines = append(lines, a.w.FirstTime)
	}
	if _, err := a.ask(ctx, window.Dialog{Kind: window.Confirm, Lines: lines}); err != nil {
		return err
	}
	if !kept.knows(origin) {
		kept.Origins = append(kept.Origins, origin)
		return a.Person.save(kept)
	}
	return nil
}

func (a *attempt) choosePhrase(ctx context.Context) (string, error) {
	lines := []string{a.w.ChoosePhrase}
	for range 3 {
		answer, err := a.ask(ctx, window.Dialog{Kind: window.Text, Lines: lines})
		if err != nil {
			return "", err
		}
		if phrase := strings.TrimSpace(string(answer.Value)); validPhrase(phrase) {
			return phrase, nil
		}
		lines = []string{a.w.PhraseAgain, a.w.ChoosePhrase}
	}
	return "", refuse(Cancelled, errNoPhrase)
}
