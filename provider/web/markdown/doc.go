// Package markdown renders the guides and the pages of help: headings, paragraphs, lists, tables, quotations, code, strong and
// emphasised words, links. It is a subset of CommonMark with tables, and nothing else passes: HTML in a file comes out as text,
// and there are no pictures. The files are ours and are read at start; the package still takes any text without panicking.
//
// It does not know which files there are, nor where a link may lead: that is provider/web.
package markdown
