package plate

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// call is a call of a function: one of the language, or one of the set.
func (m *maker) call(name string, args []expr) (expr, error) {
	switch name {
	case "and", "or":
		if len(args) == 0 {
			return nil, errUnknown
		}
		return either(args, name == "or"), nil
	}
	if f, ok := builtins[name]; ok {
		return apply(args, f), nil
	}
	switch f := m.funcs[name].(type) {
	case nil:
		return nil, fmt.Errorf("function %s: %w", name, errUnknown)
	// Those of nearly all calls, without reflection.
	case func(string) string:
		return apply(args, words(1, 1, func(s []string) (any, error) { return f(s[0]), nil })), nil
	case func(string) bool:
		return apply(args, words(1, 1, func(s []string) (any, error) { return f(s[0]), nil })), nil
	case func(string, ...string) (string, error):
		return apply(args, words(1, len(args), func(s []string) (any, error) { return f(s[0], s[1:]...) })), nil
	default:
		return apply(args, reflected(reflect.ValueOf(f))), nil
	}
}

// either is the first argument that decides, or the last; what follows is not evaluated.
func either(args []expr, decides bool) expr {
	return func(p *press, dot reflect.Value) (v reflect.Value, err error) {
		for _, x := range args {
			if v, err = x(p, dot); err != nil || truth(v) == decides {
				break
			}
		}
		return v, err
	}
}

// A function takes values that are no interfaces, and keeps no hold of the list of them.
type function func(args []reflect.Value) (reflect.Value, error)

func apply(args []expr, f function) expr {
	return func(p *press, dot reflect.Value) (reflect.Value, error) {
		start := len(p.args)
		for _, x := range args {
			v, err := x(p, dot)
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

// words calls a function of strings.
func words(least, most int, f func([]string) (any, error)) function {
	return func(args []reflect.Value) (reflect.Value, error) {
		if len(args) < least || len(args) > most {
			return reflect.Value{}, errArguments
		}
		var room [4]string
		list := room[:0]
		for _, v := range args {
			if v.Kind() != reflect.String || v.Type() != reflect.TypeFor[string]() {
				return reflect.Value{}, errArguments
			}
			list = append(list, v.String())
		}
		result, err := f(list)
		return reflect.ValueOf(result), err
	}
}

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
	"print": func(args []reflect.Value) (reflect.Value, error) {
		var b strings.Builder
		for _, v := range args {
			if v.Kind() != reflect.String {
				return printed(args), nil
			}
			b.WriteString(v.String())
		}
		return reflect.ValueOf(b.String()), nil
	},
}

func printed(args []reflect.Value) reflect.Value {
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
