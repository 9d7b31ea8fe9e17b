package requestlog

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"octopus/admin/store"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

func newLog(t testing.TB) (*Log, *store.Store) {
	t.Helper()
	s, err := store.Open(store.Options{
		Path: filepath.Join(t.TempDir(), "db"), SecretKey: make([]byte, 32), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	l, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	return l, s
}

func write(t testing.TB, l *Log, s *store.Store, at time.Time, outcomes ...*outcome.Outcome) {
	t.Helper()
	var buffer Buffer
	for _, o := range outcomes {
		if !buffer.Add(o) {
			t.Fatal("the buffer is full")
		}
	}
	b := s.NewBatch()
	w := l.Take([]*Buffer{&buffer}, at, b)
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	if w.Rows != len(outcomes) || buffer.Len() != 0 {
		t.Errorf("%d rows of %d taken, %d left", w.Rows, len(outcomes), buffer.Len())
	}
	l.Publish(w)
}

// full is an outcome in which nothing is zero.
func full(id string) *outcome.Outcome {
	return &outcome.Outcome{
		ID: id, Start: time.UnixMicro(1_790_000_000_123_456), Protocol: llm.Messages, Operation: outcome.CountTokens, Stream: true,
		Requested: "opus", Group: "big", GroupID: "g1", APIKeyID: "p1", APIKeyName: "ci", Client: netip.MustParseAddr("192.0.2.7"),
		Status: 502, Class: outcome.ClassCut, Message: "The provider closed the stream.", FirstToken: 700 * time.Millisecond,
		Total: 2 * time.Second, Warnings: "dropped=seed", BytesIn: 1000, BytesOut: 2000, CostNanoUSD: 55, CostKnown: true,
		Usage: llm.Usage{Input: 1, CacheRead: 2, CacheWrite5m: 3, CacheWrite1h: 4, Output: 5, Reasoning: 6, WebSearches: 9, InputAudio: 7, OutputAudio: 8,
			Service: llm.ServiceFast, Knowledge: llm.Partial},
		Skipped: []outcome.Skip{{Channel: "three", Model: "gpt", Key: "k3", Class: outcome.ClassSilent, Until: time.Second}, {Channel: "x"}},
		Attempts: []outcome.Attempt{
			{Channel: "one", ChannelID: "c1", Key: "k1", Model: "claude", Start: time.Millisecond, Duration: time.Second,
				FirstToken: 3 * time.Millisecond, Status: 503, Class: outcome.ClassOverloaded, Verdict: outcome.TryNext, Message: "Busy.",
				Why: outcome.ByAffinity, Usage: llm.Usage{Input: 7, Knowledge: llm.Estimated}, CostNanoUSD: 8, CostKnown: true,
				Skipped: []outcome.Skip{{Channel: "three", Model: "gpt", Key: "k3", Class: outcome.ClassSilent, Until: time.Second}}},
			{Channel: "two", ChannelID: "c2", Key: "k2", Model: "gpt", Verdict: outcome.GiveUp, Message: strings.Repeat("long ", 4000)},
		},
	}
}

func TestARowIsReadAsItWasWritten(t *testing.T) {
	for _, want := range []*outcome.Outcome{full("req_1"), {Start: time.UnixMicro(5)}, {Start: time.UnixMicro(6), CostKnown: true}} {
		row, err := readRow(append(appendRow(nil, want), 0x9a, 0x3e, 1, 'x')) // and a field of a newer version
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(&row.Outcome, want) {
			t.Errorf("got\n%+v\nwant\n%+v", &row.Outcome, want)
		}
	}
}

func TestNoFieldOfAnOutcomeIsForgotten(t *testing.T) {
	var check func(path string, v reflect.Value)
	check = func(path string, v reflect.Value) {
		if strings.HasSuffix(path, "Body") {
			return // kept beside the row
		}
		if strings.HasPrefix(path, "outcome.Attempts[0].Usage.") {
			return // an estimate of the prompt
		}
		if v.IsZero() {
			t.Errorf("%s is not part of the test", path)
			return
		}
		if v.Kind() == reflect.Struct && v.Type().PkgPath() != "time" && v.Type() != reflect.TypeFor[netip.Addr]() && v.Type() != reflect.TypeFor[time.Time]() {
			for i := range v.NumField() {
				check(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		}
		if v.Kind() == reflect.Slice {
			check(path+"[0]", v.Index(0))
		}
	}
	check("outcome", reflect.ValueOf(*full("req_1")))
}

func TestRowsAreFoundByTheirRequestID(t *testing.T) {
	l, s := newLog(t)
	now := time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)
	for i := range 20 {
		write(t, l, s, now.Add(time.Duration(i)*time.Hour), full(fmt.Sprint("req_", i)))
	}
	for i := range 20 {
		row, err := l.Find(fmt.Sprint("req_", i))
		if err != nil || row == nil || row.ID != fmt.Sprint("req_", i) || row.Number == 0 {
			t.Errorf("req_%d: %+v, %v", i, row, err)
		}
	}
	if row, err := l.Find("req_99"); row != nil || err != nil {
		t.Errorf("an unknown id: %+v, %v", row, err)
	}
}

func TestNumbersGrowAcrossRestartsAndClockSteps(t *testing.T) {
	l, s := newLog(t)
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	write(t, l, s, now, full("a"), full("b"))
	write(t, l, s, now.Add(-time.Hour), full("c")) // the clock was set back
	l, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	write(t, l, s, now.Add(-time.Hour), full("d"))
	page, err := l.Search(Query{})
	if got := ids(page); got != "d c b a" || err != nil {
		t.Errorf("got %s, want d c b a; %v", got, err)
	}
}

func ids(p Page) string {
	var all []string
	for _, r := range p.Rows {
		all = append(all, r.ID)
	}
	return strings.Join(all, " ")
}

func TestASearchFindsWhatItsConditionsSay(t *testing.T) {
	l, s := newLog(t)
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ok, bad := full("ok"), full("bad")
	ok.Status, ok.Class, ok.Message = 200, outcome.ClassNone, ""
	ok.Attempts = ok.Attempts[1:]
	ok.Group, ok.GroupID, ok.APIKeyName, ok.APIKeyID, ok.Requested = "small", "g2", "dev", "p2", "haiku"
	write(t, l, s, now, ok)
	write(t, l, s, now.Add(time.Hour), bad)
	filter := outcome.ClassFilter
	cut := outcome.ClassCut
	for _, test := range []struct {
		name  string
		query Query
		want  string
	}{
		{"everything", Query{}, "bad ok"},
		{"from", Query{From: now.Add(time.Minute)}, "bad"},
		{"to", Query{To: now.Add(time.Minute)}, "ok"},
		{"a status", Query{Status: 502}, "bad"},
		{"a class of status", Query{Status: 2}, "ok"},
		{"a status nobody got", Query{Status: 404}, ""},
		{"a class", Query{Class: &cut}, "bad"},
		{"another class", Query{Class: &filter}, ""},
		{"failed", Query{Failed: true}, "bad"},
		{"a group", Query{Group: "small"}, "ok"},
		{"a group's id", Query{Group: "g1"}, "bad"},
		{"an API key", Query{APIKey: "dev"}, "ok"},
		{"an API key's id", Query{APIKey: "p1"}, "bad"},
		{"a channel that was tried", Query{Channel: "one"}, "bad"},
		{"a channel's id", Query{Channel: "c2"}, "bad ok"},
		{"a requested model", Query{Model: "haiku"}, "ok"},
		{"an upstream's model", Query{Model: "claude"}, "bad"},
		{"a text in the message", Query{Text: "CLOSED the"}, "bad"},
		{"a text in an attempt", Query{Text: "busy"}, "bad"},
		{"a text in the id", Query{Text: "OK"}, "ok"},
		{"%%% is just a text", Query{Text: "%%%"}, ""},
		{"two conditions", Query{Group: "big", Status: 2}, ""},
	} {
		page, err := l.Search(test.query)
		if got := ids(page); got != test.want || err != nil {
			t.Errorf("%s: got %q, want %q; %v", test.name, got, test.want, err)
		}
	}
}

func TestPagesFollowEachOtherWithoutGapsOrRepeats(t *testing.T) {
	l, s := newLog(t)
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for i := range 300 {
		write(t, l, s, now.Add(time.Duration(i)*time.Second), full(fmt.Sprintf("r%03d", i)))
	}
	q := Query{Limit: 7}
	next := 299
	for pages := 0; ; pages++ {
		page, err := l.Search(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rows {
			if want := fmt.Sprintf("r%03d", next); r.ID != want {
				t.Fatalf("got %s, want %s", r.ID, want)
			}
			next--
		}
		// What is written meanwhile belongs to no later page.
		write(t, l, s, now.Add(time.Hour), full("new"))
		if page.Next == "" {
			break
		}
		q.Cursor = page.Next
	}
	if next != -1 {
		t.Errorf("the last row was %d, want 0", next+1)
	}
	if _, err := l.Search(Query{Cursor: "!"}); !errors.Is(err, ErrCursor) {
		t.Errorf("a cursor that is none: %v", err)
	}
	if page, err := l.Search(Query{Limit: 1e9}); err != nil || len(page.Rows) > MaxLimit {
		t.Errorf("%d rows; %v", len(page.Rows), err)
	}
}

func TestFollowersSeeWhatIsCommitted(t *testing.T) {
	l, s := newLog(t)
	f, slow := l.Follow(), l.Follow()
	for i := range followed + 5 {
		write(t, l, s, time.Now(), full(fmt.Sprint("r", i)), full("x"))
		rows := <-f.Rows
		if len(rows) != 2 || rows[0].ID != fmt.Sprint("r", i) || rows[1].Number != rows[0].Number+1 {
			t.Errorf("batch %d: %d rows, %+v", i, len(rows), rows[0])
		}
	}
	if n := len(slow.Rows); n != followed {
		t.Errorf("a follower that reads nothing has %d batches, want %d", n, followed)
	}
	f.Close()
	slow.Close()
	write(t, l, s, time.Now(), full("y"))
	if len(f.Rows) != 0 {
		t.Error("a closed follower was told something")
	}
}

func TestOldRowsAreRemoved(t *testing.T) {
	l, s := newLog(t)
	begin := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for i := range 20 {
		write(t, l, s, begin.AddDate(0, 0, i), full(fmt.Sprint("r", i)))
	}
	if err := l.Prune(t.Context(), begin.AddDate(0, 0, 5), 1<<40); err != nil {
		t.Fatal(err)
	}
	page, err := l.Search(Query{})
	if err != nil || len(page.Rows) != 15 || page.Rows[14].ID != "r5" {
		t.Errorf("%d rows are left, the oldest %s; %v", len(page.Rows), page.Rows[len(page.Rows)-1].ID, err)
	}
	for i := range 20 {
		if row, err := l.Find(fmt.Sprint("r", i)); err != nil || (row != nil) != (i >= 5) {
			t.Errorf("r%d: found %t; %v", i, row != nil, err)
		}
	}
}

func TestALogThatIsTooLargeLosesItsOldestRows(t *testing.T) {
	l, s := newLog(t)
	begin := time.Now().AddDate(0, 0, -20)
	for i := range 200 {
		o := full(fmt.Sprint("r", i))
		o.Message = strings.Repeat(fmt.Sprint(i*7919), 5000) // hardly compressible by much
		write(t, l, s, begin.Add(time.Duration(i)*2*time.Hour), o)
	}
	if err := s.Compact(t.Context(), store.SpaceLedger.Range()); err != nil {
		t.Fatal(err)
	}
	before, err := s.Size(store.SpaceLedger.Range())
	if err != nil || before == 0 {
		t.Fatalf("the log has %d bytes; %v", before, err)
	}
	if err := l.Prune(t.Context(), time.Time{}, int64(before)*3/4); err != nil {
		t.Fatal(err)
	}
	// Not by a search, which ends early on a slow machine.
	n := 0
	err = s.Scan(store.SpaceLedger.Range(), func(_, _ []byte) bool { n++; return true })
	if last, found := l.Find("r199"); err != nil || n < 100 || n > 180 || last == nil || found != nil {
		t.Errorf("%d rows are left of 200, the last is %v; %v, %v", n, last, err, found)
	}
	if after, err := s.Size(store.SpaceLedger.Range()); err != nil || after > before*3/4 {
		t.Errorf("%d bytes are left of %d; %v", after, before, err)
	}
}

func TestAFullBufferTakesNoMore(t *testing.T) {
	var b Buffer
	o := full("x")
	n := 0
	for b.Add(o) {
		n++
	}
	if n == 0 || b.Len() != n || len(b.records) > maxBuffer+100_000 {
		t.Errorf("%d rows, %d bytes", n, len(b.records))
	}
}

func FuzzRow(f *testing.F) {
	f.Add(appendRow(nil, full("req_1")))
	f.Fuzz(func(t *testing.T, record []byte) {
		row, err := readRow(record)
		if err != nil {
			return
		}
		again, err := readRow(appendRow(nil, &row.Outcome))
		if err != nil || !reflect.DeepEqual(row, again) {
			t.Errorf("read\n%+v\nand again\n%+v\n%v", row, again, err)
		}
	})
}

func TestALongMessageIsKeptInPart(t *testing.T) {
	l, s := newLog(t)
	o := full("long")
	o.Message = strings.Repeat("m", 15<<20)
	write(t, l, s, time.Now(), o)
	if row, err := l.Find("long"); err != nil || row == nil || row.Message != o.Message[:maxMessage] {
		t.Errorf("row %v, %v", row != nil, err)
	}
}
