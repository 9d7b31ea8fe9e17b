package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// pebbleLogger is what Pebble tells its news to.
type pebbleLogger struct{ store *Store }

var _ pebble.Logger = pebbleLogger{}

// Infof is about flushes and compactions: nobody needs it.
func (l pebbleLogger) Infof(string, ...any) {}

// Errorf is about background work that failed and will be tried again.
func (l pebbleLogger) Errorf(format string, args ...any) {
	if l.store.opened.Load() {
		l.store.log.Warn("database", "err", fmt.Sprintf(format, args...))
	}
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
	if l.store.broken.CompareAndSwap(nil, &err) {
		close(l.store.breaks)
		if l.store.opened.Load() {
			l.store.log.Error("the database is broken; requests go on and nothing is recorded until a restart", "err", err)
		}
	}
	select {}
}

// fatal is an error that Pebble puts into words without wrapping its cause.
type fatal struct {
	error
	cause error
}

func (f fatal) Unwrap() error { return f.cause }
