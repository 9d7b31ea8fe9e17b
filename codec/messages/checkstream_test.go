package messages

import (
	"strconv"
	"strings"
	"testing"

	"octopus/codec/json"
	"octopus/codec/sse"
)

// streamed is a message put together from a stream, as the SDKs do.
type streamed struct {
	start, delta, usage string
	blocks              []streamedBlock
	failed              string // the error event's data
}

type streamedBlock struct {
	start, kind, text, signature, input string
	citations                           int
}

// checkStream checks that a stream is what the strictest client accepts (protocols.md A.8, A.10), and returns the message.
func checkStream(t *testing.T, stream string) *streamed {
	t.Helper()
	m := &streamed{}
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf(format+"\nin %q", append(args, stream)...)
	}
	var r sse.Reader
	var e sse.Event
	r.Feed([]byte(stream))
	open, ended := -1, false
	for r.Next(&e) {
		data := string(e.Data)
		kind := strings.Trim(look(data, "type"), `"`)
		if ended {
			fail("%s behind the end", kind)
		}
		if !json.Valid(e.Data) || string(e.Name) != kind || e.Lines != 1 {
			fail("event %q with %d lines of data %q", e.Name, e.Lines, data)
			continue
		}
		if m.start == "" && kind != "message_start" && kind != "error" {
			fail("%s before the start", kind)
		}
		if m.delta != "" && kind != "message_stop" && kind != "error" {
			fail("%s behind message_delta", kind)
		}
		index := look(data, "index")
		switch kind {
		case "message_start":
			if m.start != "" {
				fail("started twice")
			}
			m.start = look(data, "message")
			if _, ok := json.Int([]byte(look(m.start, "usage input_tokens"))); !ok || look(m.start, "content") != "[]" ||
				look(m.start, "stop_reason") != "null" {
				fail("start %s", m.start)
			}
		case "content_block_start":
			if open >= 0 || index != strconv.Itoa(len(m.blocks)) {
				fail("block %s begins while %d is open and %d were begun", index, open, len(m.blocks))
			}
			open = len(m.blocks)
			block := look(data, "content_block")
			m.blocks = append(m.blocks, streamedBlock{start: block, kind: strings.Trim(look(block, "type"), `"`)})
		case "content_block_delta":
			if open < 0 || index != strconv.Itoa(open) {
				fail("piece of block %s while %d is open", index, open)
				continue
			}
			m.blocks[open].add(look(data, "delta"), fail)
		case "content_block_stop":
			if open < 0 || index != strconv.Itoa(open) {
				fail("block %s ends while %d is open", index, open)
				continue
			}
			m.blocks[open].check(fail)
			open = -1
		case "message_delta":
			m.delta, m.usage = look(data, "delta"), look(data, "usage")
			if open >= 0 || json.IsNull([]byte(look(m.delta, "stop_reason"))) {
				fail("message_delta %s while %d is open", data, open)
			}
			for _, name := range []string{"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"} {
				if _, ok := json.Int([]byte(look(m.usage, name))); !ok {
					fail("usage %s has no %s", m.usage, name)
				}
			}
		case "message_stop":
			ended = true
			if m.delta == "" {
				fail("message_stop without message_delta")
			}
		case "error":
			ended = true
			m.failed = look(data, "error")
			if look(m.failed, "type") == "" || look(m.failed, "message") == "" {
				fail("error %s", data)
			}
		case "ping":
		default:
			fail("unknown event %s", kind)
		}
	}
	if r.Rest(&e) || !ended {
		fail("no end")
	}
	return m
}

// add puts a piece to the block.
func (b *streamedBlock) add(delta string, fail func(string, ...any)) {
	kind := strings.Trim(look(delta, "type"), `"`)
	text := func(name string) string {
		value, ok := json.Unquote([]byte(look(delta, name)))
		if !ok {
			fail("piece %s has no %s", delta, name)
		}
		return string(value)
	}
	switch {
	case b.kind == "text" && kind == "text_delta":
		b.text += text("text")
	case b.kind == "text" && kind == "citations_delta":
		b.citations++
		switch strings.Trim(look(delta, "citation type"), `"`) {
		case "web_search_result_location", "page_location", "char_location":
		default:
			fail("citation %s", delta)
		}
	case b.kind == "thinking" && kind == "thinking_delta" && b.signature == "":
		b.text += text("thinking")
	case b.kind == "thinking" && kind == "signature_delta" && b.signature == "":
		b.signature = text("signature")
	case b.kind == "tool_use" && kind == "input_json_delta":
		b.input += text("partial_json")
	default:
		fail("piece %s in a block of type %s", delta, b.kind)
	}
}

// check checks a block that has ended.
func (b *streamedBlock) check(fail func(string, ...any)) {
	switch b.kind {
	case "text":
		if b.text == "" {
			fail("empty text")
		}
	case "thinking":
		if b.signature == "" {
			fail("thinking without signature")
		}
	case "tool_use":
		if look(b.start, "id") == "" || look(b.start, "name") == "" || look(b.start, "input") != "{}" {
			fail("call begins as %s", b.start)
		}
	case "redacted_thinking", "server_tool_use", "web_search_tool_result":
	default:
		fail("block of type %s", b.kind)
	}
}

// compareMessages compares the message of a stream with a whole one.
func compareMessages(t *testing.T, m *streamed, whole string) {
	t.Helper()
	if !json.Valid([]byte(whole)) {
		t.Fatalf("no JSON: %s", whole)
	}
	same := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s differs: the stream has %s, the whole answer %s", what, got, want)
		}
	}
	same("id", look(m.start, "id"), look(whole, "id"))
	same("model", look(m.start, "model"), look(whole, "model"))
	same("stop_reason", look(m.delta, "stop_reason"), look(whole, "stop_reason"))
	same("stop_sequence", look(m.delta, "stop_sequence"), look(whole, "stop_sequence"))
	same("stop_details", look(m.delta, "stop_details"), look(whole, "stop_details"))
	same("usage", m.usage, look(whole, "usage"))
	quote := func(s string) string { return string(json.AppendString(nil, s)) }
	e := json.Array([]byte(look(whole, "content")))
	n := 0
	for ; e.Next(); n++ {
		if n >= len(m.blocks) {
			continue
		}
		block, b := string(e.Value()), &m.blocks[n]
		same("type", quote(b.kind), look(block, "type"))
		switch b.kind {
		case "text":
			same("text", quote(b.text), look(block, "text"))
		case "thinking":
			same("thinking", quote(b.text), look(block, "thinking"))
			same("signature", quote(b.signature), look(block, "signature"))
		case "tool_use":
			same("id", look(b.start, "id"), look(block, "id"))
			same("name", look(b.start, "name"), look(block, "name"))
			if input := strings.TrimSpace(b.input); input == "" {
				same("input", "{}", look(block, "input"))
			} else if json.Valid([]byte(input)) && input[0] == '{' {
				same("input", input, look(block, "input"))
			}
		default:
			same("block", b.start, block)
		}
	}
	if n != len(m.blocks) {
		t.Errorf("the stream has %d blocks, the whole answer %d: %s", len(m.blocks), n, whole)
	}
}
