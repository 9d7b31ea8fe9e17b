package codec

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// responsesRules are the rules of the events of Responses (A.6).
type responsesRules struct {
	*clientStream
	number  float64
	id      string
	items   []*responseItem
	callIDs []string
	ended   bool
}

// responseItem is an output item of a stream.
type responseItem struct {
	id, kind string
	done     object // as it was in output_item.done
	parts    []*responsePart
	input    strings.Builder
	final    bool // the last word on the input has come
	steps    int  // of a web search
}

// responsePart is a part of a message, or a paragraph of reasoning.
type responsePart struct {
	kind           string
	text           strings.Builder
	cites          int
	settled, ended bool
}

func (r *responsesRules) event(e *streamEvent) error {
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
	case o["sequence_number"] != r.number:
		return fmt.Errorf("number %v in place of %v", o["sequence_number"], r.number)
	}
	r.number++
	if response, ok := o["response"].(object); ok {
		return r.lifecycle(strings.TrimPrefix(kind, "response."), response)
	}
	if r.number <= 2 {
		return errors.New("a stream begins with created and in_progress")
	}
	switch kind {
	case "response.output_item.added":
		return r.added(o)
	case "response.output_item.done":
		return r.done(o)
	}
	it, err := r.item(o)
	if err != nil {
		return err
	}
	if it.id != o["item_id"] {
		return fmt.Errorf("item %v has the id %s", o["output_index"], it.id)
	}
	return it.event(kind, o)
}

// lifecycle checks an event with the whole response.
func (r *responsesRules) lifecycle(kind string, response object) error {
	err := errors.Join(has(response, "id", "object", "created_at", "status", "background", "error", "incomplete_details",
		"model", "output", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls",
		"previous_response_id", "prompt_cache_key", "prompt_cache_retention", "reasoning", "safety_identifier", "temperature",
		"text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user", "store", "service_tier", "usage",
		"tool_usage?"),
		texts(response, "id!", "model"))
	if err != nil {
		return err
	}
	status := map[string]string{"created": "in_progress"}[kind]
	if status == "" {
		status = kind
	}
	id := response["id"].(string)
	output, _ := response["output"].([]any)
	switch {
	case response["status"] != status:
		return fmt.Errorf("%s with the status %v", kind, response["status"])
	case r.number == 1 && kind != "created", r.number == 2 && kind != "in_progress", r.number > 2 && status == "in_progress":
		return errors.New("out of order")
	case r.number > 1 && id != r.id:
		return errors.New("the id changes")
	case status == "in_progress":
		if r.id = id; len(output) > 0 || response["usage"] != nil {
			return errors.New("a response begins with nothing")
		}
		return nil
	}
	r.ended = true
	return errors.Join(r.reason(status, response), r.output(output), r.usage(status, response["usage"]))
}

// reason checks why a response ended.
func (r *responsesRules) reason(status string, response object) error {
	fault, _ := response["error"].(object)
	details, _ := response["incomplete_details"].(object)
	switch {
	case (status == "failed") != (fault != nil), (status == "incomplete") != (details != nil):
		return errors.New("error or incomplete_details don't fit the status")
	case status == "failed":
		return errors.Join(has(fault, "code", "message"), texts(fault, "code!", "message!"))
	case status == "incomplete" && !slices.Contains([]any{"max_output_tokens", "content_filter"}, details["reason"]):
		return fmt.Errorf("incomplete because of %v", details["reason"])
	}
	return nil
}

// output compares the output of the last event with the items that came before it.
func (r *responsesRules) output(output []any) error {
	if len(output) != len(r.items) {
		return fmt.Errorf("%d items in place of %d", len(output), len(r.items))
	}
	for i, it := range r.items {
		if it.done == nil || !reflect.DeepEqual(output[i], any(it.done)) {
			return fmt.Errorf("item %d is open, or not what it was", i)
		}
	}
	return nil
}

func (r *responsesRules) usage(status string, usage any) error {
	u, ok := usage.(object)
	if !ok && status == "failed" {
		return nil
	}
	input, _ := u["input_tokens_details"].(object)
	output, _ := u["output_tokens_details"].(object)
	return errors.Join(numbers(u, "input_tokens", "output_tokens", "total_tokens"), numbers(input, "cached_tokens"),
		numbers(output, "reasoning_tokens"))
}

// item returns the open item that an event is about.
func (r *responsesRules) item(o object) (*responseItem, error) {
	index, ok := o["output_index"].(float64)
	if !ok || int(index) >= len(r.items) {
		return nil, fmt.Errorf("there is no item %v", o["output_index"])
	}
	if it := r.items[int(index)]; it.done == nil {
		return it, nil
	}
	return nil, fmt.Errorf("item %v is done", index)
}

// itemMembers are the members of output items. Those that grow are empty at the beginning.
var itemMembers = map[string][]string{
	"message":               {"id", "type", "status", "content", "role"},
	"reasoning":             {"id", "type", "status", "summary", "content?", "encrypted_content?"},
	"function_call":         {"id", "type", "status", "call_id", "name", "arguments", "namespace?"},
	"custom_tool_call":      {"id", "type", "status", "call_id", "name", "input", "namespace?"},
	"tool_search_call":      {"id", "type", "status", "call_id", "execution", "arguments"},
	"web_search_call":       {"id", "type", "status", "action"},
	"code_interpreter_call": {"id", "type", "status", "code", "container_id", "outputs"},
}

func (r *responsesRules) added(o object) error {
	i := o["item"].(object)
	it := &responseItem{id: fmt.Sprint(i["id"]), kind: fmt.Sprint(i["type"])}
	members := itemMembers[it.kind]
	switch {
	case members == nil:
		return fmt.Errorf("nobody knows items of type %s", it.kind)
	case o["output_index"] != float64(len(r.items)):
		return fmt.Errorf("item %v is not the next", o["output_index"])
	case i["status"] != "in_progress":
		return fmt.Errorf("an item begins %v", i["status"])
	case slices.ContainsFunc(r.items, func(other *responseItem) bool { return other.id == it.id }):
		return errors.New("another item has that id")
	}
	if slices.Contains(members, "call_id") {
		id, _ := i["call_id"].(string)
		if id == "" || slices.Contains(r.callIDs, id) {
			return fmt.Errorf("the call id %q", id)
		}
		r.callIDs = append(r.callIDs, id)
	}
	r.items = append(r.items, it)
	for _, name := range []string{"content", "summary"} {
		if list, ok := i[name].([]any); ok && len(list) > 0 {
			return fmt.Errorf("an item begins with a %s", name)
		}
	}
	if it.kind == "function_call" && i["arguments"] != "" || it.kind == "custom_tool_call" && i["input"] != "" {
		return errors.New("a call begins without input")
	}
	return errors.Join(has(i, members...), texts(i, "id!"))
}

func (r *responsesRules) done(o object) error {
	it, err := r.item(o)
	if err != nil {
		return err
	}
	i := o["item"].(object)
	it.done = i
	switch {
	case i["id"] != it.id || i["type"] != it.kind:
		return errors.New("not the item that began")
	case i["status"] != "completed" && i["status"] != "incomplete":
		return fmt.Errorf("an item ends %v", i["status"])
	}
	if err := has(i, itemMembers[it.kind]...); err != nil {
		return err
	}
	complete := i["status"] == "completed"
	switch it.kind {
	case "function_call":
		arguments := i["arguments"].(string)
		if complete && (!it.final || !isObject(arguments) && !r.anyArguments) || arguments != it.input.String() {
			return fmt.Errorf("the arguments are %q, in the end %q", it.input.String(), arguments)
		}
	case "custom_tool_call":
		if complete && !it.final || i["input"] != it.input.String() {
			return fmt.Errorf("the input is %q, in the end %q", it.input.String(), i["input"])
		}
	case "web_search_call":
		if it.steps != 3 {
			return fmt.Errorf("a web search in %d steps", it.steps)
		}
	case "code_interpreter_call":
		if it.steps != len(codeSteps) {
			return fmt.Errorf("code in %d steps", it.steps)
		}
	case "message", "reasoning":
		return it.compare(i)
	}
	return nil
}

// compare compares the parts of an item with those that it has in the end.
func (it *responseItem) compare(i object) error {
	var final []any
	for _, name := range []string{"summary", "content"} {
		list, _ := i[name].([]any)
		final = append(final, list...)
	}
	if len(final) != len(it.parts) || it.kind == "message" && len(final) == 0 {
		return fmt.Errorf("%d parts, in the end %d", len(it.parts), len(final))
	}
	for n, p := range it.parts {
		if err := p.compare(final[n].(object)); err != nil || !p.ended {
			return fmt.Errorf("part %d is open or not what it was: %w", n, err)
		}
	}
	return nil
}

func (p *responsePart) compare(o object) error {
	text := o["text"]
	if p.kind == "refusal" {
		text = o["refusal"]
	}
	cites, _ := o["annotations"].([]any)
	if o["type"] != p.kind || text != p.text.String() || len(cites) != p.cites {
		return fmt.Errorf("%s %q with %d citations, in the end %v", p.kind, p.text.String(), p.cites, o)
	}
	return nil
}

// partEvents are the events of a part, by the part's type: of its text, and of its end.
var partEvents = map[string][2]string{
	"output_text":    {"response.output_text", "response.content_part.done"},
	"refusal":        {"response.refusal", "response.content_part.done"},
	"reasoning_text": {"response.reasoning_text", "response.content_part.done"},
	"summary_text":   {"response.reasoning_summary_text", "response.reasoning_summary_part.done"},
}

// codeSteps are the events of code that the provider ran, in their order.
var codeSteps = []string{".in_progress", "_code.delta", "_code.done", ".interpreting", ".completed"}

// event checks an event inside an item.
func (it *responseItem) event(kind string, o object) error {
	switch it.kind {
	case "function_call":
		return it.call(kind, "response.function_call_arguments", "arguments", o)
	case "custom_tool_call":
		return it.call(kind, "response.custom_tool_call_input", "input", o)
	case "web_search_call":
		steps := []string{"in_progress", "searching", "completed"}
		if it.steps == len(steps) || kind != "response.web_search_call."+steps[it.steps] {
			return errors.New("no step of a web search")
		}
		it.steps++
		return nil
	case "code_interpreter_call":
		if it.steps == len(codeSteps) || kind != "response.code_interpreter_call"+codeSteps[it.steps] {
			return errors.New("no step of code")
		}
		it.steps++
		return nil
	}
	index, ok := o["content_index"].(float64)
	if !ok {
		index, ok = o["summary_index"].(float64)
	}
	switch {
	case !ok:
		return errors.New("no index")
	case kind == "response.content_part.added" || kind == "response.reasoning_summary_part.added":
		return it.addPart(int(index), o["part"].(object))
	case int(index) >= len(it.parts) || it.parts[int(index)].ended:
		return fmt.Errorf("part %v is not open", index)
	}
	return it.parts[int(index)].event(kind, o)
}

func (it *responseItem) addPart(index int, o object) error {
	p := &responsePart{kind: fmt.Sprint(o["type"])}
	known := []string{"output_text", "refusal"}
	if it.kind == "reasoning" {
		known = []string{"reasoning_text", "summary_text"}
	}
	if index != len(it.parts) || !slices.Contains(known, p.kind) {
		return fmt.Errorf("part %d of type %s is not the next of its item", index, p.kind)
	}
	it.parts = append(it.parts, p)
	return p.compare(o)
}

// call checks an event of a call.
func (it *responseItem) call(kind, prefix, member string, o object) error {
	switch {
	case it.final:
		return errors.New("behind the last word")
	case kind == prefix+".delta":
		it.input.WriteString(fmt.Sprint(o["delta"]))
		return texts(o, "delta!")
	case kind != prefix+".done" || o[member] != it.input.String():
		return fmt.Errorf("not the end of %q", it.input.String())
	}
	it.final = true
	return nil
}

func (p *responsePart) event(kind string, o object) error {
	names := partEvents[p.kind]
	switch kind {
	case names[0] + ".delta":
		p.text.WriteString(fmt.Sprint(o["delta"]))
		if _, ok := o["logprobs"].([]any); p.settled || ok != (p.kind == "output_text") {
			return errors.New("behind the last word, or logprobs in the wrong place")
		}
		return texts(o, "delta!")
	case names[0] + ".annotation.added":
		if p.cites++; o["annotation_index"] != float64(p.cites-1) {
			return fmt.Errorf("annotation %v is not the next", o["annotation_index"])
		}
		annotation := o["annotation"].(object)
		if annotation["type"] == "file_citation" {
			return texts(annotation, "file_id!", "filename")
		}
		return texts(annotation, "title!", "url!")
	case names[0] + ".done":
		text := o["text"]
		if p.kind == "refusal" {
			text = o["refusal"]
		}
		if p.settled || text != p.text.String() {
			return fmt.Errorf("not the end of %q", p.text.String())
		}
		p.settled = true
		return nil
	case names[1]:
		p.ended = true
		if !p.settled {
			return errors.New("no last word")
		}
		return p.compare(o["part"].(object))
	}
	return fmt.Errorf("no event of a part of type %s", p.kind)
}

func (r *responsesRules) end() error {
	if !r.ended {
		return errors.New("no end")
	}
	return nil
}
