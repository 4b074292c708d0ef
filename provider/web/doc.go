// Package web is what people see: templates, texts in both languages, styles, scripts and the browser program, and the
// headers that keep a page safe. It decides nothing: which page is shown, with which data, is provider/authflow's; routes
// are provider's.
package web
