package messages

import (
	"bytes"

	"octopus/codec/llm"
	"octopus/codec/sse"
)

// maxHeldText bounds the text that is held back while a call of the tool for JSON is expected.
const maxHeldText = sse.MaxEvent

// jsonAnswer is about answers that shall be JSON where the target has no format for that (protocols.md D.8): the input of the
// tool that stands in for it becomes the text of the answer, and other text is left out. The zero value changes nothing.
type jsonAnswer struct {
	// name is the tool's, empty when there is none.
	name string
	// unfence is whether a fence of Markdown around the answer is taken away.
	unfence bool
	called  bool
	held    []byte
}

func (j *jsonAnswer) reset(name string) { *j = jsonAnswer{name: name} }

// takes reports whether wire is the tool.
func (j *jsonAnswer) takes(wire string) bool {
	if j.name == "" || wire != j.name || j.called {
		return false
	}
	j.called = true
	return true
}

// waits reports whether text must wait until it is known whether it is the answer.
func (j *jsonAnswer) waits() bool { return j.name != "" || j.unfence }

// hold keeps a piece of text that waits.
func (d *Decoder) hold(text []byte, out llm.Emitter) {
	if len(d.jsonTool.held)+len(text) > maxHeldText {
		d.fail(out, &llm.Error{Kind: llm.Upstream, Message: "the upstream's answer is too long"})
		return
	}
	d.jsonTool.held = append(d.jsonTool.held, text...)
}

// flushHeld emits the text that was held back, where no call has taken its place.
func (d *Decoder) flushHeld(out llm.Emitter) {
	j := &d.jsonTool
	text := j.held
	j.held = nil
	if j.called || len(text) == 0 || j.name != "" && d.calls > 0 {
		return
	}
	if j.unfence {
		text = withoutFence(text)
	}
	b := d.begin(0, blockText)
	d.openText(b, out)
	d.emitDelta(b, text, out)
	d.closeBlock(len(d.blocks)-1, out)
}

// withoutFence takes the fence of a code block of JSON away.
func withoutFence(text []byte) []byte {
	trimmed := bytes.TrimSpace(text)
	inner, ok := bytes.CutPrefix(trimmed, []byte("```json"))
	if !ok {
		return text
	}
	return bytes.TrimSpace(bytes.TrimSuffix(inner, []byte("```")))
}
