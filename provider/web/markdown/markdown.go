package markdown

import (
	"cmp"
	"errors"
	"fmt"
	"html"
	"html/template"
	"regexp"
	"strings"
	"unicode"
)

// Limits of a file. The largest guide has some 20 KiB.
const (
	maxSize  = 256 << 10
	maxDepth = 6 // of lists in lists
)

// Errors of Render.
var (
	ErrTooBig   = errors.New("markdown: file is too large")
	ErrTitle    = errors.New("markdown: a file begins with one heading of level 1, and has no other")
	ErrHeading  = errors.New("markdown: a heading skips a level")
	ErrFence    = errors.New("markdown: a code block is not closed")
	ErrTooDeep  = errors.New("markdown: lists are too deep")
	ErrNotUTF8  = errors.New("markdown: not UTF-8, or a control character")
	ErrNoHeader = errors.New("markdown: a table without its second line")
)

// A Heading is one of level 2 to 4, for tables of contents.
type Heading struct {
	Level    int
	ID, Text string // ID is unique in the document
}

// A Document is a rendered file. HTML does not hold the title, which is the page's own heading.
type Document struct {
	Title    string
	Lead     string // the first paragraph, as plain text; "" if there is none
	Headings []Heading
	HTML     template.HTML
}

// Options say what Render cannot know.
type Options struct {
	// Link returns the address for the target of a link, ok being false for one that must not be followed: its words are then
	// shown without a link. Nil allows none.
	Link func(target string) (href string, ok bool)
	// Table names the n-th table, from 1, for those who cannot see it; nil numbers them.
	Table func(n int) string
}

// Render renders source. Its errors name what is wrong; a file with one must not be shown in part.
func Render(source string, o Options) (*Document, error) {
	if len(source) > maxSize {
		return nil, ErrTooBig
	}
	source = strings.ReplaceAll(strings.TrimPrefix(source, "\ufeff"), "\r\n", "\n")
	if strings.ContainsFunc(source, func(r rune) bool {
		return r >= unicode.ReplacementChar && r <= 0xffff || unicode.IsControl(r) && r != '\n' && r != '\t' // tabs are in code
	}) {
		return nil, ErrNotUTF8
	}
	if o.Link == nil {
		o.Link = func(string) (string, bool) { return "", false }
	}
	if o.Table == nil {
		o.Table = func(n int) string { return fmt.Sprint(n) }
	}
	lines := strings.Split(source, "\n")
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	title, ok := strings.CutPrefix(lines0(lines), "# ")
	if !ok || strings.TrimSpace(title) == "" {
		return nil, ErrTitle
	}
	r := &renderer{Options: o, ids: map[string]int{}, level: 1}
	d := &Document{Title: plain(title)}
	if err := r.blocks(lines[1:], 0); err != nil {
		return nil, err
	}
	d.Lead, d.Headings, d.HTML = r.lead, r.headings, template.HTML(r.out.String()) //nolint:gosec // written below, every text escaped
	return d, nil
}

func lines0(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[0]
}

type renderer struct {
	Options
	out      strings.Builder
	headings []Heading
	ids      map[string]int
	level    int // of the last heading
	tables   int
	lead     string
}

// blocks renders lines, depth lists deep.
func (r *renderer) blocks(lines []string, depth int) error {
	if depth > maxDepth {
		return ErrTooDeep
	}
	for len(lines) > 0 {
		line := lines[0]
		var n int
		var err error
		switch {
		case strings.TrimSpace(line) == "":
			n = 1
		case isFence(line):
			n, err = r.fence(lines)
		case headingLevel(line) > 0:
			n, err = 1, r.heading(line)
		case strings.HasPrefix(line, "|"):
			n, err = r.table(lines)
		case strings.HasPrefix(line, ">"):
			n, err = r.quote(lines, depth)
		case itemWidth(line) > 0:
			n, err = r.list(lines, depth)
		default:
			n = r.paragraph(lines)
		}
		if err != nil {
			return err
		}
		lines = lines[n:]
	}
	return nil
}

func isFence(line string) bool { return strings.HasPrefix(line, "```") }

// fence renders a block of code. Its language is not shown.
func (r *renderer) fence(lines []string) (int, error) {
	for n := 1; n < len(lines); n++ {
		if strings.TrimRight(lines[n], " ") == "```" {
			r.out.WriteString("<pre><code translate=\"no\">")
			r.out.WriteString(html.EscapeString(strings.Join(lines[1:n], "\n")))
			r.out.WriteString("</code></pre>\n")
			return n + 1, nil
		}
	}
	return 0, ErrFence
}

func headingLevel(line string) int {
	n := len(line) - len(strings.TrimLeft(line, "#"))
	if n < 1 || n > 4 || !strings.HasPrefix(line[n:], " ") || strings.TrimSpace(line[n:]) == "" {
		return 0
	}
	return n
}

func (r *renderer) heading(line string) error {
	n := headingLevel(line)
	switch {
	case n == 1:
		return ErrTitle
	case n > r.level+1:
		return fmt.Errorf("%w: %s", ErrHeading, line)
	}
	r.level = n
	words, named := strings.TrimSpace(line[n:]), ""
	if m := ownID.FindStringSubmatchIndex(words); m != nil {
		words, named = strings.TrimSpace(words[:m[0]]), words[m[2]:m[3]]
	}
	h := Heading{Level: n, Text: plain(words)}
	h.ID = r.id(cmp.Or(named, h.Text))
	r.headings = append(r.headings, h)
	fmt.Fprintf(&r.out, "<h%d id=\"%s\"><a class=\"anchor\" href=\"#%[2]s\">%s</a></h%[1]d>\n", n, h.ID, r.inline(words, true))
	return nil
}

// ownID is a name that a heading gives itself at its end, the same in every language: {#name}.
var ownID = regexp.MustCompile(` \{#([a-z][a-z0-9-]{0,40})\}$`)

// id makes a name for a heading: its letters and digits, small, with hyphens between words.
func (r *renderer) id(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	id := strings.Join(words, "-")
	if id == "" {
		id = "section"
	}
	for {
		r.ids[id]++
		n := r.ids[id]
		if n == 1 {
			return id
		}
		id = fmt.Sprintf("%s-%d", id, n)
	}
}

// paragraph renders lines up to a blank one or the beginning of another block.
func (r *renderer) paragraph(lines []string) int {
	n := paragraphEnd(lines)
	text := joined(lines[:n])
	if r.lead == "" && len(r.headings) == 0 {
		r.lead = plain(text)
	}
	r.out.WriteString("<p>" + r.inline(text, false) + "</p>\n")
	return n
}

func paragraphEnd(lines []string) int {
	n := 1
	for n < len(lines) && strings.TrimSpace(lines[n]) != "" && !isFence(lines[n]) && headingLevel(lines[n]) == 0 &&
		!strings.HasPrefix(lines[n], "|") && !strings.HasPrefix(lines[n], ">") && itemWidth(lines[n]) == 0 {
		n++
	}
	return n
}

func joined(lines []string) string {
	trimmed := make([]string, len(lines))
	for i, line := range lines {
		trimmed[i] = strings.TrimSpace(line)
	}
	return strings.Join(trimmed, " ")
}

// quote renders lines that begin with ">": a remark to the reader.
func (r *renderer) quote(lines []string, depth int) (int, error) {
	var inner []string
	n := 0
	for ; n < len(lines) && strings.HasPrefix(lines[n], ">"); n++ {
		inner = append(inner, strings.TrimPrefix(lines[n][1:], " "))
	}
	r.out.WriteString("<div class=\"note\">\n")
	err := r.blocks(inner, depth+1)
	r.out.WriteString("</div>\n")
	return n, err
}

// itemWidth returns how many octets the marker of a list item takes with the spaces after it, 0 for another line.
func itemWidth(line string) int {
	n := 0
	switch {
	case strings.HasPrefix(line, "*"), strings.HasPrefix(line, "-"):
		n = 1
	default:
		for n < len(line) && n < 3 && line[n] >= '0' && line[n] <= '9' {
			n++
		}
		if n == 0 || !strings.HasPrefix(line[n:], ".") {
			return 0
		}
		n++
	}
	spaces := len(line[n:]) - len(strings.TrimLeft(line[n:], " "))
	if spaces == 0 || n+spaces == len(line) {
		return 0
	}
	return n + min(spaces, 4)
}

func isOrdered(line string) bool { return line[0] >= '0' && line[0] <= '9' }

// list renders items of one kind. What belongs to an item is indented as its first line's text.
func (r *renderer) list(lines []string, depth int) (int, error) {
	ordered := isOrdered(lines[0])
	tag := "ul"
	if ordered {
		tag = "ol"
	}
	r.out.WriteString("<" + tag)
	if first, _, _ := strings.Cut(lines[0], "."); ordered && strings.TrimLeft(first, "0") != "1" {
		r.out.WriteString(" start=\"" + first + "\"")
	}
	r.out.WriteString(">\n")
	n := 0
	for n < len(lines) {
		if strings.TrimSpace(lines[n]) == "" && n+1 < len(lines) && itemWidth(lines[n+1]) > 0 && isOrdered(lines[n+1]) == ordered {
			n++
		}
		width := itemWidth(lines[n])
		if width == 0 || isOrdered(lines[n]) != ordered {
			break
		}
		used := itemEnd(lines[n:], width)
		if err := r.item(lines[n:n+used], width, depth); err != nil {
			return 0, err
		}
		n += used
	}
	r.out.WriteString("</" + tag + ">\n")
	return n, nil
}

// itemEnd returns how many of lines are of the item that the first one begins.
func itemEnd(lines []string, width int) int {
	n := 1
	for n < len(lines) {
		line := lines[n]
		switch {
		case strings.TrimSpace(line) == "":
			if n+1 == len(lines) || indent(lines[n+1]) < width {
				return n
			}
		case indent(line) >= min(width, 2):
		case itemWidth(line) > 0, isFence(line), headingLevel(line) > 0, strings.HasPrefix(line, "|"), strings.TrimSpace(lines[n-1]) == "":
			return n
		}
		n++
	}
	return n
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// item renders one item; without a blank line in it its text is no paragraph of its own.
func (r *renderer) item(lines []string, width, depth int) error {
	inner := []string{lines[0][width:]}
	loose := false
	for _, line := range lines[1:] {
		inner = append(inner, line[min(indent(line), width):])
		loose = loose || strings.TrimSpace(line) == ""
	}
	r.out.WriteString("<li>")
	if !loose && !isFence(inner[0]) && itemWidth(inner[0]) == 0 {
		n := paragraphEnd(inner)
		r.out.WriteString(r.inline(joined(inner[:n]), false))
		inner = inner[n:]
	}
	err := r.blocks(inner, depth+1)
	r.out.WriteString("</li>\n")
	return err
}

// table renders rows between "|"; the second line, of hyphens, divides the head from the body.
func (r *renderer) table(lines []string) (int, error) {
	n := 0
	for n < len(lines) && strings.HasPrefix(lines[n], "|") {
		n++
	}
	if n < 2 || strings.Trim(lines[1], "|-: ") != "" || !strings.Contains(lines[1], "-") {
		return 0, fmt.Errorf("%w: %s", ErrNoHeader, lines[0])
	}
	r.tables++
	// It can be wider than a telephone; then it scrolls by itself, from the keyboard too.
	fmt.Fprintf(&r.out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\"><table>\n<thead><tr>", html.EscapeString(r.Table(r.tables)))
	head := cells(lines[0])
	for _, c := range head {
		r.out.WriteString("<th scope=\"col\">" + r.inline(c, false) + "</th>")
	}
	r.out.WriteString("</tr></thead>\n<tbody>\n")
	for _, line := range lines[2:n] {
		r.out.WriteString("<tr>")
		row := cells(line)
		for i := range head {
			text := ""
			if i < len(row) {
				text = row[i]
			}
			r.out.WriteString("<td>" + r.inline(text, false) + "</td>")
		}
		r.out.WriteString("</tr>\n")
	}
	r.out.WriteString("</tbody></table></div>\n")
	return n, nil
}

// cells splits a row; "\\|" and a "|" in code do not divide.
func cells(line string) []string {
	line = strings.TrimRight(strings.TrimPrefix(line, "|"), " ")
	var list []string
	code, from := false, 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '`':
			code = !code
		case '|':
			if !code {
				list = append(list, strings.TrimSpace(line[from:i]))
				from = i + 1
			}
		}
	}
	if from < len(line) {
		list = append(list, strings.TrimSpace(line[from:]))
	}
	return list
}
