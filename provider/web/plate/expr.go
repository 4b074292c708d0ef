package plate

import (
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"text/template/parse"
	"time"
	"unique"
)

// errUnknown says that a template uses more of the language than there is here.
var errUnknown = errors.New("not part of the language that a plate knows")

// An expr is a value in a template.
type expr struct {
	get    func(p *press, dot reflect.Value) (reflect.Value, error) // the zero Value is nil
	text   func(p *press, dot reflect.Value) (string, error)        // the same, of what is always a string; may be nil
	rooted bool                                                     // get goes by fields from the data, whatever dot is
	root   bool                                                     // it is the data

	known bool          // what it is
	value reflect.Value // if known
	tags  bool          // of the structs in value no more is known than their tags say
	truth *bool         // its truth, if that is known and value is not
}

func constant(v reflect.Value) expr {
	return expr{known: true, value: v, get: func(*press, reflect.Value) (reflect.Value, error) { return v, nil }}
}

// here is dot where nothing is known of it.
var here = expr{get: func(_ *press, dot reflect.Value) (reflect.Value, error) { return dot, nil }}

// anywhere reports whether get gives the same with every dot.
func (x *expr) anywhere() bool { return x.known || x.rooted }

// whole reports whether all of x is known.
func (x *expr) whole() bool {
	if !x.known || !x.tags {
		return x.known
	}
	switch open(x.value).Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Invalid:
		return true
	}
	return false
}

// decided reports whether the truth of x is known, and what it is.
func (x *expr) decided() (is, decided bool) {
	switch {
	case x.known:
		return truth(x.value), true
	case x.truth != nil:
		return *x.truth, true
	}
	return false, false
}

// words is the value of x as a string.
func (x *expr) words() func(p *press, dot reflect.Value) (string, error) {
	if x.text != nil {
		return x.text
	}
	get := x.get
	return func(p *press, dot reflect.Value) (string, error) {
		v, err := get(p, dot)
		if err != nil {
			return "", err
		}
		if v = open(v); !isString(v) {
			return "", errArguments
		}
		return v.String(), nil
	}
}

// isString reports whether v is a string, and not of a type that is one.
func isString(v reflect.Value) bool {
	return v.Kind() == reflect.String && v.Type() == reflect.TypeFor[string]()
}

// pipe is the value of a pipeline that declares nothing.
func (m *maker) pipe(n *parse.PipeNode) (expr, error) {
	if len(n.Decl) != 0 {
		return expr{}, errUnknown
	}
	return m.expr(n)
}

// expr is the value of a pipeline of one command.
func (m *maker) expr(n *parse.PipeNode) (expr, error) {
	if len(n.Cmds) != 1 {
		return expr{}, errUnknown
	}
	return m.command(n.Cmds[0])
}

func (m *maker) command(c *parse.CommandNode) (expr, error) {
	name, ok := c.Args[0].(*parse.IdentifierNode)
	if !ok {
		if len(c.Args) != 1 {
			return expr{}, errUnknown
		}
		return m.operand(c.Args[0])
	}
	args := make([]expr, 0, len(c.Args)-1)
	for _, a := range c.Args[1:] {
		x, err := m.operand(a)
		if err != nil {
			return expr{}, err
		}
		args = append(args, x)
	}
	return m.function(name.Ident, args)
}

func (m *maker) operand(n parse.Node) (expr, error) {
	switch n := n.(type) {
	case *parse.DotNode:
		return m.dot, nil
	case *parse.FieldNode:
		return m.fields(n.Ident, m.dot), nil
	case *parse.VariableNode:
		for i := len(m.scope) - 1; i >= 0; i-- {
			if v := m.scope[i]; v.name == n.Ident[0] {
				return m.fields(n.Ident[1:], v.value), nil
			}
		}
	case *parse.StringNode:
		return constant(reflect.ValueOf(kept(n.Text))), nil
	case *parse.BoolNode:
		return constant(reflect.ValueOf(n.True)), nil
	case *parse.NumberNode:
		if n.IsInt {
			return constant(reflect.ValueOf(int(n.Int64))), nil
		}
	case *parse.PipeNode:
		return m.pipe(n)
	case *parse.IdentifierNode:
		return m.function(n.Ident, nil)
	}
	return expr{}, errUnknown
}

// A place is where a field of a type is.
type place struct {
	of    reflect.Type
	index int
}

// kept is s as a plate keeps it: alone, where the parser's is a part of the whole file, and once, for pages share a layout.
func kept(s string) string { return unique.Make(s).Value() }

// fields is what x has by a chain of names.
func (m *maker) fields(names []string, x expr) expr {
	for _, name := range names {
		value, ok := m.known[name]
		get := field(kept(name), x.get)
		switch {
		case x.root && ok:
			x = constant(reflect.ValueOf(value))
		case x.known && x.tags:
			x = tagged(x, name, get)
		case x.known:
			v, err := get(nil, reflect.Value{})
			if err != nil {
				x = expr{get: get, rooted: true} // the page fails, if it comes there
				break
			}
			x = constant(v)
		default:
			x = expr{get: get, rooted: x.rooted}
		}
	}
	return x
}

// field is the field of a struct called name. A template sees one type in one place nearly always, so the last is kept.
func field(name string, x func(*press, reflect.Value) (reflect.Value, error)) func(*press, reflect.Value) (reflect.Value, error) {
	var last atomic.Pointer[place]
	isZero := name == "IsZero" // the one method that templates call
	return func(p *press, dot reflect.Value) (reflect.Value, error) {
		v, err := x(p, dot)
		if err != nil {
			return v, err
		}
		if v = inner(v); !v.IsValid() {
			return v, fmt.Errorf("%s of nil", name)
		}
		if isZero && v.Type() == reflect.TypeFor[time.Time]() {
			at, ok := v.Interface().(time.Time)
			return reflect.ValueOf(ok && at.IsZero()), nil
		}
		at := last.Load()
		if at == nil || at.of != v.Type() {
			if v.Kind() != reflect.Struct {
				return v, fmt.Errorf("%s of %s", name, v.Type())
			}
			f, ok := v.Type().FieldByName(name)
			if !ok || len(f.Index) != 1 || !f.IsExported() {
				return v, fmt.Errorf("no field %s of its own in %s", name, v.Type())
			}
			at = &place{of: v.Type(), index: f.Index[0]}
			last.Store(at)
		}
		return v.Field(at.index), nil
	}
}

// inner is what is behind interfaces and pointers, the zero Value for nil.
func inner(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v
}

// open is what is in an interface.
func open(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v
}

// truth is that of text/template.
func truth(v reflect.Value) bool {
	switch v = open(v); v.Kind() {
	case reflect.Invalid:
		return false
	case reflect.Bool:
		return v.Bool()
	case reflect.Slice, reflect.Map, reflect.Array, reflect.String:
		return v.Len() > 0
	case reflect.Pointer, reflect.Func, reflect.Chan:
		return !v.IsNil()
	case reflect.Struct:
		return true
	default:
		return !v.IsZero()
	}
}
