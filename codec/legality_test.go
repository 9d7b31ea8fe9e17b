package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"octopus/codec/llm"
)

// object is a JSON object of a stream under test.
type object = map[string]any

// streamEvent is one event of a client's stream.
type streamEvent struct {
	name string
	data []byte
}

// clientStream is what the rules of a client's stream depend on besides the stream itself.
type clientStream struct {
	protocol llm.Protocol
	// includeUsage is whether a Chat client asked for the usage chunk.
	includeUsage bool
	// customTools are the custom tools that a Chat client declared.
	customTools []string
	// anyArguments is whether the arguments of calls may be anything: the upstream's are nonsense.
	anyArguments bool
}

// newClientStream reads what counts from a client's request.
func newClientStream(t testing.TB, p llm.Protocol, request []byte) *clientStream {
	t.Helper()
	var r struct {
		StreamOptions struct {
			IncludeUsage bool `json:"include_usage"`
		} `json:"stream_options"`
		Tools []struct {
			Type   string
			Custom struct{ Name string }
		}
	}
	if err := json.Unmarshal(request, &r); err != nil {
		t.Fatal(err)
	}
	s := &clientStream{protocol: p, includeUsage: r.StreamOptions.IncludeUsage}
	for _, tool := range r.Tools {
		if p == llm.Chat && tool.Type == "custom" {
			s.customTools = append(s.customTools, tool.Custom.Name)
		}
	}
	return s
}

// check returns what the strictest client would refuse of a whole stream (protocols.md A.3, A.6, A.8, A.10), or nil.
func (s *clientStream) check(stream []byte) error {
	if !utf8.Valid(stream) {
		return errors.New("not UTF-8")
	}
	events, err := splitEvents(stream)
	if err != nil {
		return err
	}
	var rules interface {
		event(e *streamEvent) error
		end() error
	}
	switch s.protocol {
	case llm.Chat:
		rules = &chatRules{clientStream: s, arguments: map[float64]*strings.Builder{}}
	case llm.Responses:
		rules = &responsesRules{clientStream: s}
	case llm.Messages:
		rules = &messagesRules{clientStream: s}
	}
	for i := range events {
		if err := rules.event(&events[i]); err != nil {
			return fmt.Errorf("event %d (%s): %w", i, events[i].data, err)
		}
	}
	return rules.end()
}

// splitEvents takes a stream apart in the one form that all clients read: an optional line "event: ", a line "data: " and
// an empty line. Comments are left out.
func splitEvents(stream []byte) (events []streamEvent, err error) {
	for len(stream) > 0 {
		block, rest, found := bytes.Cut(stream, []byte("\n\n"))
		if !found {
			return nil, fmt.Errorf("no empty line behind %q", block)
		}
		stream = rest
		if bytes.HasPrefix(block, []byte(":")) {
			continue
		}
		var e streamEvent
		if name, rest, found := bytes.Cut(block, []byte("\n")); found {
			after, ok := bytes.CutPrefix(name, []byte("event: "))
			if !ok {
				return nil, fmt.Errorf("the line %q is no event's name", name)
			}
			e.name, block = string(after), rest
		}
		data, ok := bytes.CutPrefix(block, []byte("data: "))
		if !ok || bytes.ContainsAny(data, "\r\n") {
			return nil, fmt.Errorf("%q is not one line of data", block)
		}
		e.data = data
		events = append(events, e)
	}
	return events, nil
}

// decode returns the object of an event.
func (e *streamEvent) decode() (object, error) {
	var o object
	err := json.Unmarshal(e.data, &o)
	return o, err
}

// has reports whether o has exactly these members, those with a question mark perhaps.
func has(o object, members ...string) error {
	known := map[string]bool{}
	for _, m := range members {
		name, optional := strings.CutSuffix(m, "?")
		known[name] = true
		if _, ok := o[name]; !ok && !optional {
			return fmt.Errorf("%s is missing", name)
		}
	}
	for name := range o {
		if !known[name] {
			return fmt.Errorf("nobody knows the member %s", name)
		}
	}
	return nil
}

// texts reports whether the members are texts, those with an exclamation mark not empty.
func texts(o object, members ...string) error {
	for _, m := range members {
		name, full := strings.CutSuffix(m, "!")
		if text, ok := o[name].(string); !ok || full && text == "" {
			return fmt.Errorf("%s is %v", name, o[name])
		}
	}
	return nil
}

// numbers reports whether the members are numbers of tokens.
func numbers(o object, members ...string) error {
	for _, name := range members {
		if n, ok := o[name].(float64); !ok || n < 0 || n != float64(int64(n)) {
			return fmt.Errorf("%s is %v", name, o[name])
		}
	}
	return nil
}

// isObject reports whether a text is a JSON object.
func isObject(text string) bool {
	var o object
	return json.Unmarshal([]byte(text), &o) == nil && o != nil
}
