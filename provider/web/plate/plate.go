package plate

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"maps"
	"reflect"
	"slices"
	"sync"
	"text/template/parse"
)

// A Plate is a template with all that it calls. Safe for concurrent use.
type Plate struct {
	set   set
	steps []step
	room  sync.Pool // of *press
}

// A set is what plates are made of: templates by name, and what is known of all data.
type set struct {
	main  string
	trees map[string]*parse.ListNode
	funcs template.FuncMap
	known map[string]any
}

// A step prints a part of a template.
type step func(p *press, dot reflect.Value) error

// A press is one printing.
type press struct {
	out  *bytes.Buffer
	root reflect.Value
	vars []reflect.Value // by slot
	args []reflect.Value // of all calls that are being made, one behind another
}

// Make returns the Plate of t, with the functions that t was parsed with: what they give for the same arguments is always the
// same. known are fields of the data, by name, whose values are always these: what depends on nothing else is printed now. It is
// the last that is done with t, and nothing is printed from it any more.
func Make(t *template.Template, funcs template.FuncMap, known map[string]any) (*Plate, error) {
	// The first use of a template is when html/template writes its escapers into it. What it then says about nil is no matter.
	var bad *template.Error
	if err := t.Execute(io.Discard, nil); errors.As(err, &bad) {
		return nil, fmt.Errorf("plate: %w", err)
	}
	all := set{main: t.Name(), trees: map[string]*parse.ListNode{}, funcs: funcs, known: known}
	for _, x := range t.Templates() {
		if x.Tree != nil {
			all.trees[x.Name()] = x.Tree.Root
		}
	}
	p, err := all.plate(nil)
	if err == nil {
		p.set = all
	}
	return p, err
}

// For returns a plate of the same template for data of which more is known: that it agrees with example in what the tags of its
// fields say (see tags.go). What is printed of other data is wrong. After Final it is p itself.
func (p *Plate) For(example any) (*Plate, error) {
	if p.set.trees == nil {
		return p, nil
	}
	return p.set.plate(example)
}

// Final gives back the memory that only For needs.
func (p *Plate) Final() { p.set = set{} }

// plate makes a plate; example may be nil.
func (s set) plate(example any) (*Plate, error) {
	m := &maker{set: s, called: map[string]bool{}, dot: rootOf(example)}
	var l list
	if err := m.template(&l, s.main, m.dot); err != nil {
		return nil, fmt.Errorf("plate: %w", err)
	}
	if example == nil {
		maps.DeleteFunc(s.trees, func(name string, _ *parse.ListNode) bool { return !m.called[name] })
	}
	plate, slots := &Plate{steps: l.done()}, m.most
	plate.room.New = func() any { return &press{vars: make([]reflect.Value, slots)} }
	return plate, nil
}

// Execute appends to out what the template makes of data: byte for byte what html/template would, which also fails where this
// does. After an error out holds a part.
func (p *Plate) Execute(out *bytes.Buffer, data any) error {
	run := p.room.Get().(*press) //nolint:forcetypeassert // nothing else is put there
	run.out, run.root = out, inner(reflect.ValueOf(data))
	err := steps(p.steps, run, run.root)
	// It held a person's data.
	clear(run.vars)
	clear(run.args[:cap(run.args)])
	run.out, run.root, run.args = nil, reflect.Value{}, run.args[:0]
	p.room.Put(run)
	if err != nil {
		return fmt.Errorf("plate: %w", err)
	}
	return nil
}

func steps(list []step, p *press, dot reflect.Value) error {
	for _, s := range list {
		if err := s(p, dot); err != nil {
			return err
		}
	}
	return nil
}

// A list is steps that are being made. What is known is one text up to the next step.
type list struct {
	steps []step
	text  bytes.Buffer
}

func (l *list) add(s step) {
	l.end()
	l.steps = append(l.steps, s)
}

func (l *list) end() {
	if l.text.Len() == 0 {
		return
	}
	text := kept(l.text.String())
	l.text.Reset()
	l.steps = append(l.steps, func(p *press, _ reflect.Value) error { p.out.WriteString(text); return nil })
}

func (l *list) done() []step {
	l.end()
	return slices.Clip(l.steps)
}

// A variable is an expr, or it stands in a slot.
type variable struct {
	name  string
	value expr
}

// A maker makes a plate of a set of templates.
type maker struct {
	set
	scope []variable // that are seen, the innermost last
	dot   expr
	slots int      // that are taken
	most  int      // that were
	open  []string // templates, the innermost last

	called map[string]bool // templates
}

// template appends the template called name, printed with dot. A template that html/template has made another of, for another
// context than that of text, is not found. One that calls itself has no end here.
func (m *maker) template(l *list, name string, dot expr) error {
	t := m.trees[name]
	if t == nil {
		return fmt.Errorf("no template %q", name)
	}
	if slices.Contains(m.open, name) {
		return fmt.Errorf("template %q calls itself: %w", name, errUnknown)
	}
	outer := *m
	m.open, m.called[name] = append(m.open, name), true
	m.scope, m.dot = nil, dot
	m.declare(l, "$", dot)
	err := m.list(l, t)
	m.scope, m.dot, m.open, m.slots = outer.scope, outer.dot, outer.open, outer.slots
	if err != nil {
		return fmt.Errorf("template %q: %w", name, err)
	}
	return nil
}

// declare makes a variable. Its value goes into a slot if it cannot be had again where the variable is used.
func (m *maker) declare(l *list, name string, value expr) {
	if value.anywhere() {
		m.scope = append(m.scope, variable{name, value})
		return
	}
	slot, get := m.slot(name), value.get
	l.add(func(p *press, dot reflect.Value) error {
		v, err := get(p, dot)
		p.vars[slot] = v
		return err
	})
}

// slot makes a variable in a slot.
func (m *maker) slot(name string) int {
	slot := m.slots
	m.slots++
	m.most = max(m.most, m.slots)
	m.scope = append(m.scope, variable{name, expr{get: func(p *press, _ reflect.Value) (reflect.Value, error) { return p.vars[slot], nil }}})
	return slot
}

// list appends the steps of n; its variables end with it.
func (m *maker) list(l *list, n *parse.ListNode) error {
	if n == nil {
		return nil
	}
	scope, slots := len(m.scope), m.slots
	defer func() { m.scope, m.slots = m.scope[:scope], slots }()
	for _, n := range n.Nodes {
		if err := m.node(l, n); err != nil {
			return err
		}
	}
	return nil
}

// apart returns the steps of n with another dot.
func (m *maker) apart(n *parse.ListNode, dot expr) ([]step, error) {
	outer := m.dot
	m.dot = dot
	var l list
	err := m.list(&l, n)
	m.dot = outer
	return l.done(), err
}

// within appends the steps of n with a dot that is seen.
func (m *maker) within(l *list, n *parse.ListNode, dot expr) error {
	outer := m.dot
	m.dot = dot
	err := m.list(l, n)
	m.dot = outer
	return err
}

func (m *maker) node(l *list, n parse.Node) error {
	switch n := n.(type) {
	case *parse.TextNode:
		l.text.Write(n.Text)
		return nil
	case *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		if err := m.action(l, n.Pipe); err != nil {
			return fmt.Errorf("%s: %w", n, err)
		}
		return nil
	case *parse.IfNode:
		return m.choice(l, &n.BranchNode, false)
	case *parse.WithNode:
		return m.choice(l, &n.BranchNode, true)
	case *parse.RangeNode:
		return m.loop(l, &n.BranchNode)
	case *parse.TemplateNode:
		return m.call(l, n)
	}
	return fmt.Errorf("%s: %w", n, errUnknown)
}

// call appends the template that n calls.
func (m *maker) call(l *list, n *parse.TemplateNode) error {
	data := constant(reflect.Value{})
	if n.Pipe != nil {
		var err error
		if data, err = m.pipe(n.Pipe); err != nil {
			return err
		}
	}
	if data.anywhere() {
		return m.template(l, n.Name, data)
	}
	var in list
	if err := m.template(&in, n.Name, here); err != nil {
		return err
	}
	list := in.done()
	l.add(func(p *press, dot reflect.Value) error {
		v, err := data.get(p, dot)
		if err != nil {
			return err
		}
		return steps(list, p, v)
	})
	return nil
}

func (m *maker) choice(l *list, n *parse.BranchNode, with bool) error {
	if len(n.Pipe.Decl) != 0 {
		return errUnknown
	}
	value, err := m.pipe(n.Pipe)
	if err != nil {
		return fmt.Errorf("%s: %w", n.Pipe, err)
	}
	inside := m.dot
	if with {
		inside = value
	}
	if is, decided := value.decided(); decided {
		switch {
		case !is:
			return m.list(l, n.ElseList)
		case !with || value.anywhere():
			return m.within(l, n.List, inside)
		}
	}
	if with {
		inside = here
	}
	yes, err := m.apart(n.List, inside)
	if err != nil {
		return err
	}
	no, err := m.apart(n.ElseList, m.dot)
	if err != nil {
		return err
	}
	l.add(func(p *press, dot reflect.Value) error {
		v, err := value.get(p, dot)
		switch {
		case err != nil:
			return err
		case !truth(v):
			return steps(no, p, dot)
		case with:
			return steps(yes, p, v)
		}
		return steps(yes, p, dot)
	})
	return nil
}

func (m *maker) loop(l *list, n *parse.BranchNode) error {
	if n.Pipe.IsAssign || len(n.Pipe.Decl) > 2 {
		return errUnknown
	}
	value, err := m.expr(n.Pipe)
	if err != nil {
		return fmt.Errorf("%s: %w", n.Pipe, err)
	}
	if value.known {
		return m.unrolled(l, n, value)
	}
	scope, slots := len(m.scope), m.slots
	index, element := -1, -1
	if decl := n.Pipe.Decl; len(decl) > 0 {
		if len(decl) == 2 {
			index = m.slot(decl[0].Ident[0])
		}
		element = m.slot(decl[len(decl)-1].Ident[0])
	}
	each, err := m.apart(n.List, here)
	m.scope, m.slots = m.scope[:scope], slots
	if err != nil {
		return err
	}
	no, err := m.apart(n.ElseList, m.dot)
	if err != nil {
		return err
	}
	l.add(func(p *press, dot reflect.Value) error {
		list, err := value.get(p, dot)
		if err != nil {
			return err
		}
		if list = inner(list); !list.IsValid() {
			return steps(no, p, dot)
		}
		if err := isList(list); err != nil {
			return err
		}
		if list.Len() == 0 {
			return steps(no, p, dot)
		}
		for i := range list.Len() {
			v := list.Index(i)
			if index >= 0 {
				p.vars[index] = reflect.ValueOf(i)
			}
			if element >= 0 {
				p.vars[element] = v
			}
			if err := steps(each, p, v); err != nil {
				return err
			}
		}
		return nil
	})
	return nil
}

// unrolled appends what n makes of each element of a list that is known.
func (m *maker) unrolled(l *list, n *parse.BranchNode, value expr) error {
	values := inner(value.value)
	if !values.IsValid() {
		return m.list(l, n.ElseList)
	}
	if err := isList(values); err != nil {
		return err
	}
	if values.Len() == 0 {
		return m.list(l, n.ElseList)
	}
	for i := range values.Len() {
		element := value.element(i, values.Index(i))
		scope := len(m.scope)
		if decl := n.Pipe.Decl; len(decl) > 0 {
			if len(decl) == 2 {
				m.declare(l, decl[0].Ident[0], constant(reflect.ValueOf(i)))
			}
			m.declare(l, decl[len(decl)-1].Ident[0], element)
		}
		err := m.within(l, n.List, element)
		m.scope = m.scope[:scope]
		if err != nil {
			return err
		}
	}
	return nil
}

func isList(v reflect.Value) error {
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		return fmt.Errorf("range over %s", v.Type())
	}
	return nil
}
