package responses

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// toolErrorPrefix marks the output of a call that failed, where the protocol has no field for that. It is taken off again
// when it comes back.
const toolErrorPrefix = "[tool_error] "

// folder folds the flat list of input items into turns.
type folder struct {
	request *llm.Request
	// list is the name of the list, for errors.
	list  string
	index int
	arena arena
	// turnOf has the turn of each call by its id, so that a result that comes late finds the place behind its call.
	turnOf map[string]int
	// unnamed are the ids given to calls that came without one and have no result yet.
	unnamed []string
	// callTurn is the turn of the last call, calls how many it has so far.
	callTurn, calls int
	// known are the tools of the request's own list, once tools from items are added.
	known map[llm.ToolName]bool
}

// item is one input item, its members raw.
type item struct {
	kind                               string
	id, callID, name, namespace, phase string
	role, content, arguments, input    []byte
	output, summary, encrypted, tools  []byte
	reasoning, execution, action       []byte
	cacheControl                       []byte
	raw                                []byte
}

// readItems folds the items of array into the request's turns.
func (f *folder) readItems(array []byte) *llm.Error {
	e := json.Array(array)
	for e.Next() {
		if err := f.readItem(e.Value()); err != nil {
			return within(f.list, f.index, err)
		}
		f.index++
	}
	return nil
}

// scan takes an item apart.
func (it *item) scan(raw []byte) *llm.Error {
	if raw[0] != '{' {
		return malformed(codeType, "must be an object")
	}
	it.raw = raw
	m := json.Object(raw)
	for m.Next() {
		var err *llm.Error
		value := m.Value()
		switch string(m.Key) {
		case "type":
			err = under("type", readString(value, &it.kind))
		case "id":
			err = under("id", readString(value, &it.id))
		case "call_id":
			err = under("call_id", readString(value, &it.callID))
		case "name":
			err = under("name", readString(value, &it.name))
		case "namespace":
			err = under("namespace", readString(value, &it.namespace))
		case "phase":
			err = under("phase", readString(value, &it.phase))
		case "role":
			it.role = value
		case "content":
			it.content = value
		case "arguments":
			it.arguments = value
		case "input":
			it.input = value
		case "output":
			it.output = value
		case "summary":
			it.summary = value
		case "encrypted_content":
			it.encrypted = value
		case "tools":
			it.tools = value
		case "reasoning":
			it.reasoning = value
		case "execution":
			it.execution = value
		case "cache_control":
			it.cacheControl = nonNull(value)
		case "action":
			it.action = value
		}
		if err != nil {
			return err
		}
	}
	if it.kind == "" {
		switch {
		case it.role != nil:
			it.kind = "message"
		case it.id != "" && it.refersOnly():
			it.kind = "item_reference"
		default:
			return under("type", malformed(codeMissing, "is required"))
		}
	}
	return nil
}

// refersOnly reports whether an item says nothing but its id: the type of a reference may be left out.
func (it *item) refersOnly() bool {
	m := json.Object(it.raw)
	for m.Next() {
		if string(m.Key) != "id" && string(m.Key) != "type" {
			return false
		}
	}
	return true
}

func (f *folder) readItem(raw []byte) *llm.Error {
	var it item
	if err := it.scan(raw); err != nil {
		return err
	}
	switch it.kind {
	case "message":
		return f.message(&it)
	case "agent_message":
		return f.agentMessage(&it)
	case "reasoning":
		return f.reasoning(&it)
	case "function_call", "custom_tool_call", "tool_search_call":
		return f.call(&it)
	case "function_call_output", "custom_tool_call_output", "tool_search_output":
		return f.output(&it)
	case "web_search_call":
		f.add(llm.Assistant, llm.Item{
			Kind: llm.Hosted, ID: it.id, Name: webSearch, Arguments: searchArguments(it.action),
			Raw: raw, RawProtocol: llm.Responses,
		})
	case "file_search_call", "code_interpreter_call", "image_generation_call":
		f.add(llm.Assistant, llm.Item{
			Kind: llm.Hosted, ID: it.id, Name: strings.TrimSuffix(it.kind, "_call"), Raw: raw, RawProtocol: llm.Responses,
		})
	case "item_reference":
		if it.id == "" {
			return under("id", malformed(codeMissing, "is required"))
		}
		f.add(llm.Assistant, llm.Item{Kind: llm.Reference, ID: it.id, Raw: raw, RawProtocol: llm.Responses})
	case "additional_tools":
		return f.addTools(&it)
	case "configuration_update":
		var update llm.Reasoning
		if err := under("reasoning", readReasoning(nonNull(it.reasoning), &update)); err != nil {
			return err
		}
		if update.Effort != "" {
			f.request.Reasoning.Effort, f.request.Reasoning.Updated = update.Effort, true
		}
	default:
		role := llm.Assistant
		if strings.HasSuffix(it.kind, "_output") || it.kind == "mcp_approval_response" || it.kind == "compaction_trigger" {
			role = llm.User
		}
		f.addOpaque(role, llm.Item{Kind: llm.Opaque, ID: it.id, Name: it.kind, Raw: raw, RawProtocol: llm.Responses})
	}
	return nil
}

// turn returns the turn that an item of role belongs to: the last one, or a new one.
func (f *folder) turn(role llm.Role) *llm.Turn {
	r := f.request
	if n := len(r.Turns); n > 0 && r.Turns[n-1].Role == role {
		return &r.Turns[n-1]
	}
	return f.newTurn(role)
}

func (f *folder) newTurn(role llm.Role) *llm.Turn {
	r := f.request
	r.Turns = append(r.Turns, llm.Turn{Role: role, Path: llm.Path{List: f.list, Index: f.index}})
	return &r.Turns[len(r.Turns)-1]
}

func (f *folder) add(role llm.Role, it llm.Item) {
	t := f.turn(role)
	t.Items = append(t.Items, it)
}

// addOpaque adds an item that only this protocol knows. It begins a turn, so that an error can name its place, unless reasoning
// before it belongs to it.
func (f *folder) addOpaque(role llm.Role, it llm.Item) {
	t := f.turn(role)
	if len(t.Items) > 0 && !slices.ContainsFunc(t.Items, func(it llm.Item) bool { return it.Kind == llm.Thought }) {
		t = f.newTurn(role)
	}
	t.Items = append(t.Items, it)
}

func (f *folder) message(it *item) *llm.Error {
	role, err := readText(it.role)
	if err != nil {
		return under("role", err)
	}
	if json.IsNull(it.content) {
		return under("content", malformed(codeMissing, "is required"))
	}
	var turn *llm.Turn
	switch string(role) {
	case "user":
		turn = f.turn(llm.User)
	case "assistant":
		turn = f.turn(llm.Assistant)
	case "system", "developer":
		if len(f.request.Turns) == 0 {
			f.request.System, err = f.arena.appendContent(f.request.System, it)
			return onlyText(f.request.System, err)
		}
		turn = f.newTurn(llm.System)
		turn.Items, err = f.arena.appendContent(nil, it)
		return onlyText(turn.Items, err)
	case "":
		return under("role", malformed(codeMissing, "is required"))
	default:
		return under("role", malformed(codeValue, "must be user, assistant, system or developer"))
	}
	turn.Items, err = f.arena.appendContent(turn.Items, it)
	return err
}

// onlyText refuses system texts with anything but text in them. It hands err on.
func onlyText(items []llm.Item, err *llm.Error) *llm.Error {
	if err != nil {
		return err
	}
	for i := range items {
		if items[i].Kind != llm.Text {
			return under("content", malformed(codeUnsupportedValue, "may hold nothing but text in system and developer messages"))
		}
	}
	return nil
}

// agentMessage takes a message of Codex's other agents for a developer's text.
func (f *folder) agentMessage(it *item) *llm.Error {
	items, err := f.arena.appendContent(nil, it)
	if err != nil {
		return err
	}
	var text []byte
	for i := range items {
		if items[i].Kind == llm.Text {
			text = append(joined(text), items[i].Text...)
		}
	}
	turn := f.newTurn(llm.System)
	turn.Items = []llm.Item{{Kind: llm.Text, Text: text, Name: it.kind, Raw: it.raw, RawProtocol: llm.Responses}}
	return nil
}

// joined appends the blank line between two paragraphs, unless there is no first one.
func joined(text []byte) []byte {
	if len(text) == 0 {
		return text
	}
	return append(text, "\n\n"...)
}

func (f *folder) reasoning(it *item) *llm.Error {
	thought := llm.Item{Kind: llm.Thought, ID: it.id, Raw: it.raw, RawProtocol: llm.Responses}
	seal, err := readText(it.encrypted)
	if err != nil {
		return under("encrypted_content", err)
	}
	thought.Seal = seal
	if thought.Text, err = readParagraphs(it.summary); err != nil {
		return under("summary", err)
	}
	thought.Summary = len(thought.Text) > 0
	if !thought.Summary {
		if thought.Text, err = readParagraphs(it.content); err != nil {
			return under("content", err)
		}
	}
	f.add(llm.Assistant, thought)
	return nil
}

// readParagraphs joins the texts of a reasoning item's summary or content.
func readParagraphs(list []byte) ([]byte, *llm.Error) {
	var array []byte
	if err := readArray(list, &array); err != nil || array == nil {
		return nil, err
	}
	var all []byte
	first := true
	e := json.Array(array)
	for i := 0; e.Next(); i++ {
		text, err := readText(json.Get(e.Value(), "text"))
		if err != nil {
			return nil, under("["+strconv.Itoa(i)+"].text", err)
		}
		switch {
		case len(text) == 0:
		case first:
			all, first = text[:len(text):len(text)], false
		default:
			all = append(joined(all), text...)
		}
	}
	return all, nil
}

func (f *folder) call(it *item) *llm.Error {
	call := llm.Item{
		Kind: llm.Call, ID: it.id, CallID: it.callID, Name: it.name, Namespace: it.namespace,
		Raw: it.raw, RawProtocol: llm.Responses,
	}
	var err *llm.Error
	switch it.kind {
	case "custom_tool_call":
		call.Custom = true
		call.Text, err = f.arena.text(nonNull(it.input))
		err = under("input", err)
	case "tool_search_call":
		if string(it.execution) == `"server"` {
			f.add(llm.Assistant, llm.Item{
				Kind: llm.Hosted, ID: it.id, Name: toolSearch, Raw: it.raw, RawProtocol: llm.Responses,
			})
			return nil
		}
		call.Name = toolSearch
		call.Arguments = nonNull(it.arguments)
	default:
		call.Arguments, err = f.arena.text(nonNull(it.arguments))
		err = under("arguments", err)
	}
	if err != nil {
		return err
	}
	if call.Name == "" {
		return under("name", malformed(codeMissing, "is required"))
	}
	turn := f.turn(llm.Assistant)
	at := len(f.request.Turns) - 1
	if at != f.callTurn {
		f.callTurn, f.calls = at, 0
	}
	f.calls++
	if call.CallID == "" {
		call.CallID = string(llm.AppendCallIDAt(nil, at, f.calls-1))
		call.Raw = nil
		f.unnamed = append(f.unnamed, call.CallID)
	}
	if f.turnOf == nil {
		f.turnOf = make(map[string]int)
	}
	f.turnOf[call.CallID] = at
	turn.Items = append(turn.Items, call)
	return nil
}

func (f *folder) output(it *item) *llm.Error {
	result := llm.Item{
		Kind: llm.Result, ID: it.id, CallID: it.callID, Custom: it.kind == "custom_tool_call_output",
		Raw: it.raw, RawProtocol: llm.Responses,
	}
	switch {
	case it.kind == "tool_search_output":
		if string(it.execution) == `"server"` {
			f.add(llm.Assistant, llm.Item{
				Kind: llm.Hosted, ID: it.id, Name: toolSearch, Raw: it.raw, RawProtocol: llm.Responses,
			})
			return f.addTools(it)
		}
		if err := f.addTools(it); err != nil {
			return err
		}
		result.Name = toolSearch
		result.Parts = []llm.Item{{Kind: llm.Text, Text: foundTools(it.tools)}}
	case json.IsNull(it.output):
		return under("output", malformed(codeMissing, "is required"))
	default:
		parts, err := f.arena.appendParts(nil, "output", it.output)
		if err != nil {
			return err
		}
		if len(parts) > 0 && parts[0].Kind == llm.Text {
			if text, failed := bytes.CutPrefix(parts[0].Text, []byte(toolErrorPrefix)); failed {
				parts[0].Text, parts[0].Raw, result.IsError = text, nil, true
			}
		}
		result.Parts = parts
	}
	if result.CallID == "" {
		result.Raw = nil
		if len(f.unnamed) > 0 {
			result.CallID, f.unnamed = f.unnamed[0], f.unnamed[1:]
		} else {
			result.CallID = string(llm.AppendCallIDAt(nil, len(f.request.Turns), 0))
		}
	}
	turn := f.resultTurn(result.CallID)
	turn.Items = append(turn.Items, result)
	return nil
}

// resultTurn returns the turn that the result of a call belongs to: the one behind the call, however late it comes. What the
// model or a developer said between two results does not part them from their calls.
func (f *folder) resultTurn(callID string) *llm.Turn {
	r := f.request
	at, known := f.turnOf[callID]
	switch {
	case !known || at+1 >= len(r.Turns):
		return f.turn(llm.User)
	case r.Turns[at+1].Role == llm.User:
		return &r.Turns[at+1]
	case at+2 == len(r.Turns):
		// A developer's text stands between: no call lies behind it, so that nothing known moves.
		r.Turns = slices.Insert(r.Turns, at+1, llm.Turn{Role: llm.User, Path: llm.Path{List: f.list, Index: f.index}})
		return &r.Turns[at+1]
	}
	return f.turn(llm.User)
}

// addTools adds the tools of an item to those of the request. A tool that is there already wins.
func (f *folder) addTools(it *item) *llm.Error {
	r := f.request
	if f.known == nil {
		f.known = make(map[llm.ToolName]bool, len(r.Tools))
		for i := range r.Tools {
			f.known[toolKey(&r.Tools[i])] = true
		}
	}
	before := len(r.Tools)
	if err := readTools("tools", nonNull(it.tools), r); err != nil {
		return err
	}
	kept := r.Tools[:before]
	for i := range r.Tools[before:] {
		tool := r.Tools[before+i]
		if key := toolKey(&tool); !f.known[key] {
			f.known[key] = true
			kept = append(kept, tool)
		}
	}
	r.Tools = kept
	return nil
}

// toolKey is what tells two tools apart: functions and custom tools share their names.
func toolKey(t *llm.Tool) llm.ToolName {
	key := llm.ToolName{Kind: t.Kind, Namespace: t.Namespace, Name: t.Name}
	if key.Kind == llm.CustomTool {
		key.Kind = llm.FunctionTool
	}
	return key
}

// foundTools words the result of a tool search for a model that gets the tools themselves with the request.
func foundTools(tools []byte) []byte {
	text := []byte("Tools found:")
	found := false
	e := json.Array(tools)
	for e.Next() {
		name, ok := json.Unquote(json.Get(e.Value(), "name"))
		if !ok {
			continue
		}
		if found {
			text = append(text, ',')
		}
		text = append(append(text, ' '), name...)
		found = true
	}
	if !found {
		return append(text, " none"...)
	}
	return text
}

// searchArguments returns the arguments of a web search as a call of it has them, out of the action of a web_search_call.
func searchArguments(action []byte) []byte {
	query := json.Get(action, "query")
	if json.IsNull(query) {
		queries := json.Array(json.Get(action, "queries"))
		if queries.Next() {
			query = queries.Value()
		}
	}
	text, ok := json.Unquote(query)
	if !ok {
		return []byte("{}")
	}
	return append(json.AppendString([]byte(`{"query":`), text), '}')
}

// nonNull returns value, or nil for null.
func nonNull(value []byte) []byte {
	if json.IsNull(value) {
		return nil
	}
	return value
}
