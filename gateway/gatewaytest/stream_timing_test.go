//go:build !race

package gatewaytest

import (
	"testing"

	"octopus/codec/llm"
)

// BenchmarkStream renders streams of 100 tokens and throws them away; divide by 100 for the cost of an event, to which
// a write or a part of one is added. Run with -benchmem: the allocations are per stream.
func BenchmarkStream(b *testing.B) {
	const tokens = 100
	for _, protocol := range llm.Protocols {
		b.Run(protocol.String(), func(b *testing.B) {
			r := rehearsal(b, protocol, tokens)
			for b.Loop() {
				r.replay(b, tokens)
			}
		})
	}
}
