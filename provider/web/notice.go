package web

import (
	"net/url"
	"strings"
)

// A NoticePart is a paragraph of a personal-data notice, or a list.
type NoticePart struct {
	List  bool
	Lines []NoticeLine // of a paragraph one
}

// A NoticeLine is a paragraph, or an entry of a list.
type NoticeLine struct{ Spans []NoticeSpan }

// A NoticeSpan is text, or an address that is a link under its own name.
type NoticeSpan struct{ Text, Link string }

// ReadNotice reads the text of a notice by a grammar that has nothing else (threat T98): an empty line ends a paragraph, a line
// that begins with "- " is an entry of a list, and an https address is a link. Everything is text to the page, whatever it looks
// like.
func ReadNotice(text string) (parts []NoticePart) {
	var paragraph []string
	end := func() {
		if len(paragraph) != 0 {
			parts = append(parts, NoticePart{Lines: []NoticeLine{{spansOf(strings.Join(paragraph, " "))}}})
			paragraph = nil
		}
	}
	list := false // the last line was an entry
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		entry, ok := strings.CutPrefix(line, "- ")
		switch {
		case line == "":
			end()
		case ok:
			end()
			if !list {
				parts = append(parts, NoticePart{List: true})
			}
			p := &parts[len(parts)-1]
			p.Lines = append(p.Lines, NoticeLine{spansOf(strings.TrimSpace(entry))})
		default:
			paragraph = append(paragraph, line)
		}
		list = ok
	}
	end()
	return parts
}

// spansOf finds the addresses in a line.
func spansOf(line string) (spans []NoticeSpan) {
	const scheme = "https://"
	text := 0 // where the text begins that is no span yet
	for at := 0; at < len(line); {
		i := strings.Index(line[at:], scheme)
		if i < 0 {
			break
		}
		at += i
		end := at + len(scheme)
		for end < len(line) && addressByte(line[end]) {
			end++
		}
		address := strings.TrimRight(line[at:end], ".,;:!?)'")
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.User != nil {
			at = end
			continue
		}
		if text < at {
			spans = append(spans, NoticeSpan{Text: line[text:at]})
		}
		spans = append(spans, NoticeSpan{Text: address, Link: address})
		at += len(address)
		text = at
	}
	if text < len(line) {
		spans = append(spans, NoticeSpan{Text: line[text:]})
	}
	return spans
}

// addressByte reports whether b stands in addresses as people write them (RFC 3986, 2).
func addressByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("-._~:/?#[]@!$&'()*+,;=%", b) >= 0
}
