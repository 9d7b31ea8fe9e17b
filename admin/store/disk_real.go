//go:build !faultydisk

package store

import "github.com/cockroachdb/pebble/v2/vfs"

// realFS is the file system of databases.
var realFS = vfs.Default
