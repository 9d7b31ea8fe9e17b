package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Sizes of the database in memory: enough for a gateway's few objects and its log, small enough for a small machine. With a
// larger memtable reopening takes seconds.
const (
	cacheSize    = 8 << 20
	memtableSize = 8 << 20
	maxOpenFiles = 500
	// format is the version of Pebble's files. An older Pebble refuses a newer one.
	format = pebble.FormatTableFormatV6
)

// closeTimeout bounds Close on a disk that does not take what is left.
const closeTimeout = 10 * time.Second

// ErrClosed is returned by every method once Close was called.
var ErrClosed = errors.New("store: the database is closed")

// ErrBroken is returned by every method once the disk has failed in a way that waiting does not cure. The process can go on
// without its database, and must be restarted to have it back.
var ErrBroken = errors.New("store: the database is broken")

// Options are what a Store is opened with.
type Options struct {
	// Path is the directory of the database, made when it is missing.
	Path string
	// SecretKey has 32 bytes and seals secrets. A database is opened with the key that it was made with.
	SecretKey []byte
	// MustExist makes a database that is missing an error.
	MustExist bool
	// Logger is told when the disk stops taking writes, when it takes them again, and when it breaks. Nil means slog.Default.
	Logger *slog.Logger
	// fs is the file system, nil for the real one.
	fs vfs.FS
}

// Store is an open database. Make it with Open. Its methods may be called by any number of goroutines at once.
type Store struct {
	path   string
	db     *pebble.DB
	sealer *sealer
	disk   *patientFS
	log    *slog.Logger
	// opened is false while Open runs, whose errors are returned.
	opened atomic.Bool
	// broken is set once, by whoever sees the disk fail for good, who then closes breaks.
	broken atomic.Pointer[error]
	breaks chan struct{}
	// damages are the files that reads found damaged, by path.
	damages sync.Map
	// troubledAt is when background work that failed was logged last, in nanoseconds since 1970.
	troubledAt atomic.Int64
	// using guards closed, and that users grows only while it is false.
	using  sync.Mutex
	closed bool
	// users are the calls that use db.
	users sync.WaitGroup
	// close is closeOnce, once.
	close func() error
	// saving guards saved.
	saving sync.Mutex
	// saved is the configuration as it stands in the database, with what each object looked like there.
	saved savedConfig
}

// Open opens the database, making it when it is missing, and brings it to the present schema. Errors say in one line what
// is wrong with which path: it is in use by another process, not writable, newer than this program, made with another secret
// key, or damaged.
func Open(o Options) (*Store, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	under := o.fs
	if under == nil {
		under = realFS
	}
	sealer, err := newSealer(o.SecretKey)
	if err != nil {
		return nil, err
	}
	if _, err := under.Stat(o.Path); o.MustExist && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("database %s: there is none", o.Path) // Pebble would make the directory before it says so
	}
	s := &Store{path: o.Path, sealer: sealer, log: o.Logger, disk: newPatientFS(under, o.Logger), breaks: make(chan struct{})}
	s.close = sync.OnceValue(s.closeOnce)
	cache := pebble.NewCache(cacheSize)
	defer cache.Unref()
	// A disk that breaks meanwhile keeps Pebble's goroutine, as in write.
	if err := s.write(func() (err error) {
		s.db, err = pebble.Open(o.Path, &pebble.Options{
			FS:                 s.disk,
			Cache:              cache,
			MemTableSize:       memtableSize,
			MaxOpenFiles:       maxOpenFiles,
			FormatMajorVersion: format,
			ErrorIfNotExists:   o.MustExist,
			Logger:             pebbleLogger{s},
			EventListener:      &pebble.EventListener{DataCorruption: s.damaged, BackgroundError: s.troubled},
		})
		return err
	}); err != nil {
		if broken := s.broken.Load(); broken != nil {
			err = *broken
		}
		return nil, fmt.Errorf("database %s: %w", o.Path, explain(err, o.Path))
	}
	if err := s.prepare(migrations); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("database %s: %w", o.Path, err)
	}
	s.opened.Store(true)
	s.disk.patient.Store(true)
	return s, nil
}

// explain puts what is wrong with a database into words. Pebble's errors name the file that is damaged.
func explain(err error, path string) error {
	switch {
	case errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) && canOpen(path) || err.Error() == "lock held by current process":
		return errors.New("another process has it open")
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		return fmt.Errorf("not writable: %w", err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk is full: %w", err)
	case errors.Is(err, pebble.ErrDBDoesNotExist):
		return errors.New("there is none")
	case pebble.IsCorruptionError(err):
		// Which log, and where, is a detail that Error leaves out.
		if detailed := interface{ ErrorDetail() string }(nil); errors.As(err, &detailed) {
			return fmt.Errorf("damaged: %s: %w", detailed.ErrorDetail(), err)
		}
		return fmt.Errorf("damaged: %w", err)
	}
	return err
}

// canOpen reports whether the lock file can be opened, so that a refused lock is another process' (POSIX lets a system say
// either EAGAIN or EACCES).
func canOpen(path string) bool {
	f, err := os.OpenFile(filepath.Join(path, "LOCK"), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	_ = f.Close()
	return true
}

// Close writes what is left and closes the database. Calls that run are waited for, but none of them waits for a full disk any
// longer. It gives up after 10 seconds on a disk that takes nothing. It may be called more than once, and returns the same.
func (s *Store) Close() error { return s.close() }

func (s *Store) closeOnce() error {
	s.using.Lock()
	s.closed = true
	s.using.Unlock()
	s.disk.close()
	done := make(chan error, 1)
	go func() {
		s.users.Wait()
		done <- s.db.Close()
	}()
	select {
	case err := <-done:
		return err
	case <-s.breaks:
		return s.fault()
	case <-time.After(closeTimeout):
		return errors.New("store: the disk does not take what is left to write")
	}
}

// use begins a call that uses db, which must end with s.users.Done, or returns why it can't be used.
func (s *Store) use() error {
	s.using.Lock()
	defer s.using.Unlock()
	if err := s.fault(); err != nil {
		return err
	}
	if s.closed {
		return ErrClosed
	}
	s.users.Add(1)
	return nil
}

// write does what may find the disk broken: Pebble's goroutine then stays where it is (see pebbleLogger.Fatalf), and the
// caller's gets ErrBroken.
func (s *Store) write(do func() error) error {
	if err := s.use(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		defer s.users.Done()
		done <- do()
	}()
	select {
	case err := <-done:
		return err
	case <-s.breaks:
		return s.fault()
	}
}

// named puts the name of the file before an error of a read that found it damaged.
func named(err error) error {
	if info := pebble.ExtractDataCorruptionInfo(err); info != nil {
		return fmt.Errorf("%s is damaged: %w", info.Path, info.Details)
	}
	return err
}

// State is how the disk is. The zero value is well.
type State struct {
	// Waiting is why writes wait for the disk, nil when they don't; Since is when that began.
	Waiting error
	Since   time.Time
	// Broken is why the database is out of use until the next start, nil when it is not.
	Broken error
}

// State returns how the disk is.
func (s *Store) State() State {
	state := s.disk.state()
	if err := s.broken.Load(); err != nil {
		state.Broken = *err
	}
	return state
}

// fault returns ErrBroken with its reason when the database is broken.
func (s *Store) fault() error {
	if err := s.broken.Load(); err != nil {
		return fmt.Errorf("%w: %w", ErrBroken, *err)
	}
	return nil
}

// Backup copies the database, consistent as of now, into a directory that must not exist yet. Files that don't change are
// linked rather than copied where the file system is the same. The error wraps fs.ErrExist when the directory exists.
func (s *Store) Backup(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return fmt.Errorf("store: backup: %s exists already: %w", dir, fs.ErrExist)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	if err := s.write(func() error { return s.db.Checkpoint(dir, pebble.WithFlushedWAL()) }); err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	return nil
}

// Get appends the value of a key to dst. It returns false when there is none.
func (s *Store) Get(dst, key []byte) ([]byte, bool, error) {
	if err := s.use(); err != nil {
		return dst, false, err
	}
	defer s.users.Done()
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return dst, false, nil
	}
	if err != nil {
		return dst, false, fmt.Errorf("store: read %q: %w", key, named(err))
	}
	dst = append(dst, value...)
	return dst, true, closer.Close()
}

// Range is a range of keys. From is part of it, To is not.
type Range struct {
	From, To []byte
	// Reverse goes from the largest key to the smallest.
	Reverse bool
}

// Scan calls yield with each key of a range and its value, in order, until it returns false. Both are borrowed for the
// call. It sees the database as it is at the beginning.
func (s *Store) Scan(r Range, yield func(key, value []byte) bool) error {
	if err := s.use(); err != nil {
		return err
	}
	defer s.users.Done()
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: r.From, UpperBound: r.To})
	if err != nil {
		return fmt.Errorf("store: scan from %q: %w", r.From, err)
	}
	first, next := it.First, it.Next
	if r.Reverse {
		first, next = it.Last, it.Prev
	}
	for valid := first(); valid && yield(it.Key(), it.Value()); {
		valid = next()
	}
	// Close returns the error that ended the scan.
	if err := it.Close(); err != nil {
		return fmt.Errorf("store: scan from %q: %w", r.From, named(err))
	}
	return nil
}

// Batch collects changes. Make it with NewBatch; it belongs to one goroutine.
type Batch struct{ b *pebble.Batch }

// NewBatch returns an empty batch. It must be given to Commit or Discard.
func (s *Store) NewBatch() *Batch { return &Batch{s.db.NewBatch()} }

// Set sets the value of a key. Both are copied.
func (b *Batch) Set(key, value []byte) { must(b.b.Set(key, value, nil)) }

// Delete removes a key, if it is there.
func (b *Batch) Delete(key []byte) { must(b.b.Delete(key, nil)) }

// DeleteRange removes every key from one, which is part of the range, to another, which is not.
func (b *Batch) DeleteRange(from, to []byte) { must(b.b.DeleteRange(from, to, nil)) }

// Len returns the size of the batch in bytes.
func (b *Batch) Len() int { return b.b.Len() }

// Discard gives an unwritten batch up.
func (b *Batch) Discard() { must(b.b.Close()) }

// must panics on an error of a batch in memory: there are none but for a batch that was closed.
func must(err error) {
	if err != nil {
		panic("BUG: " + err.Error())
	}
}

// Commit writes a batch, all of it or nothing, waits until it is on disk, and releases the batch.
func (s *Store) Commit(b *Batch) error {
	err := s.write(func() error { return errors.Join(s.db.Apply(b.b, pebble.Sync), b.b.Close()) })
	if err != nil {
		return fmt.Errorf("store: write: %w", err)
	}
	return nil
}

// Compact gives back the space of what was removed from a range, which happens sooner or later anyway. It ends early, with
// ctx's error, when ctx does.
func (s *Store) Compact(ctx context.Context, r Range) error {
	if err := s.write(func() error { return s.db.Compact(ctx, r.From, r.To, false) }); err != nil {
		return fmt.Errorf("store: compact: %w", err)
	}
	return nil
}

// Size returns about how many bytes a range takes on disk.
func (s *Store) Size(r Range) (uint64, error) {
	if err := s.use(); err != nil {
		return 0, err
	}
	defer s.users.Done()
	return s.db.EstimateDiskUsage(r.From, r.To)
}

// after returns the smallest key that is larger than all with a prefix, so that prefix and it are the range of them.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
