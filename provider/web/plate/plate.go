package plate

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"reflect"
	"text/template/parse"
)

// A Plate is a template with all that it calls. Safe for concurrent use.
type Plate struct {
	main *body
}

// A body is one template.
type body struct {
	steps []step
	slots int // variables that live at one time, `$` the first
}

// A step is a node of a template.
type step func(p *press, dot reflect.Value) error

// A press is one printing.
type press struct {
	out  *bytes.Buffer
	vars []reflect.Value // of all templates that are being printed, one behind another
	base int             // where those of the innermost begin
	args []reflect.Value // of all calls that are being made, one behind another
}

// Make returns the Plate of t, with the functions that t was parsed with. It is the last that is done with t, and nothing is
// printed from it any more.
func Make(t *template.Template, funcs template.FuncMap) (*Plate, error) {
	// The first use of a template is when html/template writes its escapers into it. What it then says about nil is no matter.
	var bad *template.Error
	if err := t.Execute(io.Discard, nil); errors.As(err, &bad) {
		return nil, fmt.Errorf("plate: %w", err)
	}
	m := &maker{set: t, funcs: funcs, bodies: map[string]*body{}}
	main, err := m.body(t.Name())
	if err != nil {
		return nil, fmt.Errorf("plate: %w", err)
	}
	return &Plate{main: main}, nil
}

// Execute appends to out what the template makes of data: byte for byte what html/template would, which also fails where this
// does. After an error out holds a part.
func (p *Plate) Execute(out *bytes.Buffer, data any) error {
	const usual = 16 // variables, and arguments
	room := make([]reflect.Value, 2*usual)
	run := &press{out: out, vars: room[0:0:usual], args: room[usual:usual]}
	if err := run.body(p.main, reflect.ValueOf(data)); err != nil {
		return fmt.Errorf("plate: %w", err)
	}
	return nil
}

func (p *press) body(b *body, dot reflect.Value) error {
	outer := p.base
	p.base = len(p.vars)
	for range b.slots {
		p.vars = append(p.vars, reflect.Value{})
	}
	p.vars[p.base] = dot
	err := p.steps(b.steps, dot)
	p.vars, p.base = p.vars[:p.base], outer
	return err
}

func (p *press) steps(steps []step, dot reflect.Value) error {
	for _, s := range steps {
		if err := s(p, dot); err != nil {
			return err
		}
	}
	return nil
}

// A maker makes the bodies of one set of templates.
type maker struct {
	set    *template.Template
	funcs  template.FuncMap
	bodies map[string]*body
	scope  []string // names of the variables that are seen, by slot
	slots  int      // the most that there were
}

// body returns the body of the template called name. A template that html/template has made another of, for another context
// than that of text, is not found.
func (m *maker) body(name string) (*body, error) {
	if b, ok := m.bodies[name]; ok {
		return b, nil
	}
	t := m.set.Lookup(name)
	if t == nil || t.Tree == nil {
		return nil, fmt.Errorf("no template %q", name)
	}
	b := &body{}
	m.bodies[name] = b // before it is whole: it may call itself
	scope, slots := m.scope, m.slots
	m.scope, m.slots = []string{"$"}, 1
	steps, err := m.list(t.Tree.Root)
	b.steps, b.slots = steps, m.slots
	m.scope, m.slots = scope, slots
	if err != nil {
		return nil, fmt.Errorf("template %q: %w", name, err)
	}
	return b, nil
}

// list makes the steps of a list; its variables end with it.
func (m *maker) list(l *parse.ListNode) ([]step, error) {
	if l == nil {
		return nil, nil
	}
	seen := len(m.scope)
	defer func() { m.scope = m.scope[:seen] }()
	steps := make([]step, 0, len(l.Nodes))
	for _, n := range l.Nodes {
		s, err := m.node(n)
		if err != nil {
			return nil, err
		}
		if s != nil {
			steps = append(steps, s)
		}
	}
	return steps, nil
}

func (m *maker) node(n parse.Node) (step, error) {
	switch n := n.(type) {
	case *parse.TextNode:
		text := kept(string(n.Text))
		return func(p *press, _ reflect.Value) error { p.out.WriteString(text); return nil }, nil
	case *parse.CommentNode:
		return nil, nil
	case *parse.ActionNode:
		s, err := m.action(n.Pipe)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n, err)
		}
		return s, nil
	case *parse.IfNode:
		return m.choice(&n.BranchNode, false)
	case *parse.WithNode:
		return m.choice(&n.BranchNode, true)
	case *parse.RangeNode:
		return m.loop(&n.BranchNode)
	case *parse.TemplateNode:
		b, err := m.body(n.Name)
		if err != nil {
			return nil, err
		}
		data := none
		if n.Pipe != nil {
			if data, err = m.pipe(n.Pipe); err != nil {
				return nil, err
			}
		}
		return func(p *press, dot reflect.Value) error {
			v, err := data(p, dot)
			if err != nil {
				return err
			}
			return p.body(b, v)
		}, nil
	}
	return nil, fmt.Errorf("%s: %w", n, errUnknown)
}

// declare gives a variable a slot.
func (m *maker) declare(v *parse.VariableNode) int {
	m.scope = append(m.scope, v.Ident[0])
	m.slots = max(m.slots, len(m.scope))
	return len(m.scope) - 1
}

func (m *maker) choice(n *parse.BranchNode, with bool) (step, error) {
	if len(n.Pipe.Decl) != 0 {
		return nil, errUnknown
	}
	value, err := m.pipe(n.Pipe)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Pipe, err)
	}
	yes, err := m.list(n.List)
	if err != nil {
		return nil, err
	}
	no, err := m.list(n.ElseList)
	if err != nil {
		return nil, err
	}
	return func(p *press, dot reflect.Value) error {
		v, err := value(p, dot)
		switch {
		case err != nil:
			return err
		case !truth(v):
			return p.steps(no, dot)
		case with:
			return p.steps(yes, v)
		}
		return p.steps(yes, dot)
	}, nil
}

func (m *maker) loop(n *parse.BranchNode) (step, error) {
	if n.Pipe.IsAssign || len(n.Pipe.Decl) > 2 {
		return nil, errUnknown
	}
	value, err := m.expr(n.Pipe)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Pipe, err)
	}
	seen := len(m.scope)
	index, element := -1, -1
	if decl := n.Pipe.Decl; len(decl) > 0 {
		if len(decl) == 2 {
			index = m.declare(decl[0])
		}
		element = m.declare(decl[len(decl)-1])
	}
	each, err := m.list(n.List)
	m.scope = m.scope[:seen]
	if err != nil {
		return nil, err
	}
	no, err := m.list(n.ElseList)
	if err != nil {
		return nil, err
	}
	return func(p *press, dot reflect.Value) error {
		list, err := value(p, dot)
		if err != nil {
			return err
		}
		switch list = inner(list); {
		case !list.IsValid():
			return p.steps(no, dot)
		case list.Kind() != reflect.Slice && list.Kind() != reflect.Array:
			return fmt.Errorf("range over %s", list.Type())
		case list.Len() == 0:
			return p.steps(no, dot)
		}
		for i := range list.Len() {
			v := list.Index(i)
			if index >= 0 {
				p.vars[p.base+index] = reflect.ValueOf(i)
			}
			if element >= 0 {
				p.vars[p.base+element] = v
			}
			if err := p.steps(each, v); err != nil {
				return err
			}
		}
		return nil
	}, nil
}
