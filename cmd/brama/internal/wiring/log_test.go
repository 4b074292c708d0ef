package wiring

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestLogLines: every line is the one of slog.JSONHandler, in one write.
func TestLogLines(t *testing.T) {
	moment := time.Date(2026, 11, 22, 7, 5, 3, 120_000_000, time.FixedZone("", 2*3600))
	record := func(at time.Time, level slog.Level, message string, attrs ...slog.Attr) slog.Record {
		r := slog.NewRecord(at, level, message, 0)
		r.AddAttrs(attrs...)
		return r
	}
	request := []slog.Attr{slog.String("event", "7F3A-21C9"), slog.String("method", "GET"), slog.String("route", "/login/{id}/{method}"),
		slog.Int("status", 200), slog.Int64("ms", 3), slog.String("code", "NOT_FOUND"), slog.String("err", "reading: no such thing")}
	for name, c := range map[string]struct {
		record slog.Record
		own    bool
	}{
		"request":         {record(moment, slog.LevelInfo, "request", request...), true},
		"no attributes":   {record(moment.UTC(), slog.LevelError, "stopped"), true},
		"level between":   {record(time.Now(), slog.LevelWarn+2, "x", slog.Int("n", -7)), true},
		"no value":        {record(moment, slog.LevelInfo, "x", slog.String("code", "")), true},
		"quotation mark":  {record(moment, slog.LevelInfo, "x", slog.String("err", `a "b" \ c`)), false},
		"line feed":       {record(moment, slog.LevelInfo, "x", slog.String("err", "a\nb")), false},
		"delete":          {record(moment, slog.LevelInfo, "x", slog.String("err", "a\x7fb")), false},
		"Ukrainian":       {record(moment, slog.LevelInfo, "x", slog.String("err", "ключ")), false},
		"not UTF-8":       {record(moment, slog.LevelInfo, "x", slog.String("err", "a\xff")), false},
		"message":         {record(moment, slog.LevelInfo, `a "b"`), false},
		"key":             {record(moment, slog.LevelInfo, "x", slog.String("a\tb", "c")), false},
		"error":           {record(moment, slog.LevelInfo, "x", slog.Any("err", errors.New("no"))), false},
		"duration":        {record(moment, slog.LevelInfo, "x", slog.Duration("d", time.Second)), false},
		"empty attribute": {record(moment, slog.LevelInfo, "x", slog.Attr{}, slog.Int("n", 1)), false},
		"no key":          {record(moment, slog.LevelInfo, "x", slog.String("", "a")), false},
		"no time":         {record(time.Time{}, slog.LevelInfo, "x"), false},
		"far year":        {record(moment.AddDate(9000, 0, 0), slog.LevelInfo, "x"), false},
	} {
		var want bytes.Buffer
		if err := slog.NewJSONHandler(&want, nil).Handle(context.Background(), c.record); err != nil {
			t.Fatal(err)
		}
		var got writes
		if err := NewLog(&got).Handler().Handle(context.Background(), c.record); err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0] != want.String() {
			t.Errorf("%s: %q, want %q", name, []string(got), want.String())
		}
		if _, own := appendLine(nil, &c.record); own != c.own {
			t.Errorf("%s: written by ourselves: %v", name, own)
		}
	}
	var got, want bytes.Buffer
	NewLog(&got).With("a", 1).WithGroup("g").Info("x", "b", 2)
	slog.New(slog.NewJSONHandler(&want, nil)).With("a", 1).WithGroup("g").Info("x", "b", 2)
	if cut := len(`{"time":"`); !strings.Contains(got.String(), `"a":1,"g":{"b":2}`) || got.String()[:cut] != want.String()[:cut] {
		t.Errorf("%s, want %s", &got, &want)
	}
	NewLog(&got).Debug("quiet")
	if strings.Contains(got.String(), "quiet") {
		t.Error("a line of the lowest level is written")
	}
}

type writes []string

func (w *writes) Write(b []byte) (int, error) {
	*w = append(*w, string(b))
	return len(b), nil
}

// BenchmarkLogLine is the line of one request.
func BenchmarkLogLine(b *testing.B) {
	for name, handler := range map[string]slog.Handler{"slog": slog.NewJSONHandler(discard{}, nil), "ours": NewLog(discard{}).Handler()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := slog.NewRecord(time.Now(), slog.LevelInfo, "request", 0)
				r.AddAttrs(slog.String("event", "7F3A-21C9"), slog.String("method", "GET"), slog.String("route", "/login/{id}/{method}"),
					slog.Int("status", 200), slog.Int64("ms", 3))
				_ = handler.Handle(context.Background(), r)
			}
		})
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
