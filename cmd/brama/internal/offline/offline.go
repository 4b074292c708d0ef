package offline

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Exit codes of every verb.
const (
	ExitOK            = 0 // passed, or opened
	ExitFailed        = 1
	ExitUsage         = 2
	ExitIndeterminate = 3 // or opened in part
)

// A Verb is one command.
type Verb struct {
	Name    string // one or two words: "signature verify"
	Usage   string // what follows the name
	Summary string // one line
	run     func(e *env, args []string) int
}

// Verbs returns the verbs of this package.
func Verbs() []Verb {
	return []Verb{
		{"signature verify", "[--content FILE] [--trust FILE]... [--at RFC3339] [--offline] [--json] FILE", "verify a signed document", runVerify},
		{"signature create", "--key FILE --password-file F [--cert FILE] [--detached] [--out F] FILE", "sign a document (CAdES-BES)", runCreate},
		{"container inspect", "[--password-file F] [--json] FILE", "show what is in a key container", runInspect},
		{"envelope open", "--key FILE --password-file F [--cert FILE]... [--out F] FILE", "decrypt a message (--cert: the sender's, or the key's own)", runEnvelopeOpen},
		{"envelope seal", "--to CERT... [--key FILE --password-file F --cert CERT [--attach]] [--cipher gost28147-cfb|gost28147-ctr|kalyna256-cfb|kalyna256-ctr] [--by-key-id] [--out F] FILE", "encrypt a file to certificates", runEnvelopeSeal},
		{"envelope-key request", "--key CONTAINER --password-file F --organization O [--name N] [--edrpou CODE] [--locality L] [--country UA] [--pem] REQUEST", "make a key for envelopes in a container, and a request for its certificate", runEnvelopeKeyRequest},
		{"envelope-key install", "--key CONTAINER --password-file F --out CERT ISSUED", "check an issued certificate against its key, and put it where the configuration names it", runEnvelopeKeyInstall},
		{"envelope-key list", "[--within 720h] [--json] CONFIG", "show the keys of a configuration and until when their certificates are valid", runEnvelopeKeyList},
		{"audit verify", "[--dir DIR] [--checkpoints FILE] CONFIG", "check the log of events of a server that is stopped, or a copy of it, against its chain", runAuditVerify},
		{"digest", "--algorithm gost34311|kupyna256|kupyna384|kupyna512 FILE", "print a national digest in hex", runDigest},
	}
}

// Run runs the verb with the given arguments and returns the exit code. Nothing but stdin, stdout, stderr and the files
// that args name is used; the network, by "signature verify" without --offline.
func (v Verb) Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	e := &env{verb: v, stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now}
	return v.run(e, args)
}

// Find returns the verb that args begin with and the arguments after its name; false if there is none.
func Find(args []string) (Verb, []string, bool) {
	for _, v := range Verbs() {
		words := strings.Fields(v.Name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == v.Name {
			return v, args[len(words):], true
		}
	}
	return Verb{}, nil, false
}

// An env is where a verb runs.
type env struct {
	verb           Verb
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
}

func (e *env) errorf(format string, args ...any) {
	fmt.Fprintf(e.stderr, "brama %s: %s\n", e.verb.Name, printable(fmt.Sprintf(format, args...)))
}

// usage says what is wrong with the arguments.
func (e *env) usage(format string, args ...any) int {
	e.errorf(format, args...)
	fmt.Fprintf(e.stderr, "usage: brama %s %s\n", e.verb.Name, e.verb.Usage)
	return ExitUsage
}

// parse reads flags, which may stand before and after the one file.
func (e *env) parse(fs *flag.FlagSet, args []string) (file string, code int, ok bool) {
	fs.SetOutput(io.Discard)
	var files []string
	for {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				fmt.Fprintf(e.stdout, "usage: brama %s %s\n", e.verb.Name, e.verb.Usage)
				return "", ExitOK, false
			}
			return "", e.usage("%v", err), false
		}
		if fs.NArg() == 0 {
			break
		}
		files, args = append(files, fs.Arg(0)), fs.Args()[1:]
	}
	if len(files) != 1 {
		return "", e.usage("one FILE is needed"), false
	}
	return files[0], 0, true
}

// read reads a file, "-" for standard input, of at most limit bytes.
func (e *env) read(name string, limit int64) ([]byte, error) {
	r := e.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("reading %s: larger than %d bytes", name, limit)
	}
	return b, nil
}

// maxPassword bounds a password file; the containers bound the password itself.
const maxPassword = 4 << 10

// password reads a password file: its content without one line end.
func (e *env) password(name string) ([]byte, error) {
	b, err := e.read(name, maxPassword)
	if err != nil {
		return nil, err
	}
	if n := len(b); n > 0 && b[n-1] == '\n' {
		b = b[:n-1]
		if n := len(b); n > 0 && b[n-1] == '\r' {
			b = b[:n-1]
		}
	}
	return b, nil
}

// printable replaces what could make a terminal do something else than show text (threat T90).
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f {
			return '?'
		}
		return r
	}, s)
}
