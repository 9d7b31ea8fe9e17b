// Package sse reads streams of server-sent events as providers really send them
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
//
// Reader takes bytes cut anywhere, also inside a line ending or a character, and yields whole events. It accepts LF,
// CRLF and CR, comments, a byte order mark, data with and without a space after the colon, data of several lines, and
// a last event without its blank line. The fields id and retry are of no use to a gateway and are not decoded.
//
// An event is a piece of the input wherever that is possible, and Event.Raw is every byte of it, so that a stream can
// be forwarded as it came. Only an event that arrived in several pieces is put together in the reader's buffer.
// MaxEvent bounds that buffer. In the steady state nothing is allocated.
//
// Start reading at Reader.
package sse
