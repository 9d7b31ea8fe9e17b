package stats

import (
	"strings"
	"time"

	"octopus/gateway/outcome"
)

// Delta collects outcomes until a Table takes them. Make it with NewDelta. It belongs to one goroutine at a time.
type Delta struct {
	// models are the models that are counted each, shared by all deltas of a table.
	models *modelNames
	hours  map[hour]map[seriesKey]*Counters
	// now is the hour that was added to last, and its counters.
	now     hour
	current map[seriesKey]*Counters
	// free are counters that were reset and can be used again.
	free []*Counters
}

// NewDelta returns an empty delta for Table.Take.
func (t *Table) NewDelta() *Delta {
	return &Delta{models: &t.models, hours: make(map[hour]map[seriesKey]*Counters)}
}

// Add counts an outcome that was finished at a time. o is borrowed for the call. Nothing is allocated for series that the
// delta has had before.
func (d *Delta) Add(o *outcome.Outcome, finished time.Time) {
	if h := hourOf(finished); d.current == nil || h != d.now {
		d.now, d.current = h, d.hours[h]
		if d.current == nil {
			d.current = make(map[seriesKey]*Counters)
			d.hours[h] = d.current
		}
	}
	for _, of := range [...]seriesKey{{All, ""}, {ByGroup, o.GroupID}, {ByAPIKey, o.APIKeyID}} {
		if of.id != "" || of.dimension == All {
			c := d.series(of)
			c.count(o.Class, o.Total, o.FirstToken)
			c.use(&o.Usage, o.CostNanoUSD, o.CostKnown)
		}
	}
	served := o.Served()
	for i := range o.Attempts {
		a, used := &o.Attempts[i], &o.Attempts[i].Usage
		if i == served {
			used = &o.Usage
		}
		for _, of := range [...]seriesKey{{ByChannel, a.ChannelID}, {ByKey, a.Key}, {ByModel, d.models.counted(a.Model)}} {
			if of.id == "" {
				continue // a channel without keys
			}
			c := d.series(of)
			c.count(a.Class, a.Duration, a.FirstToken)
			if i == served || a.Verdict == outcome.Lose {
				c.use(used, a.CostNanoUSD, a.CostKnown)
			}
		}
	}
}

// series returns the counters of a series in the current hour.
func (d *Delta) series(of seriesKey) *Counters {
	if c := d.current[of]; c != nil {
		return c
	}
	of.id = strings.Clone(of.id) // the outcome's strings are borrowed
	c := new(Counters)
	if n := len(d.free); n > 0 {
		c, d.free = d.free[n-1], d.free[:n-1]
	}
	d.current[of] = c
	return c
}

// maxFree is how many reset counters a delta keeps.
const maxFree = 64

// reset empties the delta.
func (d *Delta) reset() {
	for h, series := range d.hours {
		for _, c := range series {
			if len(d.free) < maxFree {
				*c = Counters{}
				d.free = append(d.free, c)
			}
		}
		if h == d.now {
			clear(series)
			continue
		}
		delete(d.hours, h)
	}
}
