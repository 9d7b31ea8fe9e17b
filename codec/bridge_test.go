package codec

import (
	"testing"

	"octopus/codec/llm"
)

func TestAcquire(t *testing.T) {
	for _, client := range append(llm.Protocols[:], 0) {
		for _, target := range llm.Protocols {
			b := Acquire(client, target)
			if (b != nil) != (client != 0) {
				t.Errorf("from %v to %v: got %v", client, target, b)
			}
			if b != nil {
				Release(b)
			}
		}
	}
	if b := Acquire(0, 0); b != nil {
		t.Errorf("from none to none: got %v", b)
	}
}

func TestReleaseDropsLargeBuffers(t *testing.T) {
	var b passthrough
	b.reset(llm.Chat)
	large := string(make([]byte, maxKept))
	if _, err := b.AppendRequest(nil, &Request{AnswerModel: large}, &Target{Model: large}); err != nil {
		t.Fatal(err)
	}
	b.Feed(nil, []byte("data: x"))
	b.release()
	if cap(b.model) > maxKept || cap(b.quoted) > maxKept {
		t.Errorf("buffers of %d and %d bytes are kept", cap(b.model), cap(b.quoted))
	}
	if b.event.Raw != nil || b.events.Pos() != 0 {
		t.Error("a reference to the stream is kept")
	}
}
