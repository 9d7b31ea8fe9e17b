//go:build !race

package gatewaytest

import (
	"fmt"
	"io"
	"testing"

	"octopus/codec/llm"
)

// rehearsal is a reply to a stream of n tokens that goes nowhere.
func rehearsal(tb testing.TB, protocol llm.Protocol, n int) *reply {
	tb.Helper()
	p := &Provider{options: Options{Seed: 1, Now: fixedNow}}
	r := acquireReply(p, &conn{provider: p})
	q := question{protocol: protocol, model: fmt.Sprintf("m!tokens=%d,burst", n), stream: true}.fill()
	if !r.ask.read(protocol, []byte(q.body)) {
		tb.Fatal("the body is no JSON")
	}
	if err := r.readScript([]string{r.ask.modelScript}); err != nil {
		tb.Fatal(err)
	}
	r.answer.compose(&r.ask, &r.script, &r.ids, p.mint(), 0)
	return r
}

// replay plays the stream once more.
func (r *reply) replay(tb testing.TB, tokens int) {
	r.stream.reset()
	r.plain = true
	if _, err := r.WriteTo(io.Discard); err != nil || r.sent != tokens {
		tb.Fatalf("%d tokens, want %d; error %v", r.sent, tokens, err)
	}
}

// TestEventsDoNotAllocate shows that a long stream allocates no more than a short one.
func TestEventsDoNotAllocate(t *testing.T) {
	for _, protocol := range llm.Protocols {
		allocations := func(tokens int) float64 {
			r := rehearsal(t, protocol, tokens)
			return testing.AllocsPerRun(20, func() { r.replay(t, tokens) })
		}
		if short, long := allocations(10), allocations(110); long > short {
			t.Errorf("%s: %.0f allocations for 110 tokens, %.0f for 10", protocol, long, short)
		}
	}
}
