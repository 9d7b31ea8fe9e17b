package codec

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// messagesRules are the rules of Anthropic's events (A.8).
type messagesRules struct {
	*clientStream
	started, ended bool
	stopped        bool // message_delta has come
	reason         any
	blocks, calls  int
	open           bool
	kind           string
	text           strings.Builder
	signatures     int
	ids            []string
	blank          bool // a text of white space alone has come
}

var anthropicID = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func (r *messagesRules) event(e *streamEvent) error {
	o, err := e.decode()
	if err != nil {
		return err
	}
	kind, _ := o["type"].(string)
	switch {
	case kind == "" || kind != e.name:
		return fmt.Errorf("an event of type %q has the name %q", kind, e.name)
	case r.ended:
		return errors.New("behind the end")
	case kind == "ping":
		return nil
	case kind == "error":
		r.ended = true
		inner, _ := o["error"].(object)
		if !slices.Contains([]string{"invalid_request_error", "authentication_error", "permission_error", "not_found_error",
			"request_too_large", "rate_limit_error", "api_error", "overloaded_error", "timeout_error", "billing_error",
		}, fmt.Sprint(inner["type"])) {
			return fmt.Errorf("nobody knows errors of type %v", inner["type"])
		}
		return errors.Join(has(o, "type", "error", "request_id?"), texts(inner, "message"))
	case !r.started:
		r.started = true
		if kind != "message_start" {
			return errors.New("not message_start")
		}
		return r.start(o["message"].(object))
	case kind == "message_stop":
		r.ended = true
		if !r.stopped {
			return errors.New("no stop reason has come")
		}
		return nil
	case r.stopped:
		return errors.New("behind message_delta")
	case kind == "message_delta":
		return r.stop(o)
	case kind == "content_block_start":
		return r.begin(o)
	case o["index"] != float64(r.blocks) || !r.open:
		return fmt.Errorf("block %v is not open", o["index"])
	case kind == "content_block_delta":
		return r.delta(o["delta"].(object))
	case kind == "content_block_stop":
		return r.close()
	}
	return errors.New("nobody knows such an event")
}

func (r *messagesRules) start(m object) error {
	usage, _ := m["usage"].(object)
	content, ok := m["content"].([]any)
	if !ok || len(content) > 0 || m["stop_reason"] != nil || m["type"] != "message" || m["role"] != "assistant" {
		return errors.New("no beginning of a message")
	}
	return errors.Join(texts(m, "id!", "model"), has(m, "id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"),
		numbers(usage, "input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"))
}

func (r *messagesRules) stop(o object) error {
	r.stopped = true
	delta, _ := o["delta"].(object)
	usage, _ := o["usage"].(object)
	r.reason = delta["stop_reason"]
	switch {
	case r.open:
		return errors.New("a block is open")
	case !slices.Contains([]any{"end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"}, r.reason):
		return fmt.Errorf("stop reason %v", r.reason)
	case (r.reason == "stop_sequence") != (delta["stop_sequence"] != nil):
		return errors.New("the stop sequence doesn't fit the reason")
	case r.reason == "tool_use" && r.calls == 0, r.reason == "end_turn" && r.calls > 0:
		return fmt.Errorf("stop reason %v with %d calls", r.reason, r.calls)
	}
	return errors.Join(has(delta, "stop_reason", "stop_sequence", "stop_details?"),
		numbers(usage, "input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"))
}

func (r *messagesRules) begin(o object) error {
	if r.open || o["index"] != float64(r.blocks) {
		return fmt.Errorf("block %v is not the next", o["index"])
	}
	if r.blank {
		return errors.New("a text of white space beside other content")
	}
	b := o["content_block"].(object)
	r.open, r.signatures = true, 0
	r.text.Reset()
	r.kind, _ = b["type"].(string)
	switch r.kind {
	case "text":
		if b["text"] != "" {
			return errors.New("a text begins empty")
		}
	case "thinking":
		if b["thinking"] != "" || b["signature"] != "" {
			return errors.New("thinking begins empty")
		}
	case "redacted_thinking":
		return texts(b, "data!")
	case "tool_use":
		r.calls++
		fallthrough
	case "server_tool_use":
		id, _ := b["id"].(string)
		if !anthropicID.MatchString(id) || slices.Contains(r.ids, id) {
			return fmt.Errorf("the id %q", id)
		}
		r.ids = append(r.ids, id)
		if input, ok := b["input"].(object); !ok || r.kind == "tool_use" && len(input) > 0 {
			return errors.New("no input to begin with")
		}
		return texts(b, "name!")
	case "web_search_tool_result", "code_execution_tool_result":
		if !slices.Contains(r.ids, fmt.Sprint(b["tool_use_id"])) {
			return errors.New("the result of no call")
		}
	default:
		return fmt.Errorf("nobody knows blocks of type %q", r.kind)
	}
	return nil
}

func (r *messagesRules) delta(d object) error {
	kind := fmt.Sprint(d["type"])
	place := map[string]string{
		"text_delta": "text", "citations_delta": "text", "thinking_delta": "thinking", "signature_delta": "thinking",
		"input_json_delta": "tool_use",
	}
	if place[kind] != r.kind {
		return fmt.Errorf("%s in a block of type %s", kind, r.kind)
	}
	switch kind {
	case "text_delta":
		r.text.WriteString(d["text"].(string))
		return texts(d, "text!")
	case "thinking_delta":
		if r.signatures > 0 {
			return errors.New("behind the signature")
		}
		return texts(d, "thinking!")
	case "signature_delta":
		r.signatures++
		return texts(d, "signature!")
	case "input_json_delta":
		r.text.WriteString(d["partial_json"].(string))
		return texts(d, "partial_json!")
	}
	c, _ := d["citation"].(object)
	switch c["type"] {
	case "web_search_result_location":
		return texts(c, "url!", "title!", "cited_text", "encrypted_index")
	case "page_location", "char_location":
		return texts(c, "cited_text")
	}
	return fmt.Errorf("nobody knows citations of type %v", c["type"])
}

func (r *messagesRules) close() error {
	r.open = false
	r.blocks++
	switch {
	case r.kind == "text" && r.text.Len() == 0:
		return errors.New("an empty text")
	case r.kind == "text" && strings.TrimSpace(r.text.String()) == "":
		if r.blank = true; r.blocks > 1 {
			return errors.New("a text of white space beside other content")
		}
	case r.kind == "thinking" && r.signatures != 1:
		return fmt.Errorf("%d signatures", r.signatures)
	case r.kind == "tool_use" && r.text.Len() > 0 && !isObject(r.text.String()) && !r.anyArguments:
		// Only an answer that was cut may have such a call, and it must be the last.
		r.kind = "cut"
	}
	return nil
}

func (r *messagesRules) end() error {
	switch {
	case !r.ended:
		return errors.New("no end")
	case r.kind == "cut" && r.stopped && r.reason != "max_tokens":
		return fmt.Errorf("the input of a call is %q", r.text.String())
	}
	return nil
}
