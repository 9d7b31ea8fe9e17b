package stats

import (
	"errors"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// Counters are the numbers of one series over some time. All only grow. The zero value has counted nothing.
type Counters struct {
	// Requests counts requests, and in the series of channels, keys and models the attempts on them: what they were rescued
	// from by others is theirs.
	Requests int64
	// Failures counts those of them that failed, by class; the place of outcome.ClassNone stays zero.
	Failures [outcome.Classes]int64
	// The tokens, by kind, as llm.Usage has them.
	Input, CacheRead, CacheWrite5m, CacheWrite1h, Output, Reasoning int64
	// CostNanoUSD is what they cost, as far as that is known; CostUnknown counts the requests whose cost is not.
	CostNanoUSD, CostUnknown int64
	// Time sums the time of requests (of attempts, where those are counted) from beginning to end; FirstTokenTime the time to
	// the first token, and FirstTokens how many there were.
	Time, FirstTokenTime time.Duration
	FirstTokens          int64
	// Times and FirstTokenTimes are the histograms of both.
	Times, FirstTokenTimes Histogram
}

// Failed returns how many requests failed.
func (c *Counters) Failed() int64 {
	n := int64(0)
	for _, of := range c.Failures {
		n += of
	}
	return n
}

// CacheWrite returns the tokens written to caches of either kind.
func (c *Counters) CacheWrite() int64 { return c.CacheWrite5m + c.CacheWrite1h }

// count counts one request or attempt.
func (c *Counters) count(class outcome.Class, total, firstToken time.Duration) {
	c.Requests++
	if class != outcome.ClassNone {
		c.Failures[class]++
	}
	c.Time += total
	c.Times.Observe(total)
	if firstToken > 0 {
		c.FirstTokens++
		c.FirstTokenTime += firstToken
		c.FirstTokenTimes.Observe(firstToken)
	}
}

// use counts what a request used and cost.
func (c *Counters) use(u *llm.Usage, nanoUSD int64, known bool) {
	c.Input += u.Input
	c.CacheRead += u.CacheRead
	c.CacheWrite5m += u.CacheWrite5m
	c.CacheWrite1h += u.CacheWrite1h
	c.Output += u.Output
	c.Reasoning += u.Reasoning
	if known {
		c.CostNanoUSD += nanoUSD
	} else {
		c.CostUnknown++
	}
}

// Merge adds other to c.
func (c *Counters) Merge(other *Counters) {
	from := other.numbers()
	for i, n := range c.numbers() {
		*n += *from[i]
	}
	for i, n := range other.Failures {
		c.Failures[i] += n
	}
	c.Times.merge(&other.Times)
	c.FirstTokenTimes.merge(&other.FirstTokenTimes)
}

// numbers returns the plain numbers in the order of their fields on disk.
func (c *Counters) numbers() [12]*int64 {
	return [...]*int64{
		&c.Requests, &c.Input, &c.CacheRead, &c.CacheWrite5m, &c.CacheWrite1h, &c.Output, &c.Reasoning, &c.CostNanoUSD,
		&c.CostUnknown, (*int64)(&c.Time), (*int64)(&c.FirstTokenTime), &c.FirstTokens,
	}
}

// The numbers of fields on disk (Protocol Buffers' wire format). Those of numbers come first, from 1 on. A number is never
// given a new meaning.
const (
	fieldFailures        = 32
	fieldTimes           = 33
	fieldFirstTokenTimes = 34
)

// append appends c as it is stored: only what is not zero.
func (c *Counters) append(dst []byte) []byte {
	for i, n := range c.numbers() {
		if *n != 0 {
			dst = protowire.AppendTag(dst, protowire.Number(i+1), protowire.VarintType)
			dst = protowire.AppendVarint(dst, uint64(*n))
		}
	}
	dst = appendList(dst, fieldFailures, c.Failures[:])
	dst = appendList(dst, fieldTimes, c.Times.Buckets[:])
	return appendList(dst, fieldFirstTokenTimes, c.FirstTokenTimes.Buckets[:])
}

// appendList appends the numbers of a list that are not zero, each behind its place.
func appendList(dst []byte, field protowire.Number, list []int64) []byte {
	size := 0
	for i, n := range list {
		if n != 0 {
			size += protowire.SizeVarint(uint64(i)) + protowire.SizeVarint(uint64(n))
		}
	}
	if size == 0 {
		return dst
	}
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(size))
	for i, n := range list {
		if n != 0 {
			dst = protowire.AppendVarint(protowire.AppendVarint(dst, uint64(i)), uint64(n))
		}
	}
	return dst
}

// errCounters is the error of counters that can't be read.
var errCounters = errors.New("stats: damaged counters")

// read adds stored counters to c. Fields that a newer version added are passed over.
func (c *Counters) read(text []byte) error {
	numbers := c.numbers()
	for len(text) > 0 {
		field, kind, n := protowire.ConsumeTag(text)
		if n < 0 {
			return errCounters
		}
		text = text[n:]
		switch {
		case kind == protowire.VarintType && int(field) <= len(numbers):
			value, n := protowire.ConsumeVarint(text)
			if n < 0 {
				return errCounters
			}
			*numbers[field-1] += int64(value)
			text = text[n:]
			continue
		case kind == protowire.BytesType:
			pairs, n := protowire.ConsumeBytes(text)
			if n < 0 {
				return errCounters
			}
			if list := c.list(field); list != nil && readList(pairs, list) != nil {
				return errCounters
			}
			text = text[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(field, kind, text); n < 0 {
			return errCounters
		}
		text = text[n:]
	}
	return nil
}

// list returns the list that a field holds, nil for one that is not known.
func (c *Counters) list(field protowire.Number) []int64 {
	switch field {
	case fieldFailures:
		return c.Failures[:]
	case fieldTimes:
		return c.Times.Buckets[:]
	case fieldFirstTokenTimes:
		return c.FirstTokenTimes.Buckets[:]
	}
	return nil
}

func readList(text []byte, list []int64) error {
	for len(text) > 0 {
		i, n := protowire.ConsumeVarint(text)
		if n < 0 {
			return errCounters
		}
		value, m := protowire.ConsumeVarint(text[n:])
		if m < 0 {
			return errCounters
		}
		if i < uint64(len(list)) {
			list[i] += int64(value)
		}
		text = text[n+m:]
	}
	return nil
}
