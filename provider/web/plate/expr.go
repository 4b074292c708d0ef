package plate

import (
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"text/template/parse"
	"unique"
)

// errUnknown says that a template uses more of the language than there is here.
var errUnknown = errors.New("not part of the language that a plate knows")

// An expr is a value in a template. The zero Value is nil.
type expr func(p *press, dot reflect.Value) (reflect.Value, error)

func none(*press, reflect.Value) (reflect.Value, error) { return reflect.Value{}, nil }

func constant(v any) expr {
	value := reflect.ValueOf(v)
	return func(*press, reflect.Value) (reflect.Value, error) { return value, nil }
}

// pipe is the value of a pipeline that declares nothing.
func (m *maker) pipe(n *parse.PipeNode) (expr, error) {
	if len(n.Decl) != 0 {
		return nil, errUnknown
	}
	return m.expr(n)
}

// expr is the value of a pipeline of one command.
func (m *maker) expr(n *parse.PipeNode) (expr, error) {
	if len(n.Cmds) != 1 {
		return nil, errUnknown
	}
	return m.command(n.Cmds[0])
}

func (m *maker) command(c *parse.CommandNode) (expr, error) {
	name, ok := c.Args[0].(*parse.IdentifierNode)
	if !ok {
		if len(c.Args) != 1 {
			return nil, errUnknown
		}
		return m.operand(c.Args[0])
	}
	args := make([]expr, 0, len(c.Args)-1)
	for _, a := range c.Args[1:] {
		x, err := m.operand(a)
		if err != nil {
			return nil, err
		}
		args = append(args, x)
	}
	return m.call(name.Ident, args)
}

func (m *maker) operand(n parse.Node) (expr, error) {
	switch n := n.(type) {
	case *parse.DotNode:
		return func(_ *press, dot reflect.Value) (reflect.Value, error) { return dot, nil }, nil
	case *parse.FieldNode:
		return fields(n.Ident, func(_ *press, dot reflect.Value) (reflect.Value, error) { return dot, nil }), nil
	case *parse.VariableNode:
		for slot := len(m.scope) - 1; slot >= 0; slot-- {
			if m.scope[slot] == n.Ident[0] {
				return fields(n.Ident[1:], func(p *press, _ reflect.Value) (reflect.Value, error) { return p.vars[p.base+slot], nil }), nil
			}
		}
	case *parse.StringNode:
		return constant(kept(n.Text)), nil
	case *parse.BoolNode:
		return constant(n.True), nil
	case *parse.NumberNode:
		if n.IsInt {
			return constant(int(n.Int64)), nil
		}
	case *parse.PipeNode:
		return m.pipe(n)
	case *parse.IdentifierNode:
		return m.call(n.Ident, nil)
	}
	return nil, errUnknown
}

// A place is where a field of a type is.
type place struct {
	of    reflect.Type
	index int
}

// kept is s as a plate keeps it: alone, where the parser's is a part of the whole file, and once, for pages share a layout.
func kept(s string) string { return unique.Make(s).Value() }

// fields is what x has by a chain of names.
func fields(names []string, x expr) expr {
	for _, name := range names {
		x = field(kept(name), x)
	}
	return x
}

// field is the field of a struct called name. A template sees one type in one place nearly always, so the last is kept.
func field(name string, x expr) expr {
	var last atomic.Pointer[place]
	return func(p *press, dot reflect.Value) (reflect.Value, error) {
		v, err := x(p, dot)
		if err != nil {
			return v, err
		}
		if v = inner(v); !v.IsValid() {
			return v, fmt.Errorf("%s of nil", name)
		}
		at := last.Load()
		if at == nil || at.of != v.Type() {
			if v.Kind() != reflect.Struct {
				return v, fmt.Errorf("%s of %s", name, v.Type())
			}
			f, ok := v.Type().FieldByName(name)
			if !ok || len(f.Index) != 1 || !f.IsExported() {
				// The one method that templates call.
				if z, is := v.Interface().(interface{ IsZero() bool }); is && name == "IsZero" {
					return reflect.ValueOf(z.IsZero()), nil
				}
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
