//go:build !race

package codec

import (
	"testing"

	"octopus/codec/llm"
)

// cutStep is at which bytes the golden streams are cut in two: at all of them.
const cutStep = 1

// noAllocations fails when run allocates.
func noAllocations(t *testing.T, name string, run func()) {
	t.Helper()
	if n := testing.AllocsPerRun(1000, run); n != 0 {
		t.Errorf("%s: %v allocations per run, want none", name, n)
	}
}

func TestRequestDoesNotAllocate(t *testing.T) {
	params, err := CompileParams([]byte(`{"temperature":null,"metadata":{"team":"red"},"service_tier":"flex"}`))
	if err != nil {
		t.Fatal(err)
	}
	body := chatBody(1<<10, true)
	var r Request
	noAllocations(t, "Peek", func() {
		if r.Peek(llm.Chat, body) != nil {
			t.Error("refused")
		}
	})
	r.AnswerModel = "alias"
	dst := make([]byte, 0, 2*len(body))
	b := Acquire(llm.Chat, llm.Chat)
	defer Release(b)
	for name, target := range map[string]*Target{
		"AppendRequest":             {Protocol: llm.Chat, Model: "gpt-5.4-mini"},
		"AppendRequest with params": {Protocol: llm.Chat, Model: "gpt-5.4-mini", Params: params},
	} {
		noAllocations(t, name, func() { dst, _ = b.AppendRequest(dst[:0], &r, target) })
	}
}

func TestStreamDoesNotAllocate(t *testing.T) {
	for _, v := range vectors(t, "sse") {
		if v.client != v.target {
			continue // a conversion allocates per stream, but not per event: see its own tests
		}
		b, _ := v.start(t, v.Request)
		dst := make([]byte, 0, 2*len(v.in))
		sent, last := relay(b, v.cause(), v.in)
		Release(b)
		if last == Failed {
			continue // an error is made for the client
		}
		var r Request
		if err := r.Peek(v.client, v.Request); err != nil {
			t.Fatal(err)
		}
		r.AnswerModel = v.AnswerModel
		target := &Target{Protocol: v.target}
		request := make([]byte, 0, 1024)
		noAllocations(t, v.String(), func() {
			b := Acquire(v.client, v.target)
			request, _ = b.AppendRequest(request[:0], &r, target)
			half := len(v.in) / 2
			first, _ := b.Feed(dst, v.in[:half])
			n := len(first)
			second, last := b.Feed(dst, v.in[half:])
			n += len(second)
			if last != End {
				second, last = b.Finish(dst, v.cause())
				n += len(second)
			}
			if last != End || n != len(sent) {
				t.Errorf("%v: step %d, %d bytes, want %d", &v, last, n, len(sent))
			}
			Release(b)
		})
	}
}

func TestAnswerDoesNotAllocate(t *testing.T) {
	body := chatAnswer(1 << 10)
	b := Acquire(llm.Chat, llm.Chat)
	defer Release(b)
	noAllocations(t, "Answer", func() { b.Answer(nil, body) })
}
