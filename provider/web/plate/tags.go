package plate

import (
	"errors"
	"reflect"
)

// What For takes from its example is said by tags of fields, `plate:"…"`. A field without a tag is printed anew with every page:
// whoever adds one need not think of this.
const (
	tagEarly   = "early"   // the value; of a struct in it, what the tags of its own fields say
	tagPresent = "present" // whether it is empty
	tagFixed   = "fixed"   // everything, if it is a Fixed; else nothing
)

// A Fixed never changes, nor does anything that it points to: two of them with one address are the same.
type Fixed interface{ Fixed() }

// seen is a copy of v with nothing but what its tags say: whoever keeps a plate keeps nothing else of its example.
func seen(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.Set(reflect.New(v.Type().Elem()))
			c.Elem().Set(seen(v.Elem()))
		}
	case reflect.Interface:
		if !v.IsNil() {
			c.Set(seen(v.Elem()))
		}
	case reflect.Slice:
		c.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			c.Index(i).Set(seen(v.Index(i)))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Field(i)
			switch v.Type().Field(i).Tag.Get("plate") {
			case tagEarly:
				c.Field(i).Set(seen(field))
			case tagFixed:
				if isFixed(open(field)) {
					c.Field(i).Set(field)
				}
			case tagPresent:
				if truth(field) {
					c.Field(i).Set(something(field.Type()))
				}
			}
		}
	case reflect.String, reflect.Bool, reflect.Int:
		c.Set(v)
	}
	return c
}

// something is a value of type t that is not empty.
func something(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.String:
		v.SetString("-")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(1)
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(t, 1, 1))
	default:
		panic("plate: internal error: a field of type " + t.String() + " cannot be present")
	}
	return v
}

func isFixed(v reflect.Value) bool {
	if !v.IsValid() {
		return false
	}
	_, is := v.Interface().(Fixed)
	return is
}

// rootOf is the data; example may be nil.
func rootOf(example any) expr {
	x := expr{get: func(p *press, _ reflect.Value) (reflect.Value, error) { return p.root, nil }, rooted: true, root: true}
	if example != nil {
		x.known, x.value, x.tags = true, seen(inner(reflect.ValueOf(example))), true
	}
	return x
}

// tagged is the field of x called name, which get gets.
func tagged(x expr, name string, get func(*press, reflect.Value) (reflect.Value, error)) expr {
	late := expr{get: get, rooted: x.rooted}
	v := inner(x.value)
	if v.Kind() != reflect.Struct {
		return late // it is nil, or has no fields: printing says so
	}
	f, ok := v.Type().FieldByName(name)
	if !ok || len(f.Index) != 1 || !f.IsExported() {
		return late
	}
	value := v.Field(f.Index[0])
	switch f.Tag.Get("plate") {
	case tagEarly:
		late.known, late.value, late.tags = true, value, true
	case tagFixed:
		if value = open(value); isFixed(value) {
			return constant(value)
		}
	case tagPresent:
		is := truth(value)
		late.truth = &is
	}
	return late
}

var errShorter = errors.New("list is shorter than that of the example")

// element is the i-th element v of the list x.
func (x *expr) element(i int, v reflect.Value) expr {
	if !x.tags {
		return constant(v)
	}
	get := x.get
	return expr{known: true, value: v, tags: true, rooted: x.rooted, get: func(p *press, dot reflect.Value) (reflect.Value, error) {
		v, err := get(p, dot)
		if err != nil {
			return v, err
		}
		if v = inner(v); isList(v) != nil || v.Len() <= i {
			return reflect.Value{}, errShorter
		}
		return v.Index(i), nil
	}}
}
