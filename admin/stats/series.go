package stats

import (
	"encoding/binary"
	"time"

	"octopus/admin/store"
)

// Dimension is what a series is about. The numbers are part of the format on disk.
type Dimension byte

// The dimensions.
const (
	// All has one series, of all requests, whose id is empty.
	All Dimension = 'a'
	// ByChannel, ByKey and ByModel count attempts; their ids are those of channels and keys, and the upstream's names.
	ByChannel Dimension = 'c'
	ByKey     Dimension = 'k'
	ByModel   Dimension = 'm'
	// ByGroup and ByAPIKey count requests; their ids are those of groups and API keys.
	ByGroup  Dimension = 'g'
	ByAPIKey Dimension = 'p'
)

// Dimensions lists all dimensions.
var Dimensions = [...]Dimension{All, ByChannel, ByKey, ByModel, ByGroup, ByAPIKey}

// OtherModels is the id of the models that are too many to be counted each: names come from clients where API keys may call
// channel/model.
const OtherModels = "(other)"

// maxModels is how many models are counted each.
const maxModels = 1000

// hour is a number of hours since 1970 in UTC, day a number of days of the calendar since then.
type (
	hour int64
	day  int64
)

// hourOf returns the hour of a time.
func hourOf(t time.Time) hour { return hour(t.Unix() / 3600) }

func (h hour) start() time.Time { return time.Unix(int64(h)*3600, 0) }

// dayOf returns the calendar's day of a time in a zone.
func dayOf(t time.Time, zone *time.Location) day {
	y, m, d := t.In(zone).Date()
	return day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// start returns when a day begins in a zone.
func (d day) start(zone *time.Location) time.Time {
	y, m, date := time.Unix(int64(d)*86400, 0).UTC().Date()
	return time.Date(y, m, date, 0, 0, 0, 0, zone)
}

// seriesKey names a series.
type seriesKey struct {
	dimension Dimension
	id        string
}

// The kinds of records in store.SpaceStats, the second byte of their keys: sums of an hour, of a day, of all time.
const (
	recordHour  = 'h'
	recordDay   = 'd'
	recordTotal = 't'
)

// keyOf returns the key of a record: its kind, the dimension, the time, the id. The time comes before the id, so that a span
// of time is one range of keys.
func keyOf(kind byte, dimension Dimension, at int64, id string) []byte {
	key := append(store.SpaceStats.Key(nil), kind, byte(dimension))
	key = binary.BigEndian.AppendUint32(key, uint32(at))
	return append(key, id...)
}

// idOffset is where the id begins in a key.
const idOffset = 7

// timeOf returns the time in a key of at least idOffset bytes.
func timeOf(key []byte) int64 { return int64(binary.BigEndian.Uint32(key[3:])) }
