package stats

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"octopus/admin/store"
)

// hoursKept is how long sums of hours are kept; after that they are folded into days.
const hoursKept = 35 * 24 * time.Hour

// Table has the sums. Make it with Open. Its methods may be called by any number of goroutines at once, but Take and Fold by
// one.
type Table struct {
	store *store.Store
	// zone is where days are those of.
	zone   *time.Location
	models modelNames
	// mu guards totals and hours.
	mu sync.RWMutex
	// totals are the sums of all time; hours those of the hours that were added to lately, as they are on disk.
	totals map[seriesKey]*Counters
	hours  map[hour]map[seriesKey]*Counters
	// latest is the latest hour of all.
	latest hour
}

// Open returns the table in a store.
func Open(s *store.Store) (*Table, error) {
	t := &Table{store: s, zone: time.Local, totals: make(map[seriesKey]*Counters), hours: make(map[hour]map[seriesKey]*Counters)}
	var bad error
	err := s.Scan(store.Prefixed(store.SpaceStats.Key(nil, string(recordTotal))), func(key, value []byte) bool {
		c := new(Counters)
		if len(key) < idOffset || c.read(value) != nil {
			bad = fmt.Errorf("%w at %q", errCounters, key)
			return false
		}
		of := seriesKey{Dimension(key[2]), string(key[idOffset:])}
		t.totals[of] = c
		if of.dimension == ByModel {
			t.models.counted(of.id)
		}
		return true
	})
	if err = cmp.Or(err, bad); err != nil {
		return nil, err
	}
	return t, nil
}

// Take adds deltas to the sums, empties them, and puts the new sums into the batch, which must be committed then: a batch that
// is not is lost to the disk, while the table has counted it. On an error, of reading an earlier sum, nothing is counted.
func (t *Table) Take(deltas []*Delta, b *store.Batch) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer func() {
		for _, d := range deltas {
			d.reset()
		}
	}()
	// All that can fail comes first, so that what is counted is counted whole.
	for _, d := range deltas {
		for h, series := range d.hours {
			for of := range series {
				if _, err := t.sum(h, of); err != nil {
					return err
				}
			}
		}
	}
	changed := make(map[hour]map[seriesKey]*Counters)
	for _, d := range deltas {
		for h, series := range d.hours {
			if changed[h] == nil {
				changed[h] = make(map[seriesKey]*Counters, len(series))
			}
			for of, c := range series {
				sum := t.hours[h][of]
				sum.Merge(c)
				changed[h][of] = sum
				t.total(of).Merge(c)
			}
		}
	}
	totals := make(map[seriesKey]bool)
	for h, series := range changed {
		t.latest = max(t.latest, h)
		for of, sum := range series {
			b.Set(keyOf(recordHour, of.dimension, int64(h), of.id), sum.append(nil))
			if !totals[of] {
				totals[of] = true
				b.Set(keyOf(recordTotal, of.dimension, 0, of.id), t.totals[of].append(nil))
			}
		}
	}
	for h := range t.hours {
		if h < t.latest-1 {
			delete(t.hours, h)
		}
	}
	return nil
}

// sum returns the sums of a series in an hour, read from disk when the hour is not at hand.
func (t *Table) sum(h hour, of seriesKey) (*Counters, error) {
	if t.hours[h] == nil {
		t.hours[h] = make(map[seriesKey]*Counters)
	}
	if c := t.hours[h][of]; c != nil {
		return c, nil
	}
	c := new(Counters)
	text, ok, err := t.store.Get(nil, keyOf(recordHour, of.dimension, int64(h), of.id))
	if err == nil && ok {
		err = c.read(text)
	}
	if err != nil {
		return nil, err
	}
	t.hours[h][of] = c
	return c, nil
}

func (t *Table) total(of seriesKey) *Counters {
	if t.totals[of] == nil {
		t.totals[of] = new(Counters)
	}
	return t.totals[of]
}

// Total returns the sums of all time of a series.
func (t *Table) Total(dimension Dimension, id string) Counters {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if c := t.totals[seriesKey{dimension, id}]; c != nil {
		return *c
	}
	return Counters{}
}

// Span is a time from, which is part of it, to, which is not. Zero times are the beginning and the end of time. Spans are taken
// in whole hours, and in whole days where only days are left.
type Span struct{ From, To time.Time }

// Today returns the span of the present day where the process is, up to now.
func (t *Table) Today() Span { return Span{From: dayOf(time.Now(), t.zone).start(t.zone)} }

// Sum returns the sums of a series over a span.
func (t *Table) Sum(dimension Dimension, id string, span Span) (Counters, error) {
	var sum Counters
	err := t.scan(dimension, span, func(_ time.Time, of string, c *Counters) {
		if of == id {
			sum.Merge(c)
		}
	})
	return sum, err
}

// Point is the sums of some time that begins at Start.
type Point struct {
	Start time.Time
	Counters
}

// Points returns the sums of a series over a span, by hours, or by days where the process is. Times without any are left out.
// Hours that are older than 35 days are only there as days.
func (t *Table) Points(dimension Dimension, id string, span Span, byDay bool) ([]Point, error) {
	var points []Point
	err := t.scan(dimension, span, func(start time.Time, of string, c *Counters) {
		if of != id {
			return
		}
		if byDay {
			start = dayOf(start, t.zone).start(t.zone)
		}
		if n := len(points); n > 0 && points[n-1].Start.Equal(start) {
			points[n-1].Merge(c)
			return
		}
		points = append(points, Point{start, *c})
	})
	return points, err
}

// Ranked is a series with its sums.
type Ranked struct {
	ID string
	Counters
}

// Totals returns the series of a dimension with their sums of all time, in no order.
func (t *Table) Totals(dimension Dimension) []Ranked {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var all []Ranked
	for of, c := range t.totals {
		if of.dimension == dimension {
			all = append(all, Ranked{of.id, *c})
		}
	}
	return all
}

// Ranking returns the series of a dimension with their sums over a span, the largest by a number first.
func (t *Table) Ranking(dimension Dimension, span Span, by func(*Counters) int64) ([]Ranked, error) {
	sums := make(map[string]*Counters)
	err := t.scan(dimension, span, func(_ time.Time, id string, c *Counters) {
		if sums[id] == nil {
			sums[id] = new(Counters)
		}
		sums[id].Merge(c)
	})
	ranking := make([]Ranked, 0, len(sums))
	for id, c := range sums {
		ranking = append(ranking, Ranked{id, *c})
	}
	slices.SortFunc(ranking, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(by(&b.Counters), by(&a.Counters)), cmp.Compare(a.ID, b.ID))
	})
	return ranking, err
}

// scan calls yield with the sums of a dimension's days and hours in a span, in the order of time. c is borrowed.
func (t *Table) scan(dimension Dimension, span Span, yield func(start time.Time, id string, c *Counters)) error {
	for _, kind := range [...]byte{recordDay, recordHour} {
		var bad error
		err := t.store.Scan(t.keys(span, kind, dimension), func(key, value []byte) bool {
			var c Counters
			if bad = c.read(value); bad != nil {
				return false
			}
			start := hour(timeOf(key)).start()
			if kind == recordDay {
				start = day(timeOf(key)).start(t.zone)
			}
			yield(start, string(key[idOffset:]), &c)
			return true
		})
		if err = cmp.Or(err, bad); err != nil {
			return err
		}
	}
	return nil
}

// keys returns the keys of a span's records of a kind.
func (t *Table) keys(s Span, kind byte, dimension Dimension) store.Range {
	from, to := int64(0), int64(1<<32-1)
	if !s.From.IsZero() {
		from = int64(hourOf(s.From))
		if kind == recordDay {
			from = int64(dayOf(s.From, t.zone))
		}
	}
	if !s.To.IsZero() {
		// What begins before the end is part of the span.
		to = int64(hourOf(s.To.Add(time.Hour - 1)))
		if kind == recordDay {
			to = int64(dayOf(s.To.Add(-1), t.zone)) + 1
		}
	}
	return store.Range{From: keyOf(kind, dimension, from, ""), To: keyOf(kind, dimension, max(from, to), "")}
}

// Fold makes days of the hours that are older than 35 days, into a batch of its own. It returns how many hours there were.
func (t *Table) Fold(now time.Time) (int, error) {
	before := hourOf(dayOf(now.Add(-hoursKept), t.zone).start(t.zone))
	days := make(map[string]*Counters) // by key
	b := t.store.NewBatch()
	folded := 0
	for _, dimension := range Dimensions {
		var bad error
		err := t.store.Scan(store.Range{From: keyOf(recordHour, dimension, 0, ""), To: keyOf(recordHour, dimension, int64(before), "")},
			func(key, value []byte) bool {
				at := string(keyOf(recordDay, dimension, int64(dayOf(hour(timeOf(key)).start(), t.zone)), string(key[idOffset:])))
				if days[at] == nil {
					days[at] = new(Counters)
					var text []byte
					var ok bool
					if text, ok, bad = t.store.Get(nil, []byte(at)); bad == nil && ok {
						bad = days[at].read(text)
					}
				}
				if bad == nil {
					bad = days[at].read(value)
				}
				b.Delete(key)
				folded++
				return bad == nil
			})
		if err = cmp.Or(err, bad); err != nil {
			b.Discard()
			return 0, err
		}
	}
	if folded == 0 {
		b.Discard()
		return 0, nil
	}
	for at, c := range days {
		b.Set([]byte(at), c.append(nil))
	}
	// What is folded and at hand all the same, as when a clock was ahead by months, must be read again before it is added to.
	t.mu.Lock()
	for h := range t.hours {
		if h < before {
			delete(t.hours, h)
		}
	}
	t.mu.Unlock()
	return folded, t.store.Commit(b)
}
