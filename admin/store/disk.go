package store

import (
	"cmp"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// retryInterval is how often a write is tried again that the disk did not take.
const retryInterval = 250 * time.Millisecond

// patientFS is a file system whose writes wait while the disk is full or read-only. Pebble takes any error of a write for
// the end of the world; to it such a disk is just slow.
type patientFS struct {
	vfs.FS
	log *slog.Logger
	// patient is false while the database is opened: then a full disk is an error that is told.
	patient atomic.Bool
	// closed ends all waiting.
	closed    chan struct{}
	closeOnce sync.Once
	// mu guards what stands below it.
	mu      sync.Mutex
	waiting int
	reason  error
	since   time.Time
}

func newPatientFS(under vfs.FS, log *slog.Logger) *patientFS {
	return &patientFS{FS: under, log: log, closed: make(chan struct{})}
}

// close ends all waiting for the disk, for good.
func (p *patientFS) close() { p.closeOnce.Do(func() { close(p.closed) }) }

// state returns whether writes wait.
func (p *patientFS) state() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == 0 {
		return State{}
	}
	return State{Waiting: p.reason, Since: p.since}
}

// passes reports whether an error of the disk is one that waiting cures.
func passes(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS)
}

// retry does what write does, again and again while the disk does not take it.
func (p *patientFS) retry(write func() error) error {
	err := write()
	if err == nil || !passes(err) || !p.patient.Load() {
		return err
	}
	p.begin(err)
	defer p.end()
	for {
		select {
		case <-p.closed:
			return err
		case <-time.After(retryInterval):
		}
		if err = write(); err == nil || !passes(err) {
			return err
		}
	}
}

// probe returns the error of a disk that does not take some bytes now, into a file of that name.
func (p *patientFS) probe(name string, size int) error {
	f, err := p.FS.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, size))
	// In this order the first of them counts.
	return cmp.Or(err, f.Sync(), f.Close(), p.FS.Remove(name))
}

func (p *patientFS) begin(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting++; p.waiting == 1 {
		p.reason, p.since = err, time.Now()
		p.log.Error("the database's disk takes no writes; requests go on, what is to be recorded waits", "err", err)
	}
}

func (p *patientFS) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting--; p.waiting == 0 {
		p.log.Info("the database's disk takes writes again", "after_ms", time.Since(p.since).Milliseconds())
	}
}

// open makes a file patient too.
func (p *patientFS) open(make func() (vfs.File, error)) (f vfs.File, err error) {
	err = p.retry(func() error {
		f, err = make()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &patientFile{File: f, fs: p}, nil
}

func (p *patientFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return p.open(func() (vfs.File, error) { return p.FS.Create(name, category) })
}

func (p *patientFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return p.open(func() (vfs.File, error) { return p.FS.OpenReadWrite(name, category, opts...) })
}

func (p *patientFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return p.open(func() (vfs.File, error) { return p.FS.ReuseForWrite(oldname, newname, category) })
}

func (p *patientFS) OpenDir(name string) (vfs.File, error) {
	return p.open(func() (vfs.File, error) { return p.FS.OpenDir(name) })
}

func (p *patientFS) Link(oldname, newname string) error {
	return p.retry(func() error { return p.FS.Link(oldname, newname) })
}

func (p *patientFS) Rename(oldname, newname string) error {
	return p.retry(func() error { return p.FS.Rename(oldname, newname) })
}

func (p *patientFS) Remove(name string) error {
	return p.retry(func() error { return p.FS.Remove(name) })
}

// MkdirAll makes directories that nobody else may look into, whatever Pebble asks for: the log knows what clients said.
func (p *patientFS) MkdirAll(dir string, perm os.FileMode) error {
	return p.retry(func() error { return p.FS.MkdirAll(dir, perm&0o700) })
}

// Unwrap returns the file system below.
func (p *patientFS) Unwrap() vfs.FS { return p.FS }

// patientFile is a file of a patientFS.
type patientFile struct {
	vfs.File
	fs *patientFS
}

// Write writes all of b, however many tries it takes.
func (f *patientFile) Write(b []byte) (n int, err error) {
	err = f.fs.retry(func() error {
		written, err := f.File.Write(b[n:])
		n += written
		return err
	})
	return n, err
}

func (f *patientFile) WriteAt(b []byte, offset int64) (n int, err error) {
	err = f.fs.retry(func() error {
		written, err := f.File.WriteAt(b[n:], offset+int64(n))
		n += written
		return err
	})
	return n, err
}

func (f *patientFile) Preallocate(offset, length int64) error {
	return f.fs.retry(func() error { return f.File.Preallocate(offset, length) })
}

func (f *patientFile) Sync() error { return f.fs.retry(f.File.Sync) }

func (f *patientFile) SyncData() error { return f.fs.retry(f.File.SyncData) }

func (f *patientFile) SyncTo(length int64) (full bool, err error) {
	err = f.fs.retry(func() error {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}
