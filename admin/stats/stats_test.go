package stats

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"octopus/admin/store"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

func newTable(t *testing.T) (*Table, *store.Store) {
	t.Helper()
	s, err := store.Open(store.Options{
		Path: filepath.Join(t.TempDir(), "db"), SecretKey: make([]byte, 32), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	table, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	return table, s
}

func take(t *testing.T, table *Table, s *store.Store, deltas ...*Delta) {
	t.Helper()
	b := s.NewBatch()
	if err := table.Take(deltas, b); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
}

// rescued is a request that one channel failed and another one served.
func rescued() *outcome.Outcome {
	return &outcome.Outcome{
		GroupID: "g1", APIKeyID: "p1", FirstToken: 700 * time.Millisecond, Total: 2 * time.Second,
		Attempts: []outcome.Attempt{
			{ChannelID: "c1", Key: "k1", Model: "big", Class: outcome.ClassOverloaded, Duration: 100 * time.Millisecond},
			{ChannelID: "c2", Key: "k2", Model: "big", Duration: 1900 * time.Millisecond, FirstToken: 600 * time.Millisecond,
				CostNanoUSD: 1234, CostKnown: true},
		},
		Usage:       llm.Usage{Input: 100, CacheRead: 50, CacheWrite5m: 20, CacheWrite1h: 5, Output: 30, Reasoning: 10, Knowledge: llm.Reported},
		CostNanoUSD: 1234, CostKnown: true,
	}
}

// refused is a request that reached no channel.
func refused() *outcome.Outcome {
	return &outcome.Outcome{APIKeyID: "p1", Class: outcome.ClassRefused, Total: time.Millisecond}
}

var noon = time.Date(2026, 11, 23, 12, 30, 0, 0, time.UTC)

func TestARequestIsCountedWhereItBelongs(t *testing.T) {
	table, s := newTable(t)
	d := table.NewDelta()
	d.Add(rescued(), noon)
	d.Add(refused(), noon)
	raced := rescued()
	raced.GroupID, raced.APIKeyID, raced.Usage, raced.CostNanoUSD = "g2", "p2", llm.Usage{Output: 3, Knowledge: llm.Reported}, 20
	raced.Attempts = []outcome.Attempt{
		{ChannelID: "c5", Key: "k5", Model: "fast", CostNanoUSD: 3, CostKnown: true},
		{ChannelID: "c4", Key: "k4", Model: "slow", Verdict: outcome.Lose, CostNanoUSD: 17, CostKnown: true,
			Usage: llm.Usage{Input: 100, Knowledge: llm.Estimated}},
	}
	d.Add(raced, noon)
	take(t, table, s, d)
	for _, test := range []struct {
		name                           string
		dimension                      Dimension
		id                             string
		requests, failed, cost, output int64
	}{
		{"all", All, "", 3, 1, 1254, 33},
		{"the channel that won a race", ByChannel, "c5", 1, 0, 3, 3},
		{"the group", ByGroup, "g1", 1, 0, 1234, 30},
		{"the API key", ByAPIKey, "p1", 2, 1, 1234, 30},
		{"the channel that failed", ByChannel, "c1", 1, 1, 0, 0},
		{"the channel that served", ByChannel, "c2", 1, 0, 1234, 30},
		{"the key that served", ByKey, "k2", 1, 0, 1234, 30},
		{"the model, of both attempts", ByModel, "big", 2, 1, 1234, 30},
		{"a channel that lost a race", ByChannel, "c4", 1, 0, 17, 0},
		{"a channel nobody called", ByChannel, "c3", 0, 0, 0, 0},
	} {
		c := table.Total(test.dimension, test.id)
		if c.Requests != test.requests || c.Failed() != test.failed || c.CostNanoUSD != test.cost || c.Output != test.output {
			t.Errorf("%s: %d requests, %d failed, cost %d, output %d; want %d, %d, %d, %d", test.name,
				c.Requests, c.Failed(), c.CostNanoUSD, c.Output, test.requests, test.failed, test.cost, test.output)
		}
	}
	if c := table.Total(All, ""); c.CostUnknown != 1 || c.CacheWrite() != 25 || c.Reasoning != 10 || c.FirstTokens != 2 {
		t.Errorf("all: %+v", c)
	}
}

func TestSumsSurviveAReopen(t *testing.T) {
	table, s := newTable(t)
	for i := range 10 {
		deltas := []*Delta{table.NewDelta(), table.NewDelta()}
		for j, d := range deltas {
			for range i + j {
				d.Add(rescued(), noon.Add(time.Duration(i)*time.Hour))
			}
		}
		take(t, table, s, deltas...)
		if i%3 == 0 {
			var err error
			if table, err = Open(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	total := table.Total(All, "")
	if total.Requests != 100 {
		t.Errorf("%d requests, want 100", total.Requests)
	}
	sum, err := table.Sum(All, "", Span{})
	if err != nil || !reflect.DeepEqual(sum, total) {
		t.Errorf("the hours add up to %+v, want the total %+v; %v", sum.Requests, total.Requests, err)
	}
	reopened, err := Open(s)
	if err != nil || !reflect.DeepEqual(reopened.Total(ByKey, "k2"), table.Total(ByKey, "k2")) {
		t.Errorf("after a reopen %+v; %v", reopened.Total(ByKey, "k2"), err)
	}
}

func TestSpansAreWholeHours(t *testing.T) {
	table, s := newTable(t)
	d := table.NewDelta()
	for i := range 48 {
		for range i + 1 {
			d.Add(refused(), noon.Add(time.Duration(i)*time.Hour))
		}
	}
	take(t, table, s, d)
	at := func(hours int) time.Time { return noon.Truncate(time.Hour).Add(time.Duration(hours) * time.Hour) }
	for _, test := range []struct {
		name string
		span Span
		want int64
	}{
		{"everything", Span{}, 48 * 49 / 2},
		{"three hours", Span{at(1), at(4)}, 2 + 3 + 4},
		{"a span that begins and ends within hours", Span{at(1).Add(time.Minute), at(3).Add(time.Second)}, 2 + 3 + 4},
		{"from an hour on", Span{From: at(46)}, 47 + 48},
		{"up to an hour", Span{To: at(2)}, 1 + 2},
		{"nothing", Span{at(100), at(200)}, 0},
		{"an end before the beginning", Span{at(5), at(3)}, 0},
	} {
		if c, err := table.Sum(All, "", test.span); err != nil || c.Requests != test.want {
			t.Errorf("%s: %d requests, want %d; %v", test.name, c.Requests, test.want, err)
		}
	}
	points, err := table.Points(All, "", Span{at(0), at(3)}, false)
	if err != nil || len(points) != 3 || points[2].Requests != 3 || !points[2].Start.Equal(at(2)) {
		t.Errorf("points are %+v; %v", points, err)
	}
}

func TestDaysAreThoseOfTheTimeZone(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	table, s := newTable(t)
	table.zone = zone
	d := table.NewDelta()
	// The night in which the clocks go back has 25 hours in Berlin: 24 October 22:00 to 25 October 23:00 UTC.
	begin := time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC)
	for i := range 30 {
		d.Add(refused(), begin.Add(time.Duration(i)*time.Hour))
	}
	take(t, table, s, d)
	want := map[string]int64{"2026-10-24": 2, "2026-10-25": 25, "2026-10-26": 3}
	check := func(when string) {
		points, err := table.Points(All, "", Span{}, true)
		if err != nil || len(points) != len(want) {
			t.Fatalf("%s: %d days, want %d; %v", when, len(points), len(want), err)
		}
		for _, p := range points {
			if date := p.Start.In(zone).Format(time.DateOnly); p.Requests != want[date] || p.Start.In(zone).Hour() != 0 {
				t.Errorf("%s: %v has %d requests, want %d", when, p.Start, p.Requests, want[date])
			}
		}
	}
	check("hours")
	if n, err := table.Fold(begin.Add(hoursKept)); n != 0 || err != nil {
		t.Errorf("folded %d young hours; %v", n, err)
	}
	if n, err := table.Fold(begin.Add(hoursKept + 40*time.Hour)); n != 27*2 || err != nil {
		t.Errorf("folded %d records of two full days of two series, want 54; %v", n, err)
	}
	check("half folded")
	if _, err := table.Fold(begin.Add(hoursKept + 100*time.Hour)); err != nil {
		t.Fatal(err)
	}
	check("folded")
	// What comes late for a day that is folded already belongs to it all the same.
	d.Add(refused(), begin)
	take(t, table, s, d)
	if _, err := table.Fold(begin.Add(hoursKept + 100*time.Hour)); err != nil {
		t.Fatal(err)
	}
	want["2026-10-24"]++
	check("late")
}

func TestTheRankingHasTheLargestFirst(t *testing.T) {
	table, s := newTable(t)
	d := table.NewDelta()
	for i, id := range []string{"a", "b", "c", "b", "b", "c"} {
		o := rescued()
		o.GroupID, o.CostNanoUSD = id, int64(100*i)
		d.Add(o, noon)
	}
	take(t, table, s, d)
	for _, test := range []struct {
		name string
		by   func(*Counters) int64
		want string
	}{
		{"requests", func(c *Counters) int64 { return c.Requests }, "bca"},
		{"cost", func(c *Counters) int64 { return c.CostNanoUSD }, "bca"},
		{"equals by name", func(*Counters) int64 { return 0 }, "abc"},
	} {
		ranking, err := table.Ranking(ByGroup, Span{}, test.by)
		got := ""
		for _, r := range ranking {
			got += r.ID
		}
		if err != nil || got != test.want {
			t.Errorf("by %s: %s, want %s; %v", test.name, got, test.want, err)
		}
	}
}

func TestModelsBeyondTheBoundAreCountedTogether(t *testing.T) {
	table, s := newTable(t)
	d := table.NewDelta()
	for i := range maxModels + 50 {
		d.Add(&outcome.Outcome{Attempts: []outcome.Attempt{{ChannelID: "c", Model: fmt.Sprint("model-", i)}}}, noon)
	}
	take(t, table, s, d)
	ranking, err := table.Ranking(ByModel, Span{}, func(c *Counters) int64 { return c.Requests })
	if err != nil || len(ranking) != maxModels+1 || ranking[0].ID != OtherModels || ranking[0].Requests != 50 {
		t.Errorf("%d series, first %s with %d; want %d, %s with 50; %v",
			len(ranking), ranking[0].ID, ranking[0].Requests, maxModels+1, OtherModels, err)
	}
}

func TestCountersAreStoredInFull(t *testing.T) {
	var c Counters
	for i, n := range c.numbers() {
		*n = int64(i + 1)
	}
	for i := range c.Failures {
		c.Failures[i] = int64(i) << 30
	}
	for i := range c.Times.Buckets {
		c.Times.Buckets[i], c.FirstTokenTimes.Buckets[i] = int64(i), int64(i*i)
	}
	// A field that a newer version may add.
	text := append(c.append(nil), 0x9a, 0x06, 0x03, 'n', 'e', 'w')
	var got Counters
	if err := got.read(text); err != nil || got != c {
		t.Errorf("got %+v, want %+v; %v", got, c, err)
	}
	for v, i := reflect.ValueOf(c), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("%s is not stored", v.Type().Field(i).Name)
		}
	}
}

func TestQuantilesAreOffByAnEighthAtMost(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		h.Observe(time.Duration(r.ExpFloat64() * float64(2*time.Second)))
	}
	for q, want := range map[float64]time.Duration{0.5: 1386 * time.Millisecond, 0.95: 5991 * time.Millisecond, 0.99: 9210 * time.Millisecond} {
		if got := h.Quantile(q); got < want*8/10 || got > want*12/10 {
			t.Errorf("quantile %g is %v, want about %v", q, got, want)
		}
	}
	for i := range histogramBuckets - 1 {
		if low := lowest(i); bucketOf(low) != i || bucketOf(lowest(i+1)-1) != i {
			t.Errorf("bucket %d begins at %v, which is in bucket %d", i, low, bucketOf(low))
		}
	}
	if bucketOf(-time.Second) != 0 || bucketOf(1000*time.Hour) != histogramBuckets-1 {
		t.Error("durations out of range have no bucket")
	}
}

func FuzzCounters(f *testing.F) {
	var c Counters
	c.Requests, c.Failures[3], c.Times.Buckets[7] = 5, 2, 9
	f.Add(c.append(nil))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c Counters
		if c.read(text) != nil {
			return
		}
		var again Counters
		if err := again.read(c.append(nil)); err != nil || again != c {
			t.Errorf("read %+v, and again %+v; %v", c, again, err)
		}
	})
}

func TestHoursThatAClockAheadFoldedAreNotCountedTwice(t *testing.T) {
	table, s := newTable(t)
	d := table.NewDelta()
	d.Add(refused(), noon)
	take(t, table, s, d)
	// The clock jumps ahead and housekeeping comes by; then it is set back, and the hour goes on.
	if n, err := table.Fold(noon.Add(hoursKept + 48*time.Hour)); n == 0 || err != nil {
		t.Fatalf("%d hours were folded, %v", n, err)
	}
	d.Add(refused(), noon.Add(time.Minute))
	take(t, table, s, d)
	if sum, err := table.Sum(All, "", Span{}); err != nil || sum.Requests != 2 || table.Total(All, "").Requests != 2 {
		t.Errorf("%d requests in days and hours, a total of %d, %v; want 2", sum.Requests, table.Total(All, "").Requests, err)
	}
}

func TestSumsThatCannotBeReadCountNothing(t *testing.T) {
	table, s := newTable(t)
	b := s.NewBatch()
	b.Set(keyOf(recordHour, ByAPIKey, int64(hourOf(noon)), "p1"), []byte{0xff})
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	d := table.NewDelta()
	for range 2 {
		d.Add(refused(), noon)
		b = s.NewBatch()
		if err := table.Take([]*Delta{d}, b); err == nil {
			t.Fatal("a damaged record was read")
		}
		b.Discard()
	}
	// What was not counted then is not counted later either: its rows were dropped.
	d.Add(refused(), noon.Add(time.Hour))
	take(t, table, s, d)
	if sum, err := table.Sum(All, "", Span{}); err != nil || sum.Requests != 1 || table.Total(All, "").Requests != 1 {
		t.Errorf("%d requests in hours, a total of %d, %v; want 1", sum.Requests, table.Total(All, "").Requests, err)
	}
}
