package requestlog

import (
	"context"
	"encoding/binary"
	"time"

	"octopus/admin/store"
)

// pruneStep is how much of the log's time goes at once when the log is too large.
const pruneStep = 6 * time.Hour

// Prune removes rows that were written before a time, and then the oldest ones until the log takes no more than maxBytes on
// disk. Ranges are removed, not rows, so it is quick; giving back their space takes longer, and ends early when ctx does.
func (l *Log) Prune(ctx context.Context, before time.Time, maxBytes int64) error {
	if err := l.remove(ctx, before); err != nil {
		return err
	}
	oldest, err := l.oldest()
	if err != nil || oldest.IsZero() {
		return err
	}
	size := uint64(0)
	for _, space := range [...]store.Space{store.SpaceLedger, store.SpaceLedgerIndex, store.SpaceBodies} {
		n, err := l.store.Size(space.Range())
		if err != nil {
			return err
		}
		size += n
	}
	if size <= uint64(maxBytes) {
		return nil
	}
	// The share that is too much, of the time that there is.
	span := time.Since(oldest)
	over := time.Duration(float64(span) * (1 - float64(maxBytes)/float64(size)))
	return l.remove(ctx, oldest.Add(max(over, min(pruneStep, span))))
}

// remove removes what was written before a time.
func (l *Log) remove(ctx context.Context, before time.Time) error {
	number := firstNumber(before)
	oldest, err := l.oldest()
	if err != nil || oldest.IsZero() || !oldest.Before(before) {
		return err
	}
	b := l.store.NewBatch()
	b.DeleteRange(blockKey(nil, 0), blockKey(nil, number))
	bodies := binary.BigEndian.AppendUint64(store.SpaceBodies.Key(nil), number)
	b.DeleteRange(store.SpaceBodies.Key(nil), bodies)
	// The index goes day by day; what is left of the last day leads to rows that are gone.
	b.DeleteRange(store.SpaceLedgerIndex.Key(nil), binary.BigEndian.AppendUint32(store.SpaceLedgerIndex.Key(nil), dayOf(number)))
	if err := l.store.Commit(b); err != nil {
		return err
	}
	// At once, or the next run would find the log as large as it was.
	for _, gone := range [...]store.Range{{From: blockKey(nil, 0), To: blockKey(nil, number)}, {From: store.SpaceBodies.Key(nil), To: bodies}} {
		if err := l.store.Compact(ctx, gone); err != nil {
			return err
		}
	}
	return nil
}

// oldest returns when the oldest row was written, the zero time when there is none.
func (l *Log) oldest() (at time.Time, err error) {
	err = l.store.Scan(store.SpaceLedger.Range(), func(key, _ []byte) bool {
		at = writtenAt(numberOf(key))
		return false
	})
	return at, err
}
