package responses

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// object is a JSON object of a stream under test.
type object = map[string]any

// legalPart is a part of an item of a stream under test.
type legalPart struct {
	text   string
	closed bool
	cites  []any
}

// legalItem is an item of a stream under test.
type legalItem struct {
	id, kind  string
	parts     map[string]*legalPart // by the kind of index and the index
	arguments string
	said      bool // the arguments are complete
	done      object
}

// checkStream reads a stream as the strictest clients do (protocols.md A.6, A.10) and returns its last response, or what is
// wrong with it.
func checkStream(stream string) (object, error) {
	var items []*legalItem
	var last object
	id, calls := "", map[string]bool{}
	number := 0
	for block := range strings.SplitSeq(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		name, data, ok := strings.Cut(block, "\ndata: ")
		name, named := strings.CutPrefix(name, "event: ")
		var e object
		if !ok || !named || strings.Contains(data, "\n") || json.Unmarshal([]byte(data), &e) != nil {
			return nil, fmt.Errorf("no event: %q", block)
		}
		fail := func(format string, values ...any) error {
			return fmt.Errorf("event %d, %s: %s", number, name, fmt.Sprintf(format, values...))
		}
		if e["type"] != name {
			return nil, fail("the type is %v", e["type"])
		}
		if e["sequence_number"] != float64(number) {
			return nil, fail("the number is %v", e["sequence_number"])
		}
		if last != nil {
			return nil, fail("something behind the end")
		}
		if (name == "response.created") != (number == 0) || (name == "response.in_progress") != (number == 1) {
			return nil, fail("out of place")
		}
		number++
		if response, ok := e["response"].(object); ok {
			if err := checkResponse(response); err != nil {
				return nil, fail("%v", err)
			}
			if id == "" {
				id = response["id"].(string)
			}
			if response["id"] != id {
				return nil, fail("the id was %s and is %v", id, response["id"])
			}
			if status := strings.TrimPrefix(name, "response."); status != "created" && response["status"] != status {
				return nil, fail("the status is %v", response["status"])
			}
			if name == "response.completed" || name == "response.incomplete" || name == "response.failed" {
				last = response
			}
			continue
		}
		if index, ok := e["output_index"].(float64); !ok || int(index) > len(items) || (int(index) == len(items)) != (name == "response.output_item.added") {
			return nil, fail("the output_index is %v of %d", e["output_index"], len(items))
		}
		if name == "response.output_item.added" {
			it := e["item"].(object)
			switch it["type"] {
			case "message", "reasoning", "function_call", "custom_tool_call":
				if it["status"] != "in_progress" {
					return nil, fail("an item begins as %v", it["status"])
				}
				for _, empty := range []string{"content", "summary", "arguments", "input"} {
					if v := it[empty]; v != nil && !reflect.DeepEqual(v, []any{}) && v != "" {
						return nil, fail("an item begins with %s %v", empty, v)
					}
				}
			}
			if callID, ok := it["call_id"].(string); ok && it["name"] != nil {
				if calls[callID] {
					return nil, fail("a second call %s", callID)
				}
				calls[callID] = true
			}
			for _, other := range items {
				if other.id == it["id"] {
					return nil, fail("a second item %s", other.id)
				}
			}
			items = append(items, &legalItem{id: it["id"].(string), kind: it["type"].(string), parts: map[string]*legalPart{}})
			continue
		}
		it := items[int(e["output_index"].(float64))]
		if it.done != nil {
			return nil, fail("the item is done")
		}
		if name == "response.output_item.done" {
			if err := it.checkDone(e["item"].(object)); err != nil {
				return nil, fail("%v", err)
			}
			continue
		}
		if e["item_id"] != it.id {
			return nil, fail("the item is %s, not %v", it.id, e["item_id"])
		}
		if err := it.check(strings.TrimPrefix(name, "response."), e); err != nil {
			return nil, fail("%v", err)
		}
	}
	if last == nil {
		return nil, fmt.Errorf("no end: %s", stream)
	}
	output := last["output"].([]any)
	if len(output) != len(items) {
		return nil, fmt.Errorf("%d items, and %d in the last response", len(items), len(output))
	}
	for i := range items {
		if !reflect.DeepEqual(output[i], any(items[i].done)) {
			return nil, fmt.Errorf("item %d is %v, and %v in the last response", i, items[i].done, output[i])
		}
	}
	return last, nil
}

// checkResponse looks for the members that every response has.
func checkResponse(r object) error {
	for _, name := range []string{
		"id", "object", "created_at", "status", "error", "incomplete_details", "instructions", "metadata", "model", "output",
		"parallel_tool_calls", "temperature", "tool_choice", "tools", "top_p",
	} {
		if _, ok := r[name]; !ok {
			return fmt.Errorf("no %s", name)
		}
	}
	if _, ok := r["output_text"]; ok {
		return fmt.Errorf("output_text is the SDK's")
	}
	if usage, ok := r["usage"].(object); ok {
		if _, ok := usage["input_tokens_details"].(object)["cached_tokens"].(float64); !ok {
			return fmt.Errorf("no cached_tokens in %v", usage)
		}
	} else if r["status"] == "completed" || r["status"] == "incomplete" {
		return fmt.Errorf("no usage")
	}
	return nil
}

// checkDone compares the final form of an item with what was said of it.
func (it *legalItem) checkDone(done object) error {
	it.done = done
	if done["id"] != it.id || done["type"] != it.kind {
		return fmt.Errorf("item %s %s is done as %v %v", it.kind, it.id, done["type"], done["id"])
	}
	for key, p := range it.parts {
		if !p.closed {
			return fmt.Errorf("part %s is open", key)
		}
	}
	switch it.kind {
	case "message":
		return it.compare(done["content"].([]any), "content_index")
	case "reasoning":
		if content, ok := done["content"].([]any); ok {
			return it.compare(content, "content_index")
		}
		return it.compare(done["summary"].([]any), "summary_index")
	case "function_call":
		// A call that an error cut off never says that its arguments are complete.
		if !it.said && done["status"] != "incomplete" || done["arguments"] != it.arguments || done["name"] == "" || done["status"] == nil {
			return fmt.Errorf("the call is %v, and %q was said", done, it.arguments)
		}
	case "custom_tool_call":
		if !it.said && done["status"] != "incomplete" || done["input"] != it.arguments {
			return fmt.Errorf("the call is %v, and %q was said", done, it.arguments)
		}
	}
	return nil
}

func (it *legalItem) compare(parts []any, index string) error {
	if len(parts) != len(it.parts) {
		return fmt.Errorf("%d parts were said, %d are done", len(it.parts), len(parts))
	}
	for i, part := range parts {
		part := part.(object)
		p := it.parts[fmt.Sprintf("%s %d", index, i)]
		text, _ := part["text"].(string)
		if refusal, ok := part["refusal"].(string); ok {
			text = refusal
		}
		if p == nil || p.text != text {
			return fmt.Errorf("part %d is %q, which was not said", i, text)
		}
		if cites, ok := part["annotations"].([]any); ok && len(cites)+len(p.cites) > 0 && !reflect.DeepEqual(cites, p.cites) {
			return fmt.Errorf("part %d has the annotations %v, and %v were said", i, cites, p.cites)
		}
	}
	return nil
}

// check takes an event about the inside of an item.
func (it *legalItem) check(name string, e object) error {
	switch name {
	case "web_search_call.in_progress", "web_search_call.searching", "web_search_call.completed":
		return nil
	case "function_call_arguments.delta", "custom_tool_call_input.delta":
		if it.said {
			return fmt.Errorf("the arguments were complete")
		}
		it.arguments += e["delta"].(string)
		return nil
	case "function_call_arguments.done":
		it.said = true
		return same(e["arguments"], it.arguments)
	case "custom_tool_call_input.done":
		it.said = true
		return same(e["input"], it.arguments)
	}
	key := "content_index"
	if strings.HasPrefix(name, "reasoning_summary") {
		key = "summary_index"
	}
	index, ok := e[key].(float64)
	if !ok {
		return fmt.Errorf("no %s", key)
	}
	p := it.parts[fmt.Sprintf("%s %d", key, int(index))]
	switch name {
	case "content_part.added", "reasoning_summary_part.added":
		if p != nil || int(index) != len(it.parts) {
			return fmt.Errorf("part %v is added as number %d", index, len(it.parts))
		}
		it.parts[fmt.Sprintf("%s %d", key, int(index))] = &legalPart{}
		return nil
	}
	if p == nil || p.closed {
		return fmt.Errorf("part %v is not open", index)
	}
	switch name {
	case "output_text.delta":
		if _, ok := e["logprobs"].([]any); !ok {
			return fmt.Errorf("no logprobs")
		}
		p.text += e["delta"].(string)
	case "refusal.delta", "reasoning_text.delta", "reasoning_summary_text.delta":
		p.text += e["delta"].(string)
	case "output_text.annotation.added":
		if e["annotation_index"] != float64(len(p.cites)) {
			return fmt.Errorf("annotation %v is number %d", e["annotation_index"], len(p.cites))
		}
		if a := e["annotation"].(object); a["type"] == "url_citation" && a["title"] == "" {
			return fmt.Errorf("no title")
		}
		p.cites = append(p.cites, e["annotation"])
	case "output_text.done", "reasoning_text.done", "reasoning_summary_text.done":
		return same(e["text"], p.text)
	case "refusal.done":
		return same(e["refusal"], p.text)
	case "content_part.done", "reasoning_summary_part.done":
		p.closed = true
	default:
		return fmt.Errorf("not known")
	}
	return nil
}

func same(got any, want string) error {
	if got != want {
		return fmt.Errorf("the text is %q, and %q was said", got, want)
	}
	return nil
}
