package web

import (
	"bytes"
	"fmt"
	"html/template"
	"text/template/parse"
)

// fold writes into the templates what is the same on every page: the texts, assets and paths whose names stand in the
// template as they are. A page is then rendered from a tenth of the calls, and its template takes a third of the memory.
//
// It runs before html/template looks for contexts, so these words are seen as if the author had written them. They are ours,
// stand between tags or in quoted attributes, and are escaped for both.
func fold(t *template.Template, funcs template.FuncMap) error {
	f := folder{
		"t":      funcs["t"].(func(string, ...string) (string, error)), //nolint:forcetypeassert // they are those of Site.funcs
		"static": one(funcs["static"].(func(string) (string, error))),  //nolint:forcetypeassert // as above
		"path": func(s string, _ ...string) (string, error) {
			return funcs["path"].(func(string) string)(s), nil //nolint:forcetypeassert // as above
		},
	}
	for _, x := range t.Templates() {
		if x.Tree == nil {
			continue
		}
		if err := f.list(x.Tree.Root); err != nil {
			return fmt.Errorf("template %s: %w", x.Name(), err)
		}
	}
	return nil
}

func one(call func(string) (string, error)) func(string, ...string) (string, error) {
	return func(s string, _ ...string) (string, error) { return call(s) }
}

// A folder holds the functions that are called at once, by name.
type folder map[string]func(string, ...string) (string, error)

func (f folder) list(l *parse.ListNode) error {
	if l == nil {
		return nil
	}
	var out []parse.Node
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			text, ok, err := f.action(n)
			if err != nil {
				return err
			}
			if ok {
				out = appendText(out, n.Pos, []byte(template.HTMLEscapeString(text)))
				continue
			}
		case *parse.TextNode:
			out = appendText(out, n.Pos, n.Text)
			continue
		case *parse.IfNode:
			if err := f.branch(&n.BranchNode); err != nil {
				return err
			}
		case *parse.RangeNode:
			if err := f.branch(&n.BranchNode); err != nil {
				return err
			}
		case *parse.WithNode:
			if err := f.branch(&n.BranchNode); err != nil {
				return err
			}
		}
		out = append(out, n)
	}
	l.Nodes = out
	return nil
}

func (f folder) branch(b *parse.BranchNode) error {
	if err := f.list(b.List); err != nil {
		return err
	}
	return f.list(b.ElseList)
}

// action returns what a call of one of the functions with nothing but words gives.
func (f folder) action(n *parse.ActionNode) (string, bool, error) {
	if len(n.Pipe.Decl) != 0 || len(n.Pipe.Cmds) != 1 {
		return "", false, nil
	}
	args := n.Pipe.Cmds[0].Args
	name, ok := args[0].(*parse.IdentifierNode)
	if !ok || f[name.Ident] == nil || len(args) < 2 {
		return "", false, nil
	}
	words := make([]string, 0, len(args)-1)
	for _, a := range args[1:] {
		s, ok := a.(*parse.StringNode)
		if !ok {
			return "", false, nil
		}
		words = append(words, s.Text)
	}
	text, err := f[name.Ident](words[0], words[1:]...)
	if err != nil && name.Ident == "static" {
		return "", false, nil // a part that was not built; the page does not come there
	}
	return text, err == nil, err
}

// appendText appends to the text before it, if there is one.
func appendText(nodes []parse.Node, pos parse.Pos, text []byte) []parse.Node {
	if n := len(nodes); n > 0 {
		if last, ok := nodes[n-1].(*parse.TextNode); ok {
			last.Text = append(bytes.Clone(last.Text), text...)
			return nodes
		}
	}
	return append(nodes, &parse.TextNode{NodeType: parse.NodeText, Pos: pos, Text: text})
}
