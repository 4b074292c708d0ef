package audit

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// ErrTampered is wrapped by what Verify and Open say of a log that is not as it was written.
var ErrTampered = errors.New("audit: log was changed")

// maxLine bounds a line, in bytes: a dozen fields of MaxValue, the identifiers and details, each byte escaped.
const maxLine = 256 << 10

var macField = []byte(`,"mac":"`)

// A checkpoint is the head of the chain at a moment, in the other file.
type checkpoint struct {
	Seq  uint64    `json:"seq"`
	MAC  string    `json:"mac"` // of line seq
	Time time.Time `json:"time"`
	Sign string    `json:"sign"` // HMAC over the fields above
}

func checkpointOf(key []byte, h head, at time.Time) checkpoint {
	c := checkpoint{Seq: h.seq, MAC: hex.EncodeToString(h.mac[:]), Time: at.UTC().Truncate(time.Second)}
	c.Sign = c.sign(key)
	return c
}

func (c checkpoint) sign(key []byte) string {
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "checkpoint\n%d\n%s\n%s\n", c.Seq, c.MAC, c.Time.Format(time.RFC3339))
	return hex.EncodeToString(m.Sum(nil))
}

func tampered(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrTampered, fmt.Sprintf(format, args...))
}

// Verify checks the log in dir against its chain and the checkpoints in the file given, "" meaning that in dir. It returns
// the number of lines. What was cut off the end after the last checkpoint is not seen.
func Verify(dir, checkpoints string, key []byte) (uint64, error) {
	if checkpoints == "" {
		checkpoints = filepath.Join(dir, checkpointName)
	}
	log, err := os.Open(filepath.Join(dir, logName))
	if err != nil {
		return 0, fmt.Errorf("audit: opening: %w", err)
	}
	defer log.Close()
	other, err := os.Open(checkpoints)
	if err != nil {
		return 0, fmt.Errorf("audit: opening: %w", err)
	}
	defer other.Close()
	chain := subkey(key, "chain")
	points, err := readCheckpoints(other, chain)
	if err != nil {
		return 0, err
	}
	h, err := verify(log, chain, points)
	return h.seq, err
}

func readCheckpoints(file *os.File, key []byte) ([]checkpoint, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("audit: reading checkpoints: %w", err)
	}
	var points []checkpoint
	s := bufio.NewScanner(file)
	for s.Scan() {
		var c checkpoint
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			return nil, tampered("checkpoint %d cannot be read", len(points)+1)
		}
		if !hmac.Equal([]byte(c.Sign), []byte(c.sign(key))) {
			return nil, tampered("checkpoint %d is not signed by our key", len(points)+1)
		}
		if n := len(points); n > 0 && c.Seq < points[n-1].Seq {
			return nil, tampered("checkpoint %d goes back", n+1)
		}
		points = append(points, c)
	}
	if err := s.Err(); err != nil {
		return nil, tampered("checkpoints cannot be read: %v", err)
	}
	return points, nil
}

// verify walks the chain and returns its head.
func verify(file *os.File, key []byte, points []checkpoint) (head, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return head{}, fmt.Errorf("audit: reading: %w", err)
	}
	var h head
	c := newChain(key)
	s := bufio.NewScanner(file)
	s.Buffer(make([]byte, 0, 4096), maxLine)
	for s.Scan() {
		text, mac, err := splitLine(s.Bytes())
		if err != nil {
			return h, tampered("line %d: %v", h.seq+1, err)
		}
		if !bytes.HasPrefix(text, fmt.Appendf(nil, `{"seq":%d,`, h.seq+1)) {
			return h, tampered("line %d has another number", h.seq+1)
		}
		h = c.next(h, text)
		if !hmac.Equal(mac, h.mac[:]) {
			return h, tampered("line %d is not what was written", h.seq)
		}
		for len(points) > 0 && points[0].Seq == h.seq {
			if points[0].MAC != hex.EncodeToString(h.mac[:]) {
				return h, tampered("line %d is not that of its checkpoint", h.seq)
			}
			points = points[1:]
		}
	}
	if err := s.Err(); err != nil {
		return h, tampered("line %d cannot be read: %v", h.seq+1, err)
	}
	if len(points) > 0 {
		return h, tampered("%d lines, but a checkpoint of %s knows %d", h.seq, points[0].Time.Format(time.RFC3339), points[len(points)-1].Seq)
	}
	return h, nil
}

// splitLine takes a line apart into what is chained and its mac.
func splitLine(line []byte) (text, mac []byte, err error) {
	const tail = 2*sha256.Size + len(`"}`)
	at := len(line) - tail - len(macField)
	if at <= 0 || !bytes.Equal(line[at:at+len(macField)], macField) || !bytes.HasSuffix(line, []byte(`"}`)) {
		return nil, nil, errors.New("no mac at its end")
	}
	mac, err = hex.DecodeString(string(line[at+len(macField) : len(line)-len(`"}`)]))
	return line[:at], mac, err
}
