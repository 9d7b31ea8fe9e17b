package messages

import (
	"fmt"
	"strings"
	"testing"

	"octopus/codec/llm"
	"octopus/codec/sse"
)

// steps is an emitter that writes down what it gets, one short word a step, and checks the promise of llm.EventKind.
type steps struct {
	t       *testing.T
	log     []string
	open    map[int]llm.ItemKind
	next    int
	started bool
	ended   bool
	usage   llm.Usage
	stop    llm.Stop
	err     *llm.Error
}

func newSteps(t *testing.T) *steps { return &steps{t: t, open: make(map[int]llm.ItemKind)} }

var kindNames = map[llm.ItemKind]string{
	llm.Text: "text", llm.Thought: "thought", llm.Call: "call", llm.Hosted: "hosted", llm.Refusal: "refusal",
}

func (s *steps) Emit(e *llm.Event) {
	s.t.Helper()
	if s.ended {
		s.t.Errorf("step %d behind the end: %v", e.Kind, s.log)
	}
	if !s.started && e.Kind != llm.EventStart && e.Kind != llm.EventFault {
		s.t.Errorf("step %d before the start", e.Kind)
	}
	if e.Usage != nil {
		s.usage = *e.Usage
	}
	_, isOpen := s.open[e.Index]
	switch e.Kind {
	case llm.EventStart:
		if s.started {
			s.t.Error("started twice")
		}
		s.started = true
		s.add("start %s %s", e.ID, e.Model)
	case llm.EventOpen:
		if e.Index != s.next {
			s.t.Errorf("index %d, want %d", e.Index, s.next)
		}
		s.next++
		s.open[e.Index] = e.Item.Kind
		words := []string{"open", kindNames[e.Item.Kind], e.Item.CallID, e.Item.Namespace, e.Item.Name}
		if e.Item.Custom {
			words = append(words, "custom")
		}
		if e.Item.Redacted {
			words = append(words, "redacted")
		}
		s.add("%s", strings.Join(strings.Fields(strings.Join(words, " ")), " "))
	case llm.EventDelta, llm.EventCite, llm.EventClose:
		if !isOpen {
			s.t.Errorf("step %d for item %d, which is not open: %v", e.Kind, e.Index, s.log)
		}
		s.addInner(e)
	case llm.EventUsage:
	case llm.EventStop:
		if len(s.open) > 0 {
			s.t.Errorf("items are open at the end: %v", s.open)
		}
		s.ended, s.stop = true, e.Stop
		s.add("stop %d %s", e.Stop.Reason, e.Stop.Sequence)
	case llm.EventFault:
		s.ended, s.err = true, e.Err
		s.add("fault %s", e.Err.Message)
	}
}

func (s *steps) addInner(e *llm.Event) {
	switch e.Kind {
	case llm.EventDelta:
		s.add("%d+%s", e.Index, e.Text)
	case llm.EventCite:
		s.add("%d cites %s", e.Index, e.Citation.URL)
	case llm.EventClose:
		s.add("close %d %s%s", e.Index, e.Item.Seal, e.Item.Arguments)
		delete(s.open, e.Index)
	}
}

func (s *steps) add(format string, args ...any) {
	s.log = append(s.log, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (s *steps) String() string { return strings.Join(s.log, "; ") }

// nowhere is an emitter that does nothing.
type nowhere struct{}

func (nowhere) Emit(*llm.Event) {}

// both hands every step to two emitters.
type both [2]llm.Emitter

func (b both) Emit(e *llm.Event) {
	b[0].Emit(e)
	b[1].Emit(e)
}

// feed lets a decoder read a stream that arrives in pieces of size bytes, and says then that it is over.
func feed(d *Decoder, stream string, size int, out llm.Emitter) {
	var r sse.Reader
	var e sse.Event
	for len(stream) > 0 {
		n := min(size, len(stream))
		r.Feed([]byte(stream[:n]))
		for r.Next(&e) {
			d.Event(&e, out)
		}
		stream = stream[n:]
	}
	if r.Rest(&e) {
		d.Event(&e, out)
	}
	if !d.Paused() {
		d.End(false, out)
	}
}

// streamOf returns a stream of events, each given by its data; the name is the type.
func streamOf(events ...string) string {
	var b strings.Builder
	for _, data := range events {
		name := strings.Trim(look(data, "type"), `"`)
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", name, data)
	}
	return b.String()
}

// Pieces of streams.
const (
	evStart = `{"type":"message_start","message":{"id":"msg_u","type":"message","role":"assistant","model":"claude-u",` +
		`"content":[],"stop_reason":null,"usage":{"input_tokens":10,"cache_read_input_tokens":3,"output_tokens":1}}}`
	evStop = `{"type":"message_stop"}`
)

func evBlock(index int, block string) string {
	return fmt.Sprintf(`{"type":"content_block_start","index":%d,"content_block":%s}`, index, block)
}

func evDelta(index int, kind, member, text string) string {
	return fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":{"type":%q,%q:%s}}`, index, kind, member, text)
}

func evText(index int, text string) string { return evDelta(index, "text_delta", "text", text) }

func evInput(index int, text string) string {
	return evDelta(index, "input_json_delta", "partial_json", text)
}

func evEnd(index int) string { return fmt.Sprintf(`{"type":"content_block_stop","index":%d}`, index) }

func evReason(reason string) string {
	return `{"type":"message_delta","delta":{"stop_reason":"` + reason + `","stop_sequence":null},"usage":{"output_tokens":20}}`
}

// Blocks as they begin.
const (
	blockOfText     = `{"type":"text","text":""}`
	blockOfThinking = `{"type":"thinking","thinking":"","signature":""}`
)

func blockOfCall(id, name string) string {
	return fmt.Sprintf(`{"type":"tool_use","id":%q,"name":%q,"input":{}}`, id, name)
}
