package messages

import (
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// The longest names of tools: Anthropic's own limit, and the one of compatible providers.
const (
	maxToolName      = 128
	maxOtherToolName = 64
)

// jsonTool is the name of the tool that stands in for the schema of an answer.
const jsonTool = "json_response"

// plannedTool is one tool of the request, and its name towards the target. Tools that are not kept are left out.
type plannedTool struct {
	tool *llm.Tool
	wire string
	keep bool
}

// planTools decides which tools are sent, and under which names (protocols.md B.5).
func (w *writer) planTools() {
	if len(w.r.Tools) > 0 {
		w.tools = make([]plannedTool, 0, len(w.r.Tools)+2)
	}
	for i := range w.r.Tools {
		w.tools = append(w.tools, plannedTool{tool: &w.r.Tools[i], wire: w.r.Tools[i].Name, keep: true})
	}
	if w.native {
		return
	}
	hosted := w.model.Claude || w.x.Options.FirstParty
	if w.r.Search != nil && w.searchTool() == nil {
		w.tools = append(w.tools, plannedTool{tool: &llm.Tool{Kind: llm.SearchTool, Search: w.r.Search}, keep: true})
	}
	if w.r.Choice.Mode == llm.ChoiceAllowed {
		w.filterAllowed()
	}
	usable := 0
	for i := range w.tools {
		if t := &w.tools[i]; t.keep && (w.runsHere(t.tool) || hosted && isHosted(t.tool, w.x.Options)) {
			usable++
		}
	}
	for i := range w.tools {
		t := &w.tools[i]
		switch {
		case !t.keep:
		case w.runsHere(t.tool):
			w.nameTool(t)
		case hosted && isHosted(t.tool, w.x.Options):
			w.planHosted(t)
		default:
			t.keep = false
			w.judgeHosted(t.tool, usable > 0)
		}
	}
	w.planUses()
}

// runsHere reports whether the client runs a tool itself, so that it can be a function.
func (w *writer) runsHere(t *llm.Tool) bool {
	return t.Kind == llm.FunctionTool || t.Kind == llm.CustomTool || t.Kind == llm.ToolSearchTool
}

// isHosted reports whether Anthropic can run the tool, or one that the channel wants in its place.
func isHosted(t *llm.Tool, options *llm.Options) bool {
	return t.Kind == llm.SearchTool || t.Kind == llm.RemoteTool || options.CodeExecution && t.RunsCode()
}

// searchTool returns the hosted web search among the kept tools.
func (w *writer) searchTool() *llm.Tool {
	for i := range w.tools {
		if t := &w.tools[i]; t.keep && t.tool.Kind == llm.SearchTool {
			return t.tool
		}
	}
	return nil
}

// filterAllowed leaves out the tools that the choice doesn't allow.
func (w *writer) filterAllowed() {
	for i := range w.tools {
		t := &w.tools[i]
		t.keep = false
		for _, name := range w.r.Choice.Names {
			sameName := name.Name == t.tool.Name && name.Namespace == t.tool.Namespace
			if sameName || name.Kind == llm.SearchTool && t.tool.Kind == llm.SearchTool {
				t.keep = true
			}
		}
	}
}

// nameTool gives a tool its name towards the target.
func (w *writer) nameTool(t *plannedTool) {
	name := t.tool.Name
	if t.tool.Kind == llm.ToolSearchTool {
		name = "tool_search"
	}
	t.wire = llm.WireName(t.tool.Namespace, name, w.nameLimit(), w.x.Names.Taken)
	w.x.Names.Add(t.wire, llm.ToolName{Kind: t.tool.Kind, Namespace: t.tool.Namespace, Name: name})
}

func (w *writer) nameLimit() int {
	if w.model.Claude || w.x.Options.FirstParty {
		return maxToolName
	}
	return maxOtherToolName
}

// wireName returns the target's name of a tool in the conversation or in the choice. It may have gone from the tools.
func (w *writer) wireName(namespace, name string) string {
	if w.native {
		return name
	}
	wire := w.x.Names.Wire(namespace, name)
	if wire == name && !w.x.Names.Taken(name) {
		wire = llm.WireName(namespace, name, w.nameLimit(), nil)
	}
	return wire
}

// planHosted checks the tools that Anthropic runs.
func (w *writer) planHosted(t *plannedTool) {
	switch t.tool.Kind {
	case llm.RemoteTool:
		w.checkServer(t.tool)
		return
	case llm.OtherTool:
		w.approximate("tools." + t.tool.Name)
		t.wire = llm.CodeExecution
		return
	}
	t.wire = searchName
	if string(json.Get(t.tool.Raw, "external_web_access")) == "false" {
		w.drop("tools.external_web_access")
	}
	if t.tool.Search != nil && t.tool.Search.ContextSize != "" && t.tool.Search.ContextSize != "medium" {
		w.drop(w.word("web_search_options.search_context_size", "tools.search_context_size"))
	}
}

// checkServer refuses an MCP server that Anthropic couldn't use as the client wants it.
func (w *writer) checkServer(t *llm.Tool) {
	url, connector, asks := false, false, true // OpenAI asks for approval unless it is told not to
	m := json.Object(t.Raw)
	for m.Next() {
		switch string(m.Key) {
		case "require_approval":
			asks = string(m.Value()) != `"never"`
		case "server_url":
			url = !json.IsEmpty(m.Value())
		case "connector_id":
			connector = !json.IsEmpty(m.Value())
		case "headers":
			if !json.IsEmpty(m.Value()) {
				w.drop("tools.headers")
			}
		case "server_description":
			if !json.IsEmpty(m.Value()) {
				w.drop("tools.server_description")
			}
		}
	}
	switch {
	case connector || !url:
		w.refuse(codeUnsupportedValue, "tools.server_url", "Give the address of the server.")
	case asks:
		w.refuse(codeUnsupportedValue, "tools.require_approval", "Set it to never.")
	}
}

// judgeHosted decides about a hosted tool that the target can't run. others is whether another tool remains.
func (w *writer) judgeHosted(t *llm.Tool, others bool) {
	reject := false
	switch w.x.Options.HostedTools {
	case llm.HostedReject:
		reject = true
	case llm.HostedAuto:
		reject = !others || w.isForced(t) || w.isInHistory(t)
	}
	name := hostedName(t)
	field := "tools." + name
	if t.Search != nil && t.Search == w.r.Search {
		field = "web_search_options"
	}
	switch {
	case !reject:
		w.drop(field)
	case field == "web_search_options":
		w.refuse(codeUnsupportedParameter, field, "Remove it or use a channel that searches.")
	default:
		w.refuse(codeUnsupportedValue, "tools", "Remove the tool "+name+" or use a channel that runs it.")
	}
}

// hostedName returns the wire type of a hosted tool.
func hostedName(t *llm.Tool) string {
	switch t.Kind {
	case llm.SearchTool:
		return searchName
	case llm.RemoteTool:
		return "mcp"
	}
	return t.Name
}

func (w *writer) isForced(t *llm.Tool) bool {
	c := &w.r.Choice
	if c.Mode != llm.ChoiceNamed || len(c.Names) == 0 {
		return false
	}
	return c.Names[0].Kind == t.Kind && (t.Kind != llm.OtherTool || c.Names[0].Name == t.Name)
}

// isInHistory reports whether the conversation has calls of a hosted tool.
func (w *writer) isInHistory(t *llm.Tool) bool {
	name := hostedName(t)
	for i := range w.r.Turns {
		for j := range w.r.Turns[i].Items {
			item := &w.r.Turns[i].Items[j]
			if (item.Kind == llm.Opaque || item.Kind == llm.Hosted) && strings.HasPrefix(item.Name, name) {
				return true
			}
		}
	}
	return false
}

// planUses notes what becomes of a bound of the calls of hosted tools.
func (w *writer) planUses() {
	if w.r.MaxToolCalls != nil && w.searchTool() == nil {
		w.drop("max_tool_calls")
	}
}

// keptTools returns how many tools are sent.
func (w *writer) keptTools() int {
	n := 0
	for i := range w.tools {
		if w.tools[i].keep && (w.native || w.tools[i].tool.Kind != llm.RemoteTool) {
			n++
		}
	}
	return n
}

// addJSONTool adds the tool that stands in for the schema of the answer.
func (w *writer) addJSONTool(schema []byte) {
	wire := llm.WireName("", jsonTool, w.nameLimit(), w.x.Names.Taken)
	tool := &llm.Tool{
		Name: wire, Description: "Gives the final answer. Call it exactly once, with the whole answer as its input.",
		Schema: schema,
	}
	if w.r.Format.Description != "" {
		tool.Description += " " + w.r.Format.Description
	}
	w.tools = append(w.tools, plannedTool{tool: tool, wire: wire, keep: true})
	w.x.Names.Add(wire, llm.ToolName{Name: wire})
	w.x.JSONTool = wire
}

// writeServers writes the servers of the MCP connector.
func (w *writer) writeServers() {
	first := true
	for i := range w.tools {
		t := &w.tools[i]
		if !t.keep || t.tool.Kind != llm.RemoteTool {
			continue
		}
		if first {
			w.dst = append(w.dst, `,"mcp_servers":[`...)
		} else {
			w.dst = append(w.dst, ',')
		}
		first = false
		if t.tool.RawProtocol == llm.Messages {
			w.dst = append(w.dst, t.tool.Raw...)
		} else {
			w.writeServer(t.tool.Raw)
		}
	}
	if !first {
		w.dst = append(w.dst, ']')
	}
}

// writeServer writes the server that a tool of type mcp in Responses names.
func (w *writer) writeServer(raw []byte) {
	var url, label, token, allowed []byte
	m := json.Object(raw)
	for m.Next() {
		switch string(m.Key) {
		case "server_url":
			url = m.Value()
		case "server_label":
			label = m.Value()
		case "authorization":
			token = m.Value()
		case "allowed_tools":
			allowed = m.Value()
		}
	}
	w.dst = append(w.dst, `{"type":"url"`...)
	w.raw("url", url)
	w.raw("name", label)
	if !json.IsNull(token) {
		w.raw("authorization_token", token)
	}
	if len(allowed) > 0 && allowed[0] == '{' {
		allowed = json.Get(allowed, "tool_names")
	}
	if !json.IsNull(allowed) {
		w.dst = append(w.dst, `,"tool_configuration":{"enabled":true,"allowed_tools":`...)
		w.dst = append(append(w.dst, allowed...), '}')
	}
	w.dst = append(w.dst, '}')
}

// AppendBetas appends the values of the header anthropic-beta that the body AppendRequest has written for x asks for, as a
// comma list. Most bodies need none.
func AppendBetas(dst []byte, x *llm.Exchange) []byte {
	for i := range x.Request.Tools {
		if x.Request.Tools[i].Kind == llm.RemoteTool {
			return append(dst, betaMCP...)
		}
	}
	return dst
}

// betaMCP is the beta of the MCP connector (https://docs.anthropic.com/en/docs/agents-and-tools/mcp-connector).
const betaMCP = "mcp-client-2025-04-04"

func (w *writer) writeTools() {
	if w.keptTools() == 0 {
		return
	}
	w.dst = append(w.dst, `,"tools":[`...)
	first := true
	for i := range w.tools {
		t := &w.tools[i]
		if !t.keep || t.tool.Kind == llm.RemoteTool {
			continue
		}
		if !first {
			w.dst = append(w.dst, ',')
		}
		first = false
		switch {
		case t.tool.RawProtocol == llm.Messages && w.native:
			w.dst = append(w.dst, t.tool.Raw...)
		case t.tool.Kind == llm.SearchTool:
			w.writeSearch(t.tool)
		case t.tool.Kind == llm.OtherTool:
			w.dst = append(w.dst, `{"type":"`+codeVersion+`","name":"`+llm.CodeExecution+`"}`...)
		default:
			w.writeFunction(t)
		}
	}
	w.dst = append(w.dst, ']')
}

// codeVersion is the type of Anthropic's code execution that is asked for: the first that is no beta.
const codeVersion = "code_execution_20250825"

// writeFunction writes a tool that the client runs. Tools that take no JSON are wrapped into one with a single text.
func (w *writer) writeFunction(t *plannedTool) {
	w.dst = append(w.dst, `{"name":`...)
	w.dst = json.AppendString(w.dst, t.wire)
	switch t.tool.Kind {
	case llm.CustomTool:
		w.text("description", freeformDescription(t.tool))
		w.raw("input_schema", []byte(freeformSchema))
	case llm.ToolSearchTool:
		w.text("description", t.tool.Description)
		schema := t.tool.Schema
		if schema == nil {
			schema = []byte(searchToolSchema)
		}
		w.dst = append(w.dst, `,"input_schema":`...)
		w.dst = appendInputSchema(w.dst, schema)
	default:
		w.text("description", t.tool.Description)
		w.writeSchema(t.tool)
		w.noteUnknown(t.tool)
	}
	w.writeToolMark(t.tool.Cache)
	w.dst = append(w.dst, '}')
}

// The schemas of tools that are no functions with the client.
const (
	freeformSchema = `{"type":"object","properties":{"input":{"type":"string"}},` +
		`"required":["input"],"additionalProperties":false}`
	searchToolSchema = `{"type":"object","properties":{"query":{"type":"string"}},"required":["query"]}`
)

// freeformDescription returns the description of a custom tool with its grammar, for a model that only knows JSON.
func freeformDescription(t *llm.Tool) string {
	if t.Grammar == "" {
		return t.Description
	}
	grammar := "The input must follow this " + t.Syntax + " grammar:\n" + t.Grammar
	if t.Description == "" {
		return grammar
	}
	return t.Description + "\n\n" + grammar
}

// writeSchema writes the schema of a function's arguments and whether they keep to it strictly: only where the model can, and
// by a schema that says it in Anthropic's subset (protocols.md B.5, D.8).
func (w *writer) writeSchema(t *llm.Tool) {
	w.dst = append(w.dst, `,"input_schema":`...)
	if t.Strict == nil || !*t.Strict {
		w.dst = appendInputSchema(w.dst, t.Schema)
		return
	}
	strict := w.model.StructuredOutputs
	if foreign := t.RawProtocol != llm.Messages; strict && foreign {
		w.dst, strict = appendAnswerSchema(w.dst, t.Schema)
		if !strict {
			w.dst = appendInputSchema(w.dst, t.Schema)
		}
	} else {
		w.dst = appendInputSchema(w.dst, t.Schema)
	}
	if strict {
		w.dst = append(w.dst, `,"strict":true`...)
	} else {
		w.drop(w.word("tools.function.strict", "tools.strict"))
	}
}

// noteUnknown notes the members of a function that Anthropic has no place for.
func (w *writer) noteUnknown(t *llm.Tool) {
	if t.RawProtocol != llm.Responses {
		return
	}
	m := json.Object(t.Raw)
	for m.Next() {
		switch string(m.Key) {
		case "defer_loading", "allowed_callers", "async", "output_schema":
			if json.Truthy(m.Value()) {
				w.drop("tools." + string(m.Key))
			}
		}
	}
}

// writeSearch writes the hosted web search.
func (w *writer) writeSearch(t *llm.Tool) {
	w.dst = append(w.dst, `{"type":"`+searchVersion+`","name":"`+searchName+`"`...)
	s := t.Search
	uses := w.r.MaxToolCalls
	if s != nil {
		if s.MaxUses != nil {
			uses = s.MaxUses
		}
		w.raw("allowed_domains", s.AllowedDomains)
		w.raw("blocked_domains", s.BlockedDomains)
		w.writeLocation(s.Location)
	}
	w.count("max_uses", uses)
	w.writeToolMark(t.Cache)
	w.dst = append(w.dst, '}')
}

// writeLocation writes where the user of a search is. Chat nests the place in a member of its own, Responses doesn't.
func (w *writer) writeLocation(location []byte) {
	if nested := json.Get(location, "approximate"); !json.IsNull(nested) {
		location = nested
	}
	start := len(w.dst)
	w.dst = append(w.dst, `,"user_location":{"type":"approximate"`...)
	empty := len(w.dst)
	m := json.Object(location)
	for m.Next() {
		if string(m.Key) != "type" && !json.IsNull(m.Value()) {
			w.dst = json.AppendString(append(w.dst, ','), m.Key)
			w.dst = append(append(w.dst, ':'), m.Value()...)
		}
	}
	if len(w.dst) == empty {
		w.dst = w.dst[:start]
		return
	}
	w.dst = append(w.dst, '}')
}
