package plate

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// function is a call of a function: one of the language, or one of the set. If all arguments are known it is made now; should it
// fail, it is made again with every page, and the page fails.
func (m *maker) function(name string, args []expr) (expr, error) {
	whole := true
	for i := range args {
		if !args[i].whole() {
			whole = false
			continue
		}
		args[i] = constant(args[i].value)
	}
	x, err := m.uncalled(name, args)
	if err != nil || !whole || x.known {
		return x, err
	}
	if v, ok := x.now(); ok {
		return constant(v), nil
	}
	return x, nil
}

// now is what x gives without any data, ok only if it does.
func (x *expr) now() (v reflect.Value, ok bool) {
	v, err := x.get(&press{}, reflect.Value{})
	return v, err == nil
}

func (m *maker) uncalled(name string, args []expr) (expr, error) {
	switch name {
	case "and", "or":
		if len(args) == 0 {
			return expr{}, errUnknown
		}
		return either(args, name == "or"), nil
	case "not":
		if len(args) == 1 {
			if is, decided := args[0].decided(); decided {
				return constant(reflect.ValueOf(!is)), nil
			}
		}
	case "print":
		return printing(args), nil
	}
	if f, ok := builtins[name]; ok {
		return expr{get: apply(args, f)}, nil
	}
	switch f := m.funcs[name].(type) {
	case nil:
		return expr{}, fmt.Errorf("function %s: %w", name, errUnknown)
	// Those of nearly all calls, without reflection.
	case func(string) string:
		if len(args) == 1 {
			word := args[0].words()
			return writing(func(p *press, dot reflect.Value) (string, error) {
				s, err := word(p, dot)
				if err != nil {
					return "", err
				}
				return f(s), nil
			}), nil
		}
	case func(string) bool:
		if len(args) == 1 {
			word := args[0].words()
			return expr{get: func(p *press, dot reflect.Value) (reflect.Value, error) {
				s, err := word(p, dot)
				if err != nil {
					return reflect.Value{}, err
				}
				return reflect.ValueOf(f(s)), nil
			}}, nil
		}
	case func(string, ...string) (string, error):
		if len(args) > 0 {
			return writing(variadic(f, args)), nil
		}
	case func(time.Time) string:
		if len(args) == 1 {
			return writing(ofTime(f, args[0])), nil
		}
	default:
		return expr{get: apply(args, reflected(reflect.ValueOf(f)))}, nil
	}
	return expr{get: func(*press, reflect.Value) (reflect.Value, error) { return reflect.Value{}, errArguments }}, nil
}

// writing is what a function gives that gives a string.
func writing(f func(p *press, dot reflect.Value) (string, error)) expr {
	return expr{text: f, get: func(p *press, dot reflect.Value) (reflect.Value, error) {
		s, err := f(p, dot)
		return reflect.ValueOf(s), err
	}}
}

func variadic(f func(string, ...string) (string, error), args []expr) func(p *press, dot reflect.Value) (string, error) {
	first, more := args[0].words(), make([]func(*press, reflect.Value) (string, error), 0, len(args)-1)
	for i := range args[1:] {
		more = append(more, args[1+i].words())
	}
	return func(p *press, dot reflect.Value) (string, error) {
		s, err := first(p, dot)
		if err != nil {
			return "", err
		}
		if len(more) == 0 {
			return f(s)
		}
		rest := make([]string, 0, 4)
		for _, word := range more {
			s, err := word(p, dot)
			if err != nil {
				return "", err
			}
			rest = append(rest, s)
		}
		return f(s, rest...)
	}
}

func ofTime(f func(time.Time) string, arg expr) func(p *press, dot reflect.Value) (string, error) {
	return func(p *press, dot reflect.Value) (string, error) {
		v, err := arg.get(p, dot)
		if err != nil {
			return "", err
		}
		if v = open(v); !v.IsValid() {
			return "", errArguments
		}
		at, ok := v.Interface().(time.Time)
		if !ok {
			return "", errArguments
		}
		return f(at), nil
	}
}

// printing is the function print.
func printing(args []expr) expr {
	slow := apply(args, func(args []reflect.Value) (reflect.Value, error) { return printed(args), nil })
	if len(args) != 2 || !args[0].known || !isString(args[0].value) {
		return expr{get: slow}
	}
	// A prefix and a string, as keys of texts are made. Strings of named types print as they are too.
	prefix, get := args[0].value.String(), args[1].get
	return writing(func(p *press, dot reflect.Value) (string, error) {
		v, err := get(p, dot)
		if err != nil {
			return "", err
		}
		if v = open(v); isString(v) {
			return prefix + v.String(), nil
		}
		return printed([]reflect.Value{args[0].value, v}).String(), nil
	})
}

// either is the first argument that decides, or the last; what follows is not evaluated.
func either(args []expr, decides bool) expr {
	for len(args) > 1 {
		is, decided := args[0].decided()
		if !decided {
			break
		}
		if is == decides {
			return args[0]
		}
		args = args[1:]
	}
	if len(args) == 1 {
		return args[0]
	}
	return expr{get: func(p *press, dot reflect.Value) (v reflect.Value, err error) {
		for i := range args {
			if v, err = args[i].get(p, dot); err != nil || truth(v) == decides {
				break
			}
		}
		return v, err
	}}
}

// A function takes values that are no interfaces, and keeps no hold of the list of them.
type function func(args []reflect.Value) (reflect.Value, error)

func apply(args []expr, f function) func(p *press, dot reflect.Value) (reflect.Value, error) {
	return func(p *press, dot reflect.Value) (reflect.Value, error) {
		start := len(p.args)
		for i := range args {
			v, err := args[i].get(p, dot)
			if err != nil {
				return v, err
			}
			p.args = append(p.args, open(v))
		}
		v, err := f(p.args[start:])
		p.args = p.args[:start]
		return v, err
	}
}

var errArguments = errors.New("arguments do not fit the function")

// reflected calls any function, of one result or one and an error.
func reflected(f reflect.Value) function {
	t := f.Type()
	return func(args []reflect.Value) (reflect.Value, error) {
		if t.IsVariadic() || t.NumIn() != len(args) {
			return reflect.Value{}, errArguments
		}
		for i, v := range args {
			if !v.IsValid() || !v.Type().AssignableTo(t.In(i)) {
				return reflect.Value{}, errArguments
			}
		}
		out := f.Call(args)
		if len(out) == 2 && !out[1].IsNil() {
			return reflect.Value{}, out[1].Interface().(error) //nolint:forcetypeassert // text/template takes no other function
		}
		return out[0], nil
	}
}

// builtins are what templates use of text/template's own functions, for the kinds of values that they use them with.
var builtins = map[string]function{
	"not": func(args []reflect.Value) (reflect.Value, error) {
		if len(args) != 1 {
			return reflect.Value{}, errArguments
		}
		return reflect.ValueOf(!truth(args[0])), nil
	},
	"eq": func(args []reflect.Value) (reflect.Value, error) {
		if len(args) < 2 {
			return reflect.Value{}, errArguments
		}
		for _, v := range args[1:] {
			same, err := equal(args[0], v)
			if err != nil || same {
				return reflect.ValueOf(same), err
			}
		}
		return reflect.ValueOf(false), nil
	},
	"gt": func(args []reflect.Value) (reflect.Value, error) {
		if len(args) != 2 || !args[0].CanInt() || !args[1].CanInt() {
			return reflect.Value{}, errArguments
		}
		return reflect.ValueOf(args[0].Int() > args[1].Int()), nil
	},
	"len": func(args []reflect.Value) (reflect.Value, error) {
		if len(args) != 1 {
			return reflect.Value{}, errArguments
		}
		switch v := inner(args[0]); v.Kind() {
		case reflect.Slice, reflect.Array, reflect.String:
			return reflect.ValueOf(v.Len()), nil
		}
		return reflect.Value{}, errArguments
	},
	"index": func(args []reflect.Value) (reflect.Value, error) {
		if len(args) != 2 || args[0].Kind() != reflect.Slice && args[0].Kind() != reflect.Array || !args[1].CanInt() {
			return reflect.Value{}, errArguments
		}
		i := args[1].Int()
		if i < 0 || i >= int64(args[0].Len()) {
			return reflect.Value{}, errArguments
		}
		return args[0].Index(int(i)), nil
	},
}

// printed is what print makes of values that are no interfaces.
func printed(args []reflect.Value) reflect.Value {
	var b strings.Builder
	for _, v := range args {
		if !isString(v) {
			return sprint(args)
		}
		b.WriteString(v.String())
	}
	return reflect.ValueOf(b.String())
}

func sprint(args []reflect.Value) reflect.Value {
	list := make([]any, 0, len(args))
	for _, v := range args {
		if !v.IsValid() {
			list = append(list, nil)
			continue
		}
		list = append(list, v.Interface())
	}
	return reflect.ValueOf(fmt.Sprint(list...))
}

// equal compares strings, integers and truth values, each with its like.
func equal(a, b reflect.Value) (bool, error) {
	switch {
	case a.Kind() == reflect.String && b.Kind() == reflect.String:
		return a.String() == b.String(), nil
	case a.CanInt() && b.CanInt():
		return a.Int() == b.Int(), nil
	case a.Kind() == reflect.Bool && b.Kind() == reflect.Bool:
		return a.Bool() == b.Bool(), nil
	}
	return false, errArguments
}
