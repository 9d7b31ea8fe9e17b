package sse

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// read returns what a Reader makes of a stream that arrives in the given pieces, one line per event.
func read(t *testing.T, pieces ...string) []string {
	t.Helper()
	var (
		r    Reader
		e    Event
		got  []string
		raw  []byte
		note = func() {
			raw = append(raw, e.Raw...)
			if e.Lines > 0 || e.Name != nil {
				got = append(got, fmt.Sprintf("%s|%s", e.Name, e.Data))
			}
			for i := range e.Data {
				if e.Data[i] != '\n' && e.Raw[e.Locate(i)] != e.Data[i] {
					t.Errorf("Locate(%d) of %q finds %q", i, e.Raw, e.Raw[e.Locate(i)])
				}
			}
		}
	)
	for _, piece := range pieces {
		r.Feed([]byte(piece))
		for r.Next(&e) {
			note()
		}
		if r.Pos() != len(piece) {
			t.Errorf("%d of %d bytes used up", r.Pos(), len(piece))
		}
	}
	if r.Rest(&e) {
		note()
	}
	if whole := strings.Join(pieces, ""); string(raw) != whole {
		t.Errorf("raw bytes are %q, want %q", raw, whole)
	}
	return got
}

func TestDialects(t *testing.T) {
	f := func(name, stream string, want ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			if got := read(t, stream); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("as one blob: got %q, want %q", got, want)
			}
			if got := read(t, strings.Split(stream, "")...); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("in pieces of a character: got %q, want %q", got, want)
			}
			for i := range len(stream) {
				if got := read(t, stream[:i], stream[i:]); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("cut at byte %d: got %q, want %q", i, got, want)
				}
			}
		})
	}
	f("LF", "data: a\n\ndata: b\n\n", "|a", "|b")
	f("CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", "|a", "|b")
	f("CR", "data: a\r\rdata: b\r\r", "|a", "|b")
	f("endings mixed inside one event", "event: x\r\ndata: a\rdata: b\n\n", "x|a\nb")
	f("a CR ends the blank line of an LF stream", "data: a\n\rdata: b\n\n", "|a", "|b")
	f("no space after the colon", "data:a\n\n", "|a")
	f("only one space is taken off", "data:  a \n\n", "| a ")
	f("several data lines", "data: a\ndata:\ndata: b\n\n", "|a\n\nb")
	f("data line without a colon is empty data", "data\n\n", "|")
	f("comments", ": hello\n\n:\ndata: a\n: in between\n\n", "|a")
	f("blank lines", "\n\n\ndata: a\n\n\n\ndata: b\n\n", "|a", "|b")
	f("byte order mark", "\xef\xbb\xbfdata: a\n\n", "|a")
	f("byte order mark later on is part of the field name", "data: a\n\n\xef\xbb\xbfdata: b\n\n", "|a")
	f("names", "event: one\ndata: a\n\nevent:two\ndata: b\n\ndata: c\n\n", "one|a", "two|b", "|c")
	f("the last name counts", "event: one\nevent: two\ndata: a\n\n", "two|a")
	f("id and retry", "id: 7\nretry: 10\ndata: a\n\n", "|a")
	f("unknown fields and names that only begin alike", "datax: 1\ndat: 2\nfoo\ndata: a\n\n", "|a")
	f("no blank line at the end", "data: a\n\ndata: b", "|a", "|b")
	f("no blank line but a newline at the end", "data: b\r\n", "|b")
	f("characters of several bytes and NUL", "data: \u4f60\U0001f600\x00\n\n", "|\u4f60\U0001f600\x00")
	f("no data at all", "")
}

func TestWholeEventsAreNotCopied(t *testing.T) {
	src := []byte("data: a\n\nevent: x\ndata: b\n\ndata: c")
	var r Reader
	var e Event
	r.Feed(src)
	for n := 0; r.Next(&e); n++ {
		if e.Copied || &e.Raw[0] != &src[r.Pos()-len(e.Raw)] {
			t.Errorf("event %d was copied", n)
		}
	}
	r.Feed([]byte("\n\n"))
	if !r.Next(&e) || !e.Copied || string(e.Raw) != "data: c\n\n" {
		t.Errorf("the event in two pieces: got %q, copied %v", e.Raw, e.Copied)
	}
}

func TestHugeEvent(t *testing.T) {
	piece := bytes.Repeat([]byte("0123456789abcdef"), 1<<10) // 16 KiB
	feed := func(total int) (Reader, bool) {
		var r Reader
		var e Event
		r.Feed([]byte("data: "))
		found := r.Next(&e)
		for range total / len(piece) {
			r.Feed(piece)
			found = found || r.Next(&e)
		}
		r.Feed([]byte("\n\n"))
		found = r.Next(&e) && len(e.Data) == total || found
		return r, found
	}
	if r, found := feed(4 << 20); !found || r.Err() != nil {
		t.Errorf("4 MiB: found %v, error %v", found, r.Err())
	}
	if r, found := feed(MaxEvent); found || !errors.Is(r.Err(), ErrTooLarge) {
		t.Errorf("more than the limit: found %v, error %v, want ErrTooLarge", found, r.Err())
	}
	var r Reader
	r.Feed(make([]byte, MaxEvent+1))
	if r.Next(new(Event)) || !errors.Is(r.Err(), ErrTooLarge) {
		t.Errorf("more than the limit in one piece: error %v, want ErrTooLarge", r.Err())
	}
	if r.Reset(); r.Err() != nil {
		t.Errorf("after Reset: %v", r.Err())
	}
}

func TestLargeBuffersAreDropped(t *testing.T) {
	var r Reader
	var e Event
	large := strings.Repeat("x", maxKept)
	r.Feed([]byte("data: a\ndata: " + large))
	for r.Next(&e) {
	}
	r.Feed([]byte("\n\n"))
	if !r.Next(&e) || len(e.Data) != len(large)+2 {
		t.Fatalf("got %d bytes of data", len(e.Data))
	}
	if r.Next(&e) {
		t.Fatalf("one event too many: %q", e.Raw)
	}
	if cap(r.tail) > maxKept || cap(r.joined) > maxKept {
		t.Errorf("buffers of %d and %d bytes are kept", cap(r.tail), cap(r.joined))
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("data: a\r\n\r\n: c\nevent: x\ndata: b\ndata: c\n\n\xef\xbb\xbfdata"), uint8(3))
	f.Add([]byte("\xef\xbb\xbf\rdata: a\n\r\r\n"), uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		blob := read(t, string(stream))
		var pieces []string
		for piece := range chunks(string(stream), int(size)+1) {
			pieces = append(pieces, piece)
		}
		if cut := read(t, pieces...); fmt.Sprint(cut) != fmt.Sprint(blob) {
			t.Errorf("in pieces of %d: %q, as one blob: %q", size+1, cut, blob)
		}
		if want := reference(string(stream)); fmt.Sprint(blob) != fmt.Sprint(want) {
			t.Errorf("got %q, the standard says %q", blob, want)
		}
	})
}

// chunks yields s in pieces of n bytes.
func chunks(s string, n int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for len(s) > n {
			if !yield(s[:n]) {
				return
			}
			s = s[n:]
		}
		yield(s)
	}
}

// reference reads a stream as the standard words it, without any regard to speed.
func reference(s string) (events []string) {
	s = strings.TrimPrefix(s, "\ufeff")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	var name string
	var data []string
	named := false
	dispatch := func() {
		if named || data != nil {
			events = append(events, name+"|"+strings.Join(data, "\n"))
		}
		name, named, data = "", false, nil
	}
	for line := range strings.SplitSeq(s, "\n") {
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			dispatch()
		case field == "data":
			data = append(data, value)
		case field == "event":
			name, named = value, true
		}
	}
	dispatch()
	return events
}
