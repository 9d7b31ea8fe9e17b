package store

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// pebbleLogger is what Pebble tells its news to.
type pebbleLogger struct{ store *Store }

var _ pebble.Logger = pebbleLogger{}

// Infof is about flushes and compactions: nobody needs it.
func (l pebbleLogger) Infof(string, ...any) {}

// Errorf is about background work that failed and will be tried again.
func (l pebbleLogger) Errorf(format string, args ...any) {
	l.store.troubled(fmt.Errorf(format, args...))
}

// Fatalf must not return, by Pebble's contract, and must not end a process that serves requests: it notes that the database
// is broken and keeps its goroutine for ever. That may hold locks of Pebble, so nothing of it is called again.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	for _, arg := range args {
		if cause, ok := arg.(error); ok {
			err = fatal{err, cause}
		}
	}
	l.store.fail(err)
	select {}
}

// fail notes that the database is out of use, and why.
func (s *Store) fail(err error) {
	if s.broken.CompareAndSwap(nil, &err) {
		close(s.breaks)
		if s.opened.Load() {
			s.log.Error("the database is broken; requests go on and nothing is recorded until a restart", "err", err)
		}
	}
}

// troublePause is how long the same trouble is not logged again: Pebble repeats its work at once.
const troublePause = time.Minute

// Pebble's errors are logged by their Error, since slog would print all that they know, the stack too.

// troubled is told of background work that failed. While the database is opened Pebble would repeat it for ever.
func (s *Store) troubled(err error) {
	if !s.opened.Load() {
		s.fail(err)
		return
	}
	now := time.Now().UnixNano()
	if last := s.troubledAt.Load(); now-last > int64(troublePause) && s.troubledAt.CompareAndSwap(last, now) {
		s.log.Warn("the database's background work failed and is repeated", "err", err.Error())
	}
}

// damaged is told what a read found. The read itself returns an error.
func (s *Store) damaged(info pebble.DataCorruptionInfo) {
	if _, known := s.damages.LoadOrStore(info.Path, true); !known && s.opened.Load() {
		s.log.Error("a file of the database is damaged; what it holds can't be read", "file", info.Path, "err", info.Details.Error())
	}
}

// fatal is an error that Pebble puts into words without wrapping its cause.
type fatal struct {
	error
	cause error
}

func (f fatal) Unwrap() error { return f.cause }
