package web

import (
	"encoding/binary"

	"brama/provider/web/plate"
)

// maxFrames bounds the plates of frames that are kept, of which each is some kilobytes: twice as many at the most.
const maxFrames = 128

// A frame is what pages of one kind have in common: those of one step, portal and language. It is all that the tags of a view
// say, so that pages of one frame are printed by one plate; what is of a person or of a login is not in it (TestFrames).
type frame struct {
	page  *plate.Plate
	panel plate.Fixed // by its address, which stays taken as long as the frame is kept
	words string
}

// frames are the plates of frames that were used last. A portal that has another name has another frame, and the old one is
// dropped in time.
type frames struct{ recent[frame, *plate.Plate] }

// plate returns the plate of v's frame, made if it is not kept, or page itself for a page that has none.
func (f *frames) plate(page *plate.Plate, v *view) (*plate.Plate, error) {
	if v.Problem != nil || v.Portal == nil {
		return page, nil
	}
	var panel plate.Fixed
	var room [512]byte
	words := v.words(room[:0])
	switch d := v.Data.(type) {
	case Method:
		panel, _ = d.Panel.(plate.Fixed)
		words = d.words(words)
	case Confirm:
		words = d.words(words)
	default:
		return page, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	made := f.now[frame{page, panel, string(words)}]
	if made != nil {
		return made, nil
	}
	key := frame{page, panel, string(words)}
	if made = f.old[key]; made == nil {
		var err error
		if made, err = page.For(v); err != nil {
			return nil, err
		}
	}
	f.keep(key, made, maxFrames)
	return made, nil
}

// words appends what the tags say.
func (v *view) words(b []byte) []byte {
	b = appendWord(b, v.Title)
	b = appendBits(b, v.Create, v.Link, v.LongTabs, v.Heading != "", v.Account != "", v.Forget != "", v.Event != "", v.Self != "")
	b = appendBits(b, v.Longer != nil, v.Leave != "", v.Field != "")
	b = appendWord(appendWord(appendWord(appendWord(b, v.Portal.Name), v.Portal.Host), v.Portal.Institution), v.Portal.Logo)
	return appendTabs(b, v.Tabs)
}

func (m *Method) words(b []byte) []byte {
	b = appendTabs(appendWord(appendWord(b, m.Method), m.Label), m.Entries)
	return appendBits(b, m.Asked, m.Search != "", m.Upload != "", m.Back != "", m.Download != "", m.Failed != "", m.Poll != "")
}

func (c *Confirm) words(b []byte) []byte {
	b = appendBits(b, c.Session, c.Consent, c.ConsentWrong, c.RNOKPP != "", c.UNZR != "", c.BirthDate != "", c.Email != "", c.ExpiresInDays != 0)
	b = appendBits(b, c.NoticeLang != "", c.NotAfter != "", c.CheckedAt != "", c.Alone)
	b = appendWord(appendWord(appendWord(appendWord(b, c.Method), c.Purpose), c.Version), c.Policy)
	return appendWords(appendWords(b, c.Gets), c.GetsInRole)
}

func appendWord(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendWords(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendWord(b, s)
	}
	return b
}

func appendTabs(b []byte, list []Tab) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for i := range list {
		t := &list[i]
		b = appendBits(appendWord(appendWord(b, t.Method), t.Label), t.Active, t.Down)
	}
	return b
}

// appendBits appends up to eight truth values as one byte.
func appendBits(b []byte, bits ...bool) []byte {
	var n byte
	for i, is := range bits {
		if is {
			n |= 1 << i
		}
	}
	return append(b, n)
}
