package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"brama/internal/disk"
	"brama/storage"
)

// A journal is what makes an Update durable: its writes go to the end of one file by one write and one sync, where a commit
// of the tree costs two syncs and a dozen pages. From time to time everything that gathered goes into the tree in one
// commit, together with the number of the last frame that is in it, and the journal begins anew at the start of its file.
//
// A frame, numbers big endian:
//
//	length of payload (4 bytes) ‖ CRC-32C of the rest (4) ‖ number of the frame (8) ‖ number of the last frame that was on the
//	disk when it was written (8) ‖ payload
//
// Frames are numbered without a gap over the life of the store, so what is left of an earlier round behind the newest frame
// is never taken for its successor. A frame that does not check is the end: a crash tore it, and nobody was told that it is on
// the disk. But if a frame behind it says that it was, then it has been damaged since, and that is an error.
//
// Payload: for each write 1, kind, id, value (see layout for both) for a put, or 2, kind, id for a removal; each of them
// behind its length as uvarint.
type journal struct {
	file   *os.File
	end    int64  // where the next frame goes
	number uint64 // of the last frame
	synced uint64 // of the last frame that is on the disk
	buf    []byte // of the frame that is being made
	id     []byte // that was added last
}

const (
	frameHeader = 24
	// maxFrame bounds what is believed of a length: a batch of functions with a few records each are far below.
	maxFrame = 1 << 30
	// journalSize is how much gathers before it goes into the tree: about a hundred sign-ins, of which what came and went meanwhile
	// never gets there. A larger one saves a little more; what it costs in memory, for what gathers and for the pages of one
	// commit, grows with it, and so does the time for which that commit holds up the writers.
	journalSize = 512 << 10

	opPut    = 1
	opRemove = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A change is one write of a frame.
type change struct {
	record storage.Record // for a removal its kind and id
	remove bool
}

// openJournal opens the journal, or makes it, and returns what stands in it behind the frame applied, which is the last one
// that the tree has.
func openJournal(path string, applied uint64) (*journal, []change, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, nil, fmt.Errorf("boltstore: opening the journal: %w", err)
	}
	j := &journal{file: file, number: applied}
	changes, err := j.read()
	if err == nil {
		err = errors.Join(file.Chmod(fileMode), disk.SyncDir(filepath.Dir(path)), j.sync())
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("boltstore: the journal: %w", err), file.Close())
	}
	return j, changes, nil
}

// read finds the end and returns the changes of the frames behind j.number, which it raises.
func (j *journal) read() ([]change, error) {
	all, err := io.ReadAll(j.file)
	if err != nil {
		return nil, err
	}
	changes, end, number, err := readFrames(all, j.number)
	if err != nil {
		return nil, err
	}
	if number != j.number {
		j.end, j.number = end, number
	}
	// What lies behind is of an earlier round, or was written in another order than the disk got it: none of it may ever come
	// to stand behind a frame that it does not belong to.
	return changes, j.file.Truncate(j.end)
}

// Errors of a journal that cannot be what this store wrote.
var (
	errJournal = errors.New("it is not the journal of this file: writes that were answered would be lost")
	errDamaged = errors.New("it is damaged: writes that were answered would be lost")
)

// readFrames returns the changes of the frames behind the frame applied, where they end, and the number of the last.
func readFrames(b []byte, applied uint64) (changes []change, end int64, number uint64, err error) {
	for first := true; ; first = false {
		n, _, payload, ok := readFrame(b[end:])
		switch {
		case !ok:
			last := max(number, applied)
			if wasSynced(b[end:], last+1) {
				return nil, 0, 0, errDamaged
			}
			return changes, end, last, nil
		case first && n > applied+1:
			return nil, 0, 0, errJournal // the tree is older than the journal's beginning
		case !first && n != number+1:
			return changes, end, max(number, applied), nil // of an earlier round
		}
		number = n
		if n > applied {
			if changes, err = readPayload(changes, payload); err != nil {
				return nil, 0, 0, err
			}
		}
		end += frameHeader + int64(len(payload))
	}
}

func readFrame(b []byte) (number, synced uint64, payload []byte, ok bool) {
	if len(b) < frameHeader {
		return 0, 0, nil, false
	}
	size := binary.BigEndian.Uint32(b)
	if size == 0 || size > maxFrame || uint64(size) > uint64(len(b)-frameHeader) {
		return 0, 0, nil, false
	}
	whole := b[:frameHeader+int(size)]
	if crc32.Checksum(whole[8:], castagnoli) != binary.BigEndian.Uint32(b[4:]) {
		return 0, 0, nil, false
	}
	return binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:]), whole[frameHeader:], true
}

// wasSynced reports whether a frame in b, which need not begin with one, says that the frame called number was on the disk.
func wasSynced(b []byte, number uint64) bool {
	for ; len(b) >= frameHeader; b = b[1:] {
		// The sum only of what can be such a frame: no byte is summed twice but by chance.
		n, synced := binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])
		if synced < number || n <= synced || n-number > maxFrame {
			continue
		}
		if _, _, _, ok := readFrame(b); ok {
			return true
		}
	}
	return false
}

func readPayload(changes []change, b []byte) ([]change, error) {
	bad := errors.New("a frame does not parse")
	take := func() []byte {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			b = nil
			return nil
		}
		out := b[size : size+int(n)]
		b = b[size+int(n):]
		return out
	}
	for len(b) > 0 {
		op := b[0]
		b = b[1:]
		kind := storage.Kind(take())
		id, err := parseID(take())
		if kind == "" || err != nil {
			return nil, bad
		}
		switch op {
		case opPut:
			r, err := parse(kind, id, take())
			if err != nil {
				return nil, err
			}
			changes = append(changes, change{record: r})
		case opRemove:
			changes = append(changes, change{record: storage.Record{Kind: kind, ID: id}, remove: true})
		default:
			return nil, bad
		}
	}
	return changes, nil
}

// begin starts a frame; add adds a write to it, write puts it behind the others, and sync makes all of them durable.
func (j *journal) begin() {
	var header [frameHeader]byte
	j.buf = append(j.buf[:0], header[:]...)
}

func (j *journal) add(c *change) {
	r := &c.record
	op := byte(opPut)
	if c.remove {
		op = opRemove
	}
	j.buf = append(j.buf, op)
	j.buf = binary.AppendUvarint(j.buf, uint64(len(r.Kind)))
	j.buf = append(j.buf, r.Kind...)
	j.id = appendID(j.id[:0], r.ID)
	j.buf = binary.AppendUvarint(j.buf, uint64(len(j.id)))
	j.buf = append(j.buf, j.id...)
	if !c.remove {
		j.buf = binary.AppendUvarint(j.buf, uint64(formatSize(r)))
		j.buf = appendFormat(j.buf, r)
	}
}

// write gives the frame to the system: it outlives the process.
func (j *journal) write() error {
	size := len(j.buf) - frameHeader
	if size > maxFrame {
		return errors.New("frame is too long")
	}
	binary.BigEndian.PutUint32(j.buf, uint32(size))
	binary.BigEndian.PutUint64(j.buf[8:], j.number+1)
	binary.BigEndian.PutUint64(j.buf[16:], j.synced)
	binary.BigEndian.PutUint32(j.buf[4:], crc32.Checksum(j.buf[8:], castagnoli))
	if _, err := j.file.WriteAt(j.buf, j.end); err != nil {
		return err
	}
	j.end += int64(len(j.buf))
	j.number++
	if cap(j.buf) > journalSize {
		j.buf = nil
	}
	return nil
}

// sync returns nil once every frame is on the disk.
func (j *journal) sync() error {
	if j.synced == j.number {
		return nil
	}
	if err := disk.Sync(j.file); err != nil {
		return err
	}
	j.synced = j.number
	return nil
}

// full reports whether it is time to move what gathered into the tree.
func (j *journal) full() bool { return j.end >= journalSize }

// restart begins anew: the tree has everything. A file that grew over its size gives it back.
func (j *journal) restart() error {
	if j.end > 2*journalSize {
		if err := j.file.Truncate(journalSize); err != nil {
			return err
		}
	}
	j.end, j.synced = 0, j.number
	return nil
}
