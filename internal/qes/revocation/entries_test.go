package revocation

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"
	"time"

	"brama/internal/der"
	"brama/internal/qes"
	"brama/internal/qes/tbs"
	"brama/internal/vectors"
)

// sameAsMap compares with the obvious way to keep entries: one for each serial number, as they come.
func sameAsMap(t *testing.T, c *crl) {
	t.Helper()
	want := make(map[string]*entry)
	for r := der.NewReader(c.revoked); r.More(); {
		s := r.Sequence()
		serial, date := s.Integer(), tbs.ReadTime(s)
		reason := -1
		if s.More() {
			_ = eachExtension(s.Sequence(), func(x extension) error {
				if x.oid == oidReasonCode {
					reason = readEnumerated(der.NewReader(x.value))
				}
				return nil
			})
		}
		e := want[string(serial)]
		if e == nil {
			e = &entry{}
			want[string(serial)] = e
		}
		e.last, e.since = reason, date
		e.held = e.held || reason == reasonHold
		e.revoked = e.revoked || reason != reasonHold && reason != reasonRemove
	}
	for serial, e := range want {
		if got := c.entries.find([]byte(serial)); !reflect.DeepEqual(got, e) {
			t.Errorf("serial %x: %+v, want %+v", serial, got, e)
		}
		for _, near := range [][]byte{append([]byte(serial), 0), []byte(serial)[:len(serial)-1]} {
			if got := c.entries.find(near); got != nil && want[string(near)] == nil {
				t.Errorf("serial %x stands for %x", serial, near)
			}
		}
	}
}

// listOf is a list of n lines, three for each serial number, in no order.
func listOf(n int) []byte {
	var b []byte
	for i := range n {
		serial := binary.BigEndian.AppendUint64([]byte{0x33}, uint64(i*7919%(n/3+1)))
		reason := []byte{reasonHold, reasonRemove, 1}[i%3]
		ext := der.EncodeSequence(der.EncodeSequence(der.EncodeOID(oidReasonCode), der.EncodeOctetString([]byte{10, 1, reason})))
		b = append(b, der.EncodeSequence(der.Element(der.Integer, serial), der.EncodeString(der.UTCTime, time.Unix(int64(1.7e9)+int64(i), 0).UTC().Format("060102150405Z")), ext)...)
	}
	return b
}

func TestEntries(t *testing.T) {
	for name, revoked := range map[string][]byte{"none": nil, "many": listOf(3000)} {
		c := &crl{revoked: revoked}
		if err := c.index(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sameAsMap(t, c)
	}
	for _, file := range []string{"crl/pki-full.crl", "crl/czo-full-2016.crl", "crl/diia-delta-2023.crl"} {
		c, err := parseCRL(vectors.Read(t, file))
		if err != nil || c.index() != nil {
			t.Fatalf("%s: %v", file, err)
		}
		sameAsMap(t, c)
	}
	for name, b := range map[string][]byte{
		"cut":           listOf(1)[:20],
		"long serial":   der.EncodeSequence(der.Element(der.Integer, bytes.Repeat([]byte{1}, maxSerial+1)), der.EncodeString(der.UTCTime, "260101000000Z")),
		"without date":  der.EncodeSequence(der.EncodeInt(1)),
		"wide reason":   der.EncodeSequence(der.EncodeInt(1), der.EncodeString(der.UTCTime, "260101000000Z"), der.EncodeSequence(der.EncodeSequence(der.EncodeOID(oidReasonCode), der.EncodeOctetString([]byte{10, 1, 0x80})))),
		"unknown, crit": der.EncodeSequence(der.EncodeInt(1), der.EncodeString(der.UTCTime, "260101000000Z"), der.EncodeSequence(der.EncodeSequence(der.EncodeOID(der.NewOID("1.2.3.4")), der.EncodeBoolean(true), der.EncodeOctetString(nil)))),
	} {
		c := &crl{revoked: b}
		if err := c.index(); !errors.Is(err, ErrMalformed) || c.entries != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEntriesAreSmall: a list is kept with little more than its own octets.
func TestEntriesAreSmall(t *testing.T) {
	c := &crl{raw: listOf(3000)}
	c.revoked = c.raw
	if err := c.index(); err != nil {
		t.Fatal(err)
	}
	if cap(c.entries.lines) != 3000 || c.octets() != len(c.raw)+3000*lineSize || reflect.TypeFor[line]().Size() != lineSize {
		t.Errorf("%d lines have room for %d of %d octets", len(c.entries.lines), cap(c.entries.lines), reflect.TypeFor[line]().Size())
	}
}

// TestListsBound: lists are kept within a bound, the newest always; old ones go, and what they said of numbers stays (T24).
func TestListsBound(t *testing.T) {
	var l lists
	start := time.Unix(1_800_000_000, 0)
	large := make([]byte, 10<<20)
	for i := range 40 {
		at := start.Add(time.Duration(i) * time.Second)
		if err := l.put(string(rune('a'+i)), &crl{raw: large, number: []byte{9}, thisUpdate: at, fetched: at}); err != nil {
			t.Fatal(err)
		}
		if l.octets() > maxKept || len(l.byID) > maxLists || l.get(string(rune('a'+i))) == nil {
			t.Fatalf("%d lists of %d octets", len(l.byID), l.octets())
		}
	}
	if l.get("a") != nil {
		t.Error("the oldest list is still there")
	}
	l.sweep(start.Add(time.Hour))
	if len(l.byID) != 0 {
		t.Errorf("%d old lists", len(l.byID))
	}
	if err := l.put("a", &crl{number: []byte{8}, thisUpdate: start.Add(time.Hour)}); !errors.Is(err, ErrNotFresh) {
		t.Errorf("the number falls: %v", err)
	}
	if got := (&crl{}).revocation(nil, nil); got.Status != qes.StatusUnknown {
		t.Errorf("a list that was not read through says %v", got.Status)
	}
}
