package markdown

import (
	"html"
	"strings"
)

// inline renders the words of one block: code, strong, emphasised, links. Within a link (bare) there is no other one.
func (r *renderer) inline(s string, bare bool) string {
	var b strings.Builder
	write(s, func(words, target string) {
		href, ok := "", false
		if !bare {
			href, ok = r.Link(target)
		}
		inner := r.inline(words, true)
		if !ok {
			b.WriteString(inner)
			return
		}
		b.WriteString(`<a href="` + html.EscapeString(href) + `">` + inner + "</a>")
	}, func(tag, words string) {
		if tag == "code" {
			b.WriteString(`<code translate="no">` + html.EscapeString(words) + "</code>")
			return
		}
		b.WriteString("<" + tag + ">" + r.inline(words, bare) + "</" + tag + ">")
	}, func(text string) { b.WriteString(html.EscapeString(text)) })
	return b.String()
}

// plain is the same words without any mark.
func plain(s string) string {
	var b strings.Builder
	write(s, func(words, _ string) { b.WriteString(plain(words)) }, func(tag, words string) {
		if tag == "code" {
			b.WriteString(words)
			return
		}
		b.WriteString(plain(words))
	}, func(text string) { b.WriteString(text) })
	return strings.TrimSpace(b.String())
}

// write finds what is marked in s and hands each piece, in order, to one of the three functions. What a mark gets is shorter
// than s, so that pieces within pieces come to an end.
func write(s string, link func(words, target string), marked func(tag, words string), text func(string)) {
	from := 0
	flush := func(to int) {
		if to > from {
			text(s[from:to])
		}
	}
	for i := 0; i < len(s); {
		rest := s[i:]
		switch {
		case rest[0] == '\\' && len(rest) > 1 && strings.ContainsRune("\\`*_[]()|#<>-.!", rune(rest[1])):
			flush(i)
			from, i = i+1, i+2
			continue
		case rest[0] == '`':
			ticks := len(rest) - len(strings.TrimLeft(rest, "`"))
			mark := rest[:ticks]
			if end := strings.Index(rest[ticks:], mark); end >= 0 {
				flush(i)
				marked("code", strings.TrimSpace(rest[ticks:ticks+end]))
				i += 2*ticks + end
				from = i
				continue
			}
		case strings.HasPrefix(rest, "**"):
			if end := strings.Index(rest[2:], "**"); end > 0 {
				flush(i)
				marked("strong", rest[2:2+end])
				i += end + 4
				from = i
				continue
			}
		case rest[0] == '*' && len(rest) > 2 && rest[1] != ' ' && rest[1] != '*':
			if end := strings.IndexByte(rest[1:], '*'); end > 0 && rest[end] != ' ' {
				flush(i)
				marked("em", rest[1:1+end])
				i += end + 2
				from = i
				continue
			}
		case rest[0] == '[':
			if words, target, n := linkAt(rest); n > 0 {
				flush(i)
				link(words, target)
				i += n
				from = i
				continue
			}
		}
		i++
	}
	flush(len(s))
}

// linkAt reads [words](target) at the beginning of s; n is its length, 0 if there is none.
func linkAt(s string) (words, target string, n int) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '[':
			depth++
		case ']':
			if depth--; depth > 0 {
				continue
			}
			rest := s[i+1:]
			end := strings.IndexByte(rest, ')')
			if !strings.HasPrefix(rest, "(") || end < 2 || strings.ContainsAny(rest[1:end], " \t<>\"'`") || i < 2 {
				return "", "", 0
			}
			return s[1:i], rest[1:end], i + 1 + end + 1
		}
	}
	return "", "", 0
}
