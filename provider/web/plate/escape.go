package plate

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"text/template/parse"
	"unicode/utf8"
)

// A context is a place for a value, with the escapers that html/template puts there.
type context struct {
	escape        *template.Template // prints its data in this context between before and after
	before, after int
	plain         [utf8.RuneSelf]bool   // characters that the escapers leave alone
	plainAbove    bool                  // they leave alone all that is not ASCII
	instead       [utf8.RuneSelf]string // what they make of the others, where they look at each by itself
	each          bool                  // they do: there is no address in it
}

// places are templates with a value in each context that pages have.
var places = []string{
	`{{.}}`,
	`<title>{{.}}</title>`,
	`<p title="{{.}}"></p>`,
	`<a href="{{.}}"></a>`,
	`<a href="/{{.}}"></a>`,
	`<a href="?{{.}}"></a>`,
	`<meta http-equiv="refresh" content="3;url={{.}}">`,
}

// contexts are the places by the names of their escapers.
var contexts = sync.OnceValue(func() map[string]*context {
	all := map[string]*context{}
	for _, text := range places {
		t := template.Must(template.New("").Parse(text))
		if err := t.Execute(io.Discard, ""); err != nil {
			panic("plate: internal error: " + err.Error())
		}
		for _, n := range t.Tree.Root.Nodes {
			if a, ok := n.(*parse.ActionNode); ok {
				names := escapers(a.Pipe.Cmds[1:])
				all[names] = newContext(t, text, names)
			}
		}
	}
	return all
})

// newContext finds out what the escapers of a place leave alone, and what they make of the rest. They look at one byte at a
// time; those of addresses also at what begins at `%` or ends at `:`, and do not leave these two alone.
func newContext(t *template.Template, text, names string) *context {
	before, after, _ := strings.Cut(text, "{{.}}")
	c := &context{escape: t, before: len(before), after: len(after)}
	escaped := func(s string) string {
		var b bytes.Buffer
		if err := c.slow(&b, s); err != nil {
			panic("plate: internal error: " + err.Error())
		}
		return b.String()
	}
	same := func(s string) bool { return escaped(s) == s }
	for i := range c.plain {
		s := string(rune(i))
		c.instead[i] = escaped(s)
		c.plain[i] = c.instead[i] == s
	}
	c.plainAbove = same("\u0457") && same("\u2014") && same("\U0001f511")
	c.each = c.plainAbove && !strings.Contains(names, "_url")
	return c
}

// escapers are the names of the commands that html/template has added to a pipeline.
func escapers(cmds []*parse.CommandNode) string {
	var names []string
	for _, c := range cmds {
		names = append(names, c.String())
	}
	return strings.Join(names, "|")
}

// slow prints v as html/template does.
func (c *context) slow(out *bytes.Buffer, v any) error {
	start := out.Len()
	if err := c.escape.Execute(out, v); err != nil {
		return err
	}
	b := out.Bytes()
	n := copy(b[start:], b[start+c.before:len(b)-c.after])
	out.Truncate(start + n)
	return nil
}

// print prints v in this context.
func (c *context) print(out *bytes.Buffer, v reflect.Value) error {
	v = open(v)
	if !v.IsValid() {
		return c.slow(out, nil)
	}
	if isString(v) {
		return c.word(out, v.String())
	}
	// A type that says of itself what it is (template.HTML) or how it is written (Stringer) is not what it is made of.
	if t := v.Type(); t.NumMethod() == 0 && t.PkgPath() != "html/template" {
		switch {
		case v.Kind() == reflect.String:
			return c.word(out, v.String())
		case v.CanInt() && v.Int() >= 0: // digits are letters everywhere
			out.Write(strconv.AppendInt(out.AvailableBuffer(), v.Int(), 10))
			return nil
		case v.CanUint():
			out.Write(strconv.AppendUint(out.AvailableBuffer(), v.Uint(), 10))
			return nil
		}
	}
	return c.slow(out, v.Interface())
}

// word prints s.
func (c *context) word(out *bytes.Buffer, s string) error {
	if c.fast(out, s) {
		return nil
	}
	return c.slow(out, s)
}

// fast prints s if it is known what the escapers make of it without asking them.
func (c *context) fast(out *bytes.Buffer, s string) bool {
	others, above := 0, false
	for i := range len(s) {
		if b := s[i]; b >= utf8.RuneSelf {
			above = true
		} else if !c.plain[b] {
			others++
		}
	}
	if above && (!c.plainAbove || !utf8.ValidString(s)) || others > 0 && !c.each {
		return false
	}
	for i := 0; others > 0; i++ {
		if b := s[i]; b < utf8.RuneSelf && !c.plain[b] {
			out.WriteString(s[:i])
			out.WriteString(c.instead[b])
			s, i = s[i+1:], -1
			others--
		}
	}
	out.WriteString(s)
	return true
}

// action prints a value, or declares a variable.
func (m *maker) action(l *list, n *parse.PipeNode) error {
	if len(n.Decl) != 0 {
		value, err := m.expr(n)
		if err != nil || n.IsAssign || len(n.Decl) != 1 {
			return errUnknown
		}
		m.declare(l, n.Decl[0].Ident[0], value)
		return nil
	}
	c, ok := contexts()[escapers(n.Cmds[1:])]
	if !ok {
		return fmt.Errorf("no such context here: %s", escapers(n.Cmds[1:]))
	}
	value, err := m.command(n.Cmds[0])
	if err != nil {
		return err
	}
	switch get, text := value.get, value.text; {
	case value.whole() && c.print(&l.text, value.value) == nil:
	case text != nil:
		l.add(func(p *press, dot reflect.Value) error {
			s, err := text(p, dot)
			if err != nil {
				return err
			}
			return c.word(p.out, s)
		})
	default:
		l.add(func(p *press, dot reflect.Value) error {
			v, err := get(p, dot)
			if err != nil {
				return err
			}
			return c.print(p.out, v)
		})
	}
	return nil
}
