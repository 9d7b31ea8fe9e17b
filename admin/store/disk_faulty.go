//go:build faultydisk

package store

import (
	"bytes"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// realFS is the file system of databases with faults on demand, in binaries that tests build with the tag faultydisk: a disk
// that turns read-only under open files, or whose fsync takes seconds, can't be had otherwise. The fault is what the file
// named by FAULTYDISK holds: full, readonly, slow, or nothing.
var realFS vfs.FS = scriptedFS{vfs.Default}

// slowSync is how long fsync takes on a slow disk.
const slowSync = 5 * time.Second

// scriptedFault returns the error of an operation under the present fault.
func scriptedFault(operation string) error {
	text, _ := os.ReadFile(os.Getenv("FAULTYDISK")) // no file, no fault
	switch {
	case bytes.Equal(text, []byte("full")) && operation != "rename":
		return &fs.PathError{Op: operation, Path: "disk", Err: syscall.ENOSPC}
	case bytes.Equal(text, []byte("readonly")):
		return &fs.PathError{Op: operation, Path: "disk", Err: syscall.EROFS}
	case bytes.Equal(text, []byte("slow")) && operation == "sync":
		time.Sleep(slowSync)
	}
	return nil
}

type scriptedFS struct{ vfs.FS }

func wrapScripted(open func() (vfs.File, error), operation string) (vfs.File, error) {
	if err := scriptedFault(operation); err != nil {
		return nil, err
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	return scriptedFile{f}, nil
}

func (s scriptedFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return wrapScripted(func() (vfs.File, error) { return s.FS.Create(name, c) }, "create")
}

func (s scriptedFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return wrapScripted(func() (vfs.File, error) { return s.FS.ReuseForWrite(from, to, c) }, "rename")
}

func (s scriptedFS) Rename(from, to string) error {
	if err := scriptedFault("rename"); err != nil {
		return err
	}
	return s.FS.Rename(from, to)
}

func (s scriptedFS) Remove(name string) error {
	if err := scriptedFault("rename"); err != nil {
		return err
	}
	return s.FS.Remove(name)
}

func (s scriptedFS) Unwrap() vfs.FS { return s.FS }

type scriptedFile struct{ vfs.File }

func (f scriptedFile) Write(b []byte) (int, error) {
	if err := scriptedFault("write"); err != nil {
		n, _ := f.File.Write(b[:len(b)/2]) // as a disk that fills up does
		return n, err
	}
	return f.File.Write(b)
}

func (f scriptedFile) Preallocate(offset, length int64) error {
	if err := scriptedFault("write"); err != nil {
		return err
	}
	return f.File.Preallocate(offset, length)
}

func (f scriptedFile) Sync() error {
	if err := scriptedFault("sync"); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f scriptedFile) SyncData() error {
	if err := scriptedFault("sync"); err != nil {
		return err
	}
	return f.File.SyncData()
}

func (f scriptedFile) SyncTo(length int64) (bool, error) {
	if err := scriptedFault("sync"); err != nil {
		return false, err
	}
	return f.File.SyncTo(length)
}
