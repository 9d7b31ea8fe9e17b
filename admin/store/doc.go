// Package store is the database of one process: an embedded Pebble, and the only place that knows it.
//
// A Store keeps the configuration (LoadConfig, SaveConfig), the account of the panel, and, for the packages above it, plain
// keys and values in ranges of their own (see Space): they write Batches and Scan. A batch is on disk as a whole or not at
// all. What is secret in the configuration is sealed with a key that the database does not hold.
//
// No method may be called on the way of a client's request: each may take as long as the disk does. A disk that is full
// or read-only makes writers wait until it is not; a disk that is broken makes every later call return ErrBroken. Both show
// in State.
//
// Start reading at Open.
package store
