package codec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// chatRules are the rules of Chat's chunks (A.3).
type chatRules struct {
	*clientStream
	head                  string
	role, finished, usage bool
	failed, done          bool
	reason                string
	arguments             map[float64]*strings.Builder
	custom                []float64
	ids                   []string
	functionCall          *strings.Builder
}

func (r *chatRules) event(e *streamEvent) error {
	switch {
	case e.name != "":
		return errors.New("a chunk has no name")
	case r.done:
		return errors.New("behind [DONE]")
	case string(e.data) == "[DONE]":
		r.done = true
		return nil
	case r.failed:
		return errors.New("behind an error")
	}
	chunk, err := e.decode()
	if err != nil {
		return err
	}
	if fault, ok := chunk["error"]; ok {
		r.failed = true
		inner, _ := fault.(object)
		return errors.Join(has(chunk, "error"), has(inner, "message", "type", "param", "code"), texts(inner, "message", "type!"))
	}
	if err := has(chunk, "id", "object", "created", "model", "service_tier?", "choices", "usage?"); err != nil {
		return err
	}
	head := fmt.Sprint(chunk["id"], chunk["object"], chunk["created"], chunk["model"])
	if r.head == "" {
		r.head = head
	}
	choices, ok := chunk["choices"].([]any)
	usage, said := chunk["usage"]
	switch {
	case head != r.head || chunk["object"] != "chat.completion.chunk":
		return errors.New("not the head of the first chunk")
	case !ok:
		return errors.New("choices is no array")
	case said != r.includeUsage:
		return errors.New("usage where nobody asked for it, or none")
	case len(choices) == 0:
		return r.tally(usage)
	case usage != nil:
		return errors.New("usage beside a choice")
	case len(choices) > 1:
		return errors.New("more than one choice")
	case r.finished:
		return errors.New("behind the finish reason")
	}
	return r.choice(choices[0].(object))
}

// tally checks the chunk with usage.
func (r *chatRules) tally(usage any) error {
	u, ok := usage.(object)
	if !ok || !r.finished || r.usage {
		return errors.New("no place for a chunk without choices")
	}
	r.usage = true
	input, _ := u["prompt_tokens_details"].(object)
	output, _ := u["completion_tokens_details"].(object)
	return errors.Join(numbers(u, "prompt_tokens", "completion_tokens", "total_tokens"), numbers(input, "cached_tokens"),
		numbers(output, "reasoning_tokens"))
}

func (r *chatRules) choice(c object) error {
	if err := has(c, "index", "delta", "logprobs", "finish_reason"); err != nil {
		return err
	}
	delta, ok := c["delta"].(object)
	if !ok || c["index"] != 0.0 {
		return errors.New("no delta of choice 0")
	}
	if reason := c["finish_reason"]; reason != nil {
		r.reason, _ = reason.(string)
		r.finished = true
		if len(delta) > 0 || !r.role {
			return errors.New("a finish reason beside a delta, or before the role")
		}
		if !slices.Contains([]string{"stop", "length", "tool_calls", "content_filter", "function_call"}, r.reason) {
			return fmt.Errorf("finish reason %v", reason)
		}
		return nil
	}
	if _, ok := delta["role"]; ok == r.role {
		return errors.New("the role comes once, and first")
	}
	r.role = true
	err := has(delta, "role?", "content?", "refusal?", "reasoning_content?", "reasoning_details?", "tool_calls?",
		"function_call?", "annotations?")
	for name, value := range delta {
		switch name {
		case "role", "content", "refusal", "reasoning_content":
			err = errors.Join(err, texts(delta, name))
		case "tool_calls":
			calls, _ := value.([]any)
			if len(calls) != 1 {
				return errors.New("one call at a time")
			}
			err = errors.Join(err, r.call(calls[0].(object)))
		case "function_call":
			err = errors.Join(err, r.legacy(value.(object)))
		case "annotations":
			err = errors.Join(err, r.cited(value))
		}
	}
	return err
}

// cited checks annotations: clients insist on a title.
func (r *chatRules) cited(value any) error {
	for _, a := range value.([]any) {
		inner, _ := a.(object)["url_citation"].(object)
		if err := errors.Join(texts(inner, "url!", "title!"), numbers(inner, "start_index", "end_index")); err != nil {
			return err
		}
	}
	return nil
}

func (r *chatRules) call(c object) error {
	index, ok := c["index"].(float64)
	if !ok {
		return errors.New("a call without an index")
	}
	kind, input := "function", "arguments"
	if _, ok := c["custom"]; ok {
		kind, input = "custom", "input"
	}
	inner, _ := c[kind].(object)
	if so, known := r.arguments[index]; known {
		if err := errors.Join(has(c, "index", kind), has(inner, input), texts(inner, input)); err != nil {
			return err
		}
		if (kind == "custom") != slices.Contains(r.custom, index) {
			return errors.New("the kind of the call changes")
		}
		so.WriteString(inner[input].(string))
		return nil
	}
	err := errors.Join(has(c, "index", "id", "type", kind), texts(c, "id!"), has(inner, "name", input), texts(inner, "name!", input))
	if err != nil {
		return err
	}
	id := c["id"].(string)
	switch {
	case index != float64(len(r.arguments)):
		return fmt.Errorf("index %v is not the next", index)
	case c["type"] != kind || inner[input] != "":
		return errors.New("the beginning of a call has its type and no input")
	case slices.Contains(r.ids, id):
		return fmt.Errorf("id %s is another call's", id)
	case kind == "custom":
		if !slices.Contains(r.customTools, inner["name"].(string)) {
			return errors.New("a custom call of a tool that was not declared")
		}
		r.custom = append(r.custom, index)
	}
	r.ids = append(r.ids, id)
	r.arguments[index] = new(strings.Builder)
	return nil
}

func (r *chatRules) legacy(c object) error {
	if r.functionCall == nil {
		r.functionCall = new(strings.Builder)
		return errors.Join(has(c, "name", "arguments"), texts(c, "name!", "arguments"))
	}
	if err := errors.Join(has(c, "arguments"), texts(c, "arguments")); err != nil {
		return err
	}
	r.functionCall.WriteString(c["arguments"].(string))
	return nil
}

func (r *chatRules) end() error {
	switch {
	case !r.done:
		return errors.New("no [DONE]")
	case r.failed && r.finished, !r.failed && !r.finished:
		return errors.New("neither or both of a finish reason and an error")
	case r.finished && r.usage != r.includeUsage:
		return errors.New("usage where nobody asked for it, or none")
	case r.reason == "tool_calls" && len(r.arguments) == 0, r.reason == "stop" && len(r.arguments) > 0:
		return fmt.Errorf("finish reason %s with %d calls", r.reason, len(r.arguments))
	case r.reason != "tool_calls" || r.anyArguments:
		return nil
	}
	for index, arguments := range r.arguments {
		if !slices.Contains(r.custom, index) && !isObject(arguments.String()) {
			return fmt.Errorf("the arguments of call %v are %q", index, arguments)
		}
	}
	return nil
}
