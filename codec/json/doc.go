// Package json is all that Octopus knows about JSON, and the only importer of sonic.
//
// Most of what passes through a gateway need not be parsed: a request is read at its top level, an event is looked at
// for four or five members. So the heart of the package is a pair of cursors, Members and Elements, that walk over
// one level of a value without allocating and step over everything below it with sonic's SIMD code, as fast as memory
// is read. Around them stand the few conversions between JSON texts and Go values.
//
// What is checked: the structure, always and to the last byte (brackets, commas, colons, numbers, literals, at most
// 4096 levels deep). What is not: the insides of strings that nobody reads (raw control characters, unknown escapes,
// invalid UTF-8). InvalidUTF8 checks the encoding, Unquote the escapes of what it decodes.
//
// Nothing here panics on any input. Slices that are returned alias the input unless said otherwise.
//
// Start reading at Members.
package json
