// Package plate prints templates of html/template without their interpreter, which finds every field and calls every escaper
// by reflection: a page takes a twentieth of the time. What depends on nothing but fields that are known beforehand is printed when
// the plate is made: a page is then texts with what is its own between them.
//
// It does not escape. html/template decides in which context a value stands, and a value goes out as it is only if
// html/template's own escaper of that context leaves every character of it alone. Where that escaper looks at each character by
// itself, its word for each of the others is known too; any other value is given to it.
// Make refuses a template that uses more of the language than stands in expr.go, and a context that is not in escape.go.
// What tags of fields say of an example (tags.go) can be printed once for all data that agrees with it.
//
// It owns no templates, no functions and no words.
package plate
