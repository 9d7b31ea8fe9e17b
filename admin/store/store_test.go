package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var testKey = bytes.Repeat([]byte{7}, 32)

// open opens a database that is closed at the end of the test.
func open(t *testing.T, o Options) *Store {
	t.Helper()
	if o.SecretKey == nil {
		o.SecretKey = testKey
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func set(t *testing.T, s *Store, key, value string) {
	t.Helper()
	b := s.NewBatch()
	b.Set([]byte(key), []byte(value))
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s *Store, key string) string {
	t.Helper()
	value, _, err := s.Get(nil, []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}

func TestWhatIsCommittedIsThereAfterAReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	s := open(t, Options{Path: path})
	for i := range 5 {
		set(t, s, fmt.Sprintf("x%d", i), fmt.Sprint(i))
	}
	b := s.NewBatch()
	b.Delete([]byte("x0"))
	b.DeleteRange([]byte("x3"), []byte("x4"))
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	s.NewBatch().Discard()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Path: path})
	for _, test := range []struct {
		r    Range
		want string
	}{
		{Prefixed([]byte("x")), "x1 x2 x4 "},
		{Range{From: []byte("x"), To: []byte("x4"), Reverse: true}, "x2 x1 "},
		{Range{From: []byte("x2"), To: []byte("y")}, "x2 x4 "},
	} {
		got := ""
		if err := s.Scan(test.r, func(key, _ []byte) bool { got += string(key) + " "; return true }); err != nil || got != test.want {
			t.Errorf("scan %+v: got %q, want %q, err %v", test.r, got, test.want, err)
		}
	}
	if _, ok, err := s.Get(nil, []byte("x0")); ok || err != nil {
		t.Errorf("a deleted key: %t, %v", ok, err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	made := func(t *testing.T, change func(s *Store)) string {
		path := filepath.Join(t.TempDir(), "db")
		s := open(t, Options{Path: path})
		if change != nil {
			change(s)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		name    string
		options func(t *testing.T) Options
		want    string
	}{
		{"in use", func(t *testing.T) Options {
			path := filepath.Join(t.TempDir(), "db")
			open(t, Options{Path: path})
			return Options{Path: path}
		}, "another process has it open"},
		{"another secret key", func(t *testing.T) Options {
			return Options{Path: made(t, nil), SecretKey: bytes.Repeat([]byte{8}, 32)}
		}, "made with another secret key"},
		{"a secret key of another size", func(t *testing.T) Options {
			return Options{Path: made(t, nil), SecretKey: []byte("short")}
		}, "5 bytes, want 32"},
		{"a newer schema", func(t *testing.T) Options {
			return Options{Path: made(t, func(s *Store) { set(t, s, "mschema", "99") })}
		}, "written by a newer version of octopus (schema 99"},
		{"a broken schema", func(t *testing.T) Options {
			return Options{Path: made(t, func(s *Store) { set(t, s, "mschema", "x") })}
		}, `schema version is "x"`},
		{"somebody else's", func(t *testing.T) Options {
			return Options{Path: made(t, func(s *Store) {
				b := s.NewBatch()
				b.DeleteRange([]byte("a"), []byte("z"))
				b.Set([]byte("other"), nil)
				if err := s.Commit(b); err != nil {
					t.Fatal(err)
				}
			})}
		}, "not a database of octopus"},
		{"a file in its place", func(t *testing.T) Options {
			path := filepath.Join(t.TempDir(), "db")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return Options{Path: path}
		}, "not a directory"},
		{"not writable", func(t *testing.T) Options {
			faulty := &faultyFS{FS: vfs.NewMem()}
			faulty.set(syscall.EROFS)
			return Options{Path: "db", fs: faulty}
		}, "not writable"},
		{"a full disk", func(t *testing.T) Options {
			faulty := &faultyFS{FS: vfs.NewMem()}
			faulty.set(syscall.ENOSPC)
			return Options{Path: "db", fs: faulty}
		}, "the disk is full"},
		{"a damaged manifest", func(t *testing.T) Options {
			path := made(t, nil)
			damage(t, filepath.Join(path, "MANIFEST-*"))
			return Options{Path: path}
		}, "malformed manifest file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := test.options(t)
			if o.SecretKey == nil {
				o.SecretKey = testKey
			}
			o.Logger = slog.New(slog.DiscardHandler)
			s, err := Open(o)
			if err == nil {
				_ = s.Close()
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want one line with %q", err, test.want)
			}
		})
	}
}

// damage overwrites the middle of the files that match.
func damage(t *testing.T, pattern string) {
	t.Helper()
	files, _ := filepath.Glob(pattern)
	if len(files) == 0 {
		t.Fatalf("no file %s", pattern)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := len(text) / 4; i < len(text)*3/4; i++ {
			text[i] ^= 0xff
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestATornTailOfTheLogCostsOnlyTheTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, Options{Path: path})
	set(t, s, "x1", "kept")
	// A copy is what a power cut leaves.
	torn := filepath.Join(t.TempDir(), "db")
	if err := os.CopyFS(torn, os.DirFS(path)); err != nil {
		t.Fatal(err)
	}
	logs, _ := filepath.Glob(filepath.Join(torn, "*.log"))
	if len(logs) == 0 {
		t.Fatal("no log to tear")
	}
	f, err := os.OpenFile(logs[len(logs)-1], os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = f.Write([]byte("half a rec"))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, open(t, Options{Path: torn}), "x1"); got != "kept" {
		t.Errorf("got %q", got)
	}
}

func TestTheSchemaIsMigratedStepByStep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, Options{Path: path})
	set(t, s, "x", "1")
	step := func(from, to string) migration {
		return func(s *Store, b *Batch) error {
			if got := get(t, s, "x"); got != from {
				return fmt.Errorf("got %q, want %q", got, from)
			}
			b.Set([]byte("x"), []byte(to))
			return nil
		}
	}
	steps := []migration{step("1", "2"), step("2", "3"), func(*Store, *Batch) error { return errors.New("no way") }}
	if err := s.prepare(steps); err == nil || !strings.Contains(err.Error(), "migrate schema 3: no way") {
		t.Errorf("got %v", err)
	}
	if x, version := get(t, s, "x"), get(t, s, "mschema"); x != "3" || version != "3" {
		t.Errorf("x is %s at schema %s: a step that failed must leave what was before it", x, version)
	}
	if err := s.prepare(steps[:2]); err != nil {
		t.Errorf("an up-to-date schema: %v", err)
	}
}

// faultyFS is a file system that fails writes on demand.
type faultyFS struct {
	vfs.FS
	err atomic.Pointer[error]
}

func (f *faultyFS) set(err error) {
	if err == nil {
		f.err.Store(nil)
		return
	}
	f.err.Store(&err)
}

func (f *faultyFS) fault(operation string) error {
	if err := f.err.Load(); err != nil {
		return &fs.PathError{Op: operation, Path: "disk", Err: *err}
	}
	return nil
}

func (f *faultyFS) wrap(file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f}, nil
}

func (f *faultyFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.fault("create"); err != nil {
		return nil, err
	}
	return f.wrap(f.FS.Create(name, c))
}

func (f *faultyFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.fault("reuse"); err != nil {
		return nil, err
	}
	return f.wrap(f.FS.ReuseForWrite(from, to, c))
}

func (f *faultyFS) MkdirAll(name string, perm fs.FileMode) error {
	return errors.Join(f.fault("mkdir"), f.FS.MkdirAll(name, perm))
}

type faultyFile struct {
	vfs.File
	fs *faultyFS
}

// Write writes half before it fails, as a disk that fills up does.
func (f *faultyFile) Write(b []byte) (int, error) {
	if err := f.fs.fault("write"); err != nil {
		n, _ := f.File.Write(bytes.Clone(b[:len(b)/2]))
		return n, err
	}
	return f.File.Write(b)
}

func (f *faultyFile) Sync() error     { return errors.Join(f.fs.fault("sync"), f.File.Sync()) }
func (f *faultyFile) SyncData() error { return errors.Join(f.fs.fault("sync"), f.File.SyncData()) }

func TestAFullDiskIsWaitedFor(t *testing.T) {
	for _, fault := range []syscall.Errno{syscall.ENOSPC, syscall.EROFS, syscall.EDQUOT} {
		t.Run(fault.Error(), func(t *testing.T) {
			faulty := &faultyFS{FS: vfs.NewMem()}
			var log strings.Builder
			s := open(t, Options{Path: "db", fs: faulty, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			set(t, s, "x1", "before")
			faulty.set(fault)
			done := make(chan struct{})
			go func() {
				defer close(done)
				set(t, s, "x2", strings.Repeat("during", 1000))
			}()
			for s.State().Waiting == nil {
				time.Sleep(time.Millisecond)
			}
			select {
			case <-done:
				t.Fatal("the write ended on a full disk")
			default:
			}
			if got := get(t, s, "x1"); got != "before" {
				t.Errorf("reading meanwhile: %q", got)
			}
			faulty.set(nil)
			<-done
			if state := s.State(); state != (State{}) {
				t.Errorf("afterwards the state is %+v", state)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, Options{Path: "db", fs: faulty.FS})
			if got := get(t, s, "x2"); got != strings.Repeat("during", 1000) {
				t.Errorf("after a reopen %d bytes are there", len(got))
			}
			if n := strings.Count(log.String(), "takes no writes"); n != 1 {
				t.Errorf("the fault was logged %d times:\n%s", n, &log)
			}
		})
	}
}

func TestABrokenDiskIsToldAndBlocksNobody(t *testing.T) {
	faulty := &faultyFS{FS: vfs.NewMem()}
	s := open(t, Options{Path: "db", fs: faulty})
	set(t, s, "x", "1")
	faulty.set(syscall.EIO)
	b := s.NewBatch()
	b.Set([]byte("y"), nil)
	if err := s.Commit(b); !errors.Is(err, ErrBroken) || !strings.Contains(err.Error(), "input/output error") {
		t.Errorf("the commit: %v", err)
	}
	if _, _, err := s.Get(nil, []byte("x")); !errors.Is(err, ErrBroken) {
		t.Errorf("a read afterwards: %v", err)
	}
	if err := s.Close(); !errors.Is(err, ErrBroken) || s.State().Broken == nil {
		t.Errorf("close: %v, state %+v", err, s.State())
	}
}

func TestABackupIsADatabase(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Path: filepath.Join(dir, "db")})
	set(t, s, "x", "1")
	backup := filepath.Join(dir, "backups", "monday")
	if err := s.Backup(backup); err != nil {
		t.Fatal(err)
	}
	set(t, s, "x", "2")
	if got := get(t, open(t, Options{Path: backup}), "x"); got != "1" {
		t.Errorf("the backup has %q", got)
	}
	if err := s.Backup(backup); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a second backup to the same place: %v", err)
	}
}

func TestNobodyElseMayLookIntoADatabase(t *testing.T) {
	dir := t.TempDir()
	database, backup := filepath.Join(dir, "db"), filepath.Join(dir, "copy")
	if err := open(t, Options{Path: database}).Backup(backup); err != nil {
		t.Fatal(err)
	}
	for _, made := range []string{database, backup} {
		info, err := os.Stat(made)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o700 {
			t.Errorf("%s has mode %o, want 700", made, got)
		}
	}
}

func TestClosingEndsTheWaitForAFullDisk(t *testing.T) {
	faulty := &faultyFS{FS: vfs.NewMem()}
	s := open(t, Options{Path: "db", fs: faulty})
	set(t, s, "x1", "before")
	faulty.set(syscall.ENOSPC)
	done := make(chan error)
	go func() {
		b := s.NewBatch()
		b.Set([]byte("x2"), nil)
		done <- s.Commit(b)
	}()
	for s.State().Waiting == nil {
		time.Sleep(time.Millisecond)
	}
	begun := time.Now()
	closed := s.Close()
	if err := <-done; err == nil || closed == nil || time.Since(begun) > closeTimeout/2 {
		t.Errorf("after %v: the commit %v, close %v; want errors, and soon", time.Since(begun), err, closed)
	}
	if _, _, err := s.Get(nil, []byte("x1")); err == nil {
		t.Error("a read of a closed database")
	}
}

func TestAClosedDatabaseIsAnError(t *testing.T) {
	s := open(t, Options{Path: filepath.Join(t.TempDir(), "db")})
	b := s.NewBatch()
	b.Set([]byte("x"), nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, read := s.Get(nil, []byte("x"))
	_, size := s.Size(Prefixed([]byte("x")))
	for what, err := range map[string]error{
		"commit": s.Commit(b), "get": read, "size": size, "scan": s.Scan(Range{}, func(_, _ []byte) bool { return true }),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestADamagedTableIsAnErrorOfItsReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, Options{Path: path})
	for i := range 1000 {
		set(t, s, fmt.Sprintf("x%d", i), strings.Repeat("value", i%50))
	}
	for range 2 { // the second time, all is in tables
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, Options{Path: path})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tables, _ := filepath.Glob(filepath.Join(path, "*.sst"))
	for _, table := range tables {
		text, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		for i := len(text) / 3; i < len(text)/3+100; i++ { // not where Open reads
			text[i] ^= 0xff
		}
		if err := os.WriteFile(table, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	s = open(t, Options{Path: path, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 3 {
		err := s.Scan(Prefixed([]byte("x")), func(_, _ []byte) bool { return true })
		if err == nil || !strings.Contains(err.Error(), ".sst is damaged") || strings.Contains(err.Error(), "\n") {
			t.Errorf("a scan: %v; want one line that names the table", err)
		}
	}
	set(t, s, "y", "1") // writing goes on
	if n := strings.Count(log.String(), "is damaged"); n != 1 || strings.Contains(log.String(), "stack") {
		t.Errorf("it was logged %d times:\n%s", n, &log)
	}
}
