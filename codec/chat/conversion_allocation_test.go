//go:build !race

package chat

import (
	"testing"

	"octopus/codec/llm"
)

// TestOrdinaryEventsDoNotAllocate decodes events in the middle of an answer and writes them as Chat again.
func TestOrdinaryEventsDoNotAllocate(t *testing.T) {
	for name, chunk := range map[string]string{
		"text":          says("hello"),
		"escaped text":  says(`a\n\"b\"`),
		"reasoning":     `"delta":{"reasoning_content":"hm"}`,
		"arguments":     calls(`{"index":0,"function":{"arguments":"\"a\","}}`),
		"custom input":  calls(`{"index":1,"function":{"arguments":"a\\nb"}}`),
		"refusal":       `"delta":{"refusal":"no"}`,
		"usage":         `{"id":"x","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3}}`,
		"half an emoji": says(`a\ud83d`),
	} {
		t.Run(name, func(t *testing.T) {
			x := exchange(request(llm.Chat), "m")
			x.Names.Add("wire", llm.ToolName{Kind: llm.CustomTool, Name: "p"})
			var d Decoder
			var w StreamWriter
			d.Reset(x)
			w.Reset(x)
			begin := frames(calls(`{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{"}}`),
				calls(`{"index":1,"id":"c2","type":"function","function":{"name":"wire",`+
					`"arguments":"{\"input\":\""}}`), chunk, chunk)
			decodeEvents(&d, begin, &w)
			out := make([]byte, 0, 1<<20)
			out = w.Take(out)
			e := eventOf(frames(chunk))
			if n := testing.AllocsPerRun(100, func() {
				d.Event(e, &w)
				out = w.Take(out[:0])
			}); n != 0 {
				t.Errorf("%g allocations per event", n)
			}
		})
	}
}
