// Package codec carries a call between the protocol of a client and the protocol of an upstream.
//
// The relay sees one type for every pair, Bridge. Where both sides speak the same protocol the bytes pass untouched
// but for what must change, and a tap reads the usage on the way (passthrough.go); where they differ, a reader, the
// neutral form of package llm and a writer stand between (translate.go).
//
// Start reading at Bridge, then Request.
package codec
