package chat

import (
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// maxName is the longest name of a tool that OpenAI accepts.
const maxName = 64

// Schemas of the functions that stand in for tools of other kinds.
const (
	// wrapperSchema takes the free text of a custom tool.
	wrapperSchema = `{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],` +
		`"additionalProperties":false}`
	// searchSchema takes the query of tool_search, where the client gives no schema of its own.
	searchSchema = `{"type":"object","properties":{"query":{"type":"string"}},"required":["query"]}`
)

// writeTools writes the tools and the choice among them (protocols.md B.5).
func (w *writer) writeTools() {
	w.writeSearch()
	others := w.reserveNames()
	start := len(w.dst)
	w.key("tools")
	w.dst = append(w.dst, '[')
	for i := range w.r.Tools {
		before := len(w.dst)
		if w.tools > 0 {
			w.dst = append(w.dst, ',')
		}
		if w.writeTool(i, others) {
			w.tools++
		} else {
			w.dst = w.dst[:before]
		}
	}
	if w.tools == 0 {
		w.dst = w.dst[:start] // many upstreams refuse an empty list, and a choice among none
		return
	}
	w.dst = append(w.dst, ']')
	w.writeChoice()
	if p := w.r.Choice.Parallel; p != nil && !*p {
		w.dst = append(w.dst, `,"parallel_tool_calls":false`...)
	}
}

// reserveNames gives every tool its name on the wire, and returns how many tools there are that the upstream can call.
func (w *writer) reserveNames() (callable int) {
	for i := range w.r.Tools {
		t := &w.r.Tools[i]
		switch t.Kind {
		case llm.FunctionTool, llm.CustomTool, llm.ToolSearchTool:
			wire := llm.WireName(t.Namespace, t.Name, maxName, w.x.Names.Taken)
			w.x.Names.Add(wire, llm.ToolName{Kind: t.Kind, Namespace: t.Namespace, Name: t.Name})
			callable++
		case llm.OtherTool:
			if w.emulated(t) != nil {
				callable++
			}
		}
	}
	return callable
}

// wireName returns the name that a tool goes by. Tools of the history that are no longer offered get theirs here.
func (w *writer) wireName(namespace, name string) string {
	if wire := w.x.Names.Wire(namespace, name); wire != name || namespace == "" && w.x.Names.Taken(wire) {
		return wire
	}
	return llm.WireName(namespace, name, maxName, nil)
}

// writeTool writes the tool with index i. It returns false when nothing is to be sent of it. callable is how many
// tools the upstream can call.
func (w *writer) writeTool(i, callable int) bool {
	t := &w.r.Tools[i]
	if t.Cache != llm.CacheNone && w.r.Protocol != llm.Chat {
		w.dropMark()
	}
	switch t.Kind {
	case llm.FunctionTool:
		w.warnOfTraits(t)
		w.writeFunction(t, "", json.Borrow(t.Schema))
	case llm.CustomTool:
		if t.RawProtocol == llm.Chat || w.x.Options.CustomTools {
			w.writeCustom(t)
			break
		}
		if t.Grammar != "" {
			w.approximate("tools.custom") // the model is told of the grammar, but nothing holds it to it
		}
		w.writeFunction(t, grammarNote(t), wrapperSchema)
	case llm.ToolSearchTool:
		schema := json.Borrow(t.Schema)
		if schema == "" {
			schema = searchSchema
		}
		w.writeFunction(t, "", schema)
	case llm.SearchTool:
		if t.RawProtocol == llm.Chat {
			w.dst = append(w.dst, t.Raw...)
			break
		}
		if !w.model.SearchOptions {
			w.leaveOutHosted(t, i, callable)
		}
		return false
	case llm.RemoteTool:
		field := w.toolField(i)
		if w.r.Protocol == llm.Messages {
			field = "mcp_servers"
		}
		w.refuse(field, "unsupported_value", "is a remote MCP server, which is not available")
		return false
	default:
		return w.writeOther(t, i, callable)
	}
	return true
}

// writeFunction writes t as a function. note is added to its description.
func (w *writer) writeFunction(t *llm.Tool, note, schema string) {
	w.dst = append(w.dst, `{"type":"function","function":{"name":`...)
	w.dst = json.AppendString(w.dst, w.wireName(t.Namespace, t.Name))
	w.writeDescription(t.Description, note)
	if schema != "" {
		w.key("parameters")
		w.dst = append(w.dst, schema...)
	}
	strict := t.Strict
	if strict != nil && *strict && t.RawProtocol == llm.Messages && !json.IsStrictSchema([]byte(schema)) {
		strict = new(bool) // OpenAI's subset is another one
		w.drop("tools.strict")
	}
	w.flag("strict", strict)
	w.dst = append(w.dst, "}}"...)
}

func (w *writer) writeDescription(description, note string) {
	if description == "" && note == "" {
		return
	}
	w.key("description")
	w.dst = append(w.dst, '"')
	w.dst = appendEscaped(w.dst, description)
	if description != "" && note != "" {
		w.dst = append(w.dst, `\n\n`...)
	}
	w.dst = appendEscaped(w.dst, note)
	w.dst = append(w.dst, '"')
}

// grammarNote puts the grammar of a custom tool into words, for upstreams that know functions only.
func grammarNote(t *llm.Tool) string {
	if t.Grammar == "" {
		return ""
	}
	return "The value of `input` must match this " + t.Syntax + " grammar:\n" + t.Grammar
}

func (w *writer) writeCustom(t *llm.Tool) {
	w.dst = append(w.dst, `{"type":"custom","custom":{"name":`...)
	w.dst = json.AppendString(w.dst, w.wireName(t.Namespace, t.Name))
	w.text("description", t.Description)
	if t.Grammar != "" {
		w.dst = append(w.dst, `,"format":{"type":"grammar","grammar":{"definition":`...)
		w.dst = json.AppendString(w.dst, t.Grammar)
		w.text("syntax", t.Syntax)
		w.dst = append(w.dst, "}}"...)
	}
	w.dst = append(w.dst, "}}"...)
}

// warnOfTraits notes what Chat's functions don't have.
func (w *writer) warnOfTraits(t *llm.Tool) {
	if t.RawProtocol == llm.Chat {
		return
	}
	m := json.Object(t.Raw)
	for m.Next() {
		switch string(m.Key) {
		case "defer_loading", "allowed_callers", "async", "output_schema", "input_examples", "eager_input_streaming":
			if json.Truthy(m.Value()) && !json.IsEmpty(m.Value()) {
				w.drop("tools." + string(m.Key))
			}
		}
	}
}

// writeOther writes a tool that only its own protocol knows: as it is for Chat's own, as a function where the channel
// emulates Anthropic's client tools, else by the policy for hosted tools.
func (w *writer) writeOther(t *llm.Tool, i, callable int) bool {
	if t.RawProtocol == llm.Chat {
		w.dst = append(w.dst, t.Raw...)
		return true
	}
	if tool := w.emulated(t); tool != nil {
		name, _ := json.Unquote(json.Get(t.Raw, "name"))
		w.approximate("tools." + t.Name)
		w.writeFunction(&llm.Tool{Name: json.Borrow(name), Description: tool.description}, "", tool.schema)
		return true
	}
	if t.RawProtocol == llm.Messages && clientToolOf(t.Name) != nil {
		w.refuse(w.toolField(i), "unsupported_value", "is a client tool of Anthropic's, which is not available")
		return false
	}
	w.leaveOutHosted(t, i, callable)
	return false
}

// emulated returns the function that stands in for a client tool of Anthropic's, or nil when none does.
func (w *writer) emulated(t *llm.Tool) *clientTool {
	if !w.x.Options.EmulateClientTools || t.RawProtocol != llm.Messages {
		return nil
	}
	return clientToolOf(t.Name)
}

// leaveOutHosted applies the policy for hosted tools to one that the upstream doesn't have.
func (w *writer) leaveOutHosted(t *llm.Tool, i, callable int) {
	keep := w.x.Options.HostedTools == llm.HostedReject ||
		w.x.Options.HostedTools == llm.HostedAuto && (callable == 0 || w.isForced(t) || w.isInHistory(t))
	if keep {
		w.refuse(w.toolField(i), "unsupported_value", "is a hosted tool ("+t.Name+"), which is not available")
		return
	}
	w.drop("tools." + t.Name)
}

// isForced reports whether the choice names this hosted tool.
func (w *writer) isForced(t *llm.Tool) bool {
	c := &w.r.Choice
	return c.Mode == llm.ChoiceNamed && len(c.Names) == 1 && isHosted(c.Names[0].Kind) && c.Names[0].Name == t.Name
}

// isInHistory reports whether the conversation has calls of this hosted tool. The tool's type may have a date behind
// the name that its calls have.
func (w *writer) isInHistory(t *llm.Tool) bool {
	for i := range w.r.Turns {
		for j := range w.r.Turns[i].Items {
			item := &w.r.Turns[i].Items[j]
			hosted := item.Kind == llm.Hosted || item.Kind == llm.Opaque
			if hosted && item.Name != "" && (strings.HasPrefix(item.Name, t.Name) || strings.HasPrefix(t.Name, item.Name)) {
				return true
			}
		}
	}
	return false
}

// isHosted reports whether tools of a kind are the provider's.
func isHosted(k llm.ToolKind) bool {
	return k == llm.SearchTool || k == llm.RemoteTool || k == llm.OtherTool
}

// toolField names a tool in the client's body.
func (w *writer) toolField(i int) string {
	return (&place{up: &place{name: "tools"}, index: i}).String()
}

// writeSearch writes web_search_options, which a Chat client gave or a hosted tool of another protocol stands for.
// Only models that search by themselves take it.
func (w *writer) writeSearch() {
	search, field := w.r.Search, "web_search_options"
	for i := range w.r.Tools {
		if t := &w.r.Tools[i]; t.Kind == llm.SearchTool && search == nil && t.RawProtocol != llm.Chat &&
			w.model.SearchOptions {
			search, field = t.Search, "tools.web_search"
			if search == nil {
				search = new(llm.WebSearch)
			}
		}
	}
	switch {
	case search == nil:
		return
	case !w.model.SearchOptions && w.r.Protocol != llm.Chat:
		w.drop(field)
		return
	}
	w.dst = append(w.dst, `,"web_search_options":{`...)
	start := len(w.dst)
	if search.Location != nil {
		w.dst = append(w.dst, `,"user_location":{"type":"approximate","approximate":`...)
		w.dst = appendWithout(w.dst, search.Location, "type")
		w.dst = append(w.dst, '}')
	}
	w.text("search_context_size", search.ContextSize)
	if len(w.dst) > start {
		w.dst = append(w.dst[:start], w.dst[start+1:]...) // the comma before the first member
	}
	w.dst = append(w.dst, '}')
	if search.AllowedDomains != nil {
		w.drop(field + ".allowed_domains")
	}
	if search.BlockedDomains != nil {
		w.drop(field + ".blocked_domains")
	}
	if search.MaxUses != nil {
		w.drop(field + ".max_uses")
	}
}

// appendWithout appends an object without the members of one name.
func appendWithout(dst, object []byte, name string) []byte {
	dst = append(dst, '{')
	first := true
	m := json.Object(object)
	for m.Next() {
		if string(m.Key) == name {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(json.AppendString(dst, m.Key), ':'), m.Value()...)
	}
	return append(dst, '}')
}

// writeChoice writes tool_choice.
func (w *writer) writeChoice() {
	c := &w.r.Choice
	switch c.Mode {
	case llm.ChoiceNone:
		w.text("tool_choice", "none")
	case llm.ChoiceAuto:
		w.text("tool_choice", "auto")
	case llm.ChoiceRequired:
		w.text("tool_choice", "required")
	case llm.ChoiceNamed:
		if len(c.Names) != 1 || !w.offers(&c.Names[0]) {
			w.approximate("tool_choice")
			w.text("tool_choice", "auto")
			return
		}
		w.key("tool_choice")
		w.writeToolName(&c.Names[0])
	case llm.ChoiceAllowed:
		w.writeAllowed()
	}
}

// offers reports whether a tool of a choice is one that the upstream knows. Functions are always: a wrong name is the
// client's mistake, and for the upstream to report.
func (w *writer) offers(n *llm.ToolName) bool { return !isHosted(n.Kind) || w.r.Protocol == llm.Chat }

func (w *writer) writeAllowed() {
	c := &w.r.Choice
	mode := "auto"
	if c.Required {
		mode = "required"
	}
	w.dst = append(w.dst, `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"`...)
	w.dst = append(append(w.dst, mode...), `","tools":[`...)
	written := 0
	for i := range c.Names {
		if !w.offers(&c.Names[i]) {
			w.drop("tool_choice.tools")
			continue
		}
		if written++; written > 1 {
			w.dst = append(w.dst, ',')
		}
		w.writeToolName(&c.Names[i])
	}
	w.dst = append(w.dst, "]}}"...)
}

// writeToolName writes a reference to a tool.
func (w *writer) writeToolName(n *llm.ToolName) {
	kind := "function"
	switch {
	case isHosted(n.Kind):
		w.dst = append(w.dst, `{"type":`...)
		w.dst = append(json.AppendString(w.dst, n.Name), '}')
		return
	case n.Kind == llm.CustomTool && (w.x.Options.CustomTools || w.r.Protocol == llm.Chat):
		kind = "custom"
	}
	w.dst = append(append(append(append(w.dst, `{"type":"`...), kind...), `","`...), kind...)
	w.dst = append(w.dst, `":{"name":`...)
	w.dst = json.AppendString(w.dst, w.wireName(n.Namespace, n.Name))
	w.dst = append(w.dst, "}}"...)
}
