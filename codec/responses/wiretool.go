package responses

import (
	"fmt"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// maxToolName is the longest name of a function.
const maxToolName = 64

// emptySchema is the schema of a function that takes nothing.
const emptySchema = `{"type":"object","properties":{}}`

// tools writes the tools, which of them must be called, and how many at once. Without tools none of it is sent: many upstreams
// refuse a choice among none.
func (w *writer) tools() {
	w.nameTools()
	w.keepTools()
	search := w.r.Search != nil && !w.own
	if len(w.kept) == 0 && !search {
		if w.r.Choice.Mode == llm.ChoiceRequired || w.r.Choice.Mode == llm.ChoiceNamed {
			w.drop("tool_choice")
		}
		return
	}
	w.name("tools")
	w.dst = append(w.dst, '[')
	for n := 0; n < len(w.kept); n++ {
		if n > 0 {
			w.dst = append(w.dst, ',')
		}
		if tool := &w.r.Tools[w.kept[n]]; w.own && tool.Namespace != "" {
			n = w.namespace(n)
		} else {
			w.tool(tool)
		}
	}
	if search {
		if len(w.kept) > 0 {
			w.dst = append(w.dst, ',')
		}
		w.search(w.r.Search)
	}
	w.dst = append(w.dst, ']')
	w.choice()
	switch parallel := w.r.Choice.Parallel; {
	case parallel != nil && (!*parallel || w.r.Protocol != llm.Messages):
		// Anthropic's false is the default of its negation, and of this.
		w.boolean("parallel_tool_calls", *parallel)
	case w.r.Legacy:
		// functions know one call a turn.
		w.boolean("parallel_tool_calls", false)
	}
}

// nameTools finds names for the tools whose own ones can't be sent.
func (w *writer) nameTools() {
	if w.own {
		return
	}
	var taken map[string]bool
	for i := range w.r.Tools {
		t := &w.r.Tools[i]
		if t.Kind != llm.FunctionTool && t.Kind != llm.CustomTool || w.fits(t.Namespace, t.Name) {
			continue
		}
		if taken == nil {
			taken = make(map[string]bool, len(w.r.Tools))
			for j := range w.r.Tools {
				if other := &w.r.Tools[j]; w.fits(other.Namespace, other.Name) {
					taken[other.Name] = true
				}
			}
		}
		key := llm.ToolName{Namespace: t.Namespace, Name: t.Name}
		if _, known := w.wire[key]; known {
			continue
		}
		wire := llm.WireName(t.Namespace, t.Name, maxToolName, func(s string) bool { return taken[s] })
		taken[wire] = true
		w.rename(key, t.Kind, wire)
	}
}

// fits reports whether a tool can go by its own name.
func (w *writer) fits(namespace, name string) bool {
	return namespace == "" && llm.WireName("", name, maxToolName, nil) == name
}

// rename notes the name that a tool goes by. The strings outlive the client's body.
func (w *writer) rename(key llm.ToolName, kind llm.ToolKind, wire string) {
	if w.wire == nil {
		w.wire = make(map[llm.ToolName]string)
	}
	w.wire[key] = wire
	w.x.Names.Add(wire, llm.ToolName{
		Kind: kind, Namespace: strings.Clone(key.Namespace), Name: strings.Clone(key.Name),
	})
}

// wireName returns the name that a tool is called by. Tools of the history need not be among those of the request.
func (w *writer) wireName(namespace, name string, kind llm.ToolKind) string {
	if w.own || w.fits(namespace, name) {
		return name
	}
	key := llm.ToolName{Namespace: namespace, Name: name}
	if wire, known := w.wire[key]; known {
		return wire
	}
	w.rename(key, kind, llm.WireName(namespace, name, maxToolName, w.x.Names.Taken))
	return w.wire[key]
}

// keepTools decides which tools are sent. Hosted tools that can't be are dropped, or the request is refused, as the channel's
// policy says.
func (w *writer) keepTools() {
	var lost []int
	for i := range w.r.Tools {
		if w.carries(&w.r.Tools[i]) {
			w.kept = append(w.kept, i)
		} else {
			lost = append(lost, i)
		}
	}
	for _, i := range lost {
		t := &w.r.Tools[i]
		field := fmt.Sprintf("tools[%d]", i)
		switch {
		case clientTool(t) != "":
			w.refuse(field, "Declare it as a function, or use an Anthropic channel.")
		case w.x.Options.HostedTools == llm.HostedReject,
			w.x.Options.HostedTools == llm.HostedAuto && (len(w.kept) == 0 || w.forces(t) || w.remembers(t)):
			w.refuse(field, "Remove the tool "+t.Name+", or use a channel of its provider.")
		default:
			w.drop("tools." + t.Name)
		}
	}
}

// carries reports whether a tool exists in this protocol.
func (w *writer) carries(t *llm.Tool) bool {
	switch t.Kind {
	case llm.FunctionTool, llm.CustomTool, llm.SearchTool:
		return true
	case llm.RemoteTool:
		return w.own || t.RawProtocol == llm.Messages && !json.IsEmpty(json.Get(t.Raw, "url"))
	case llm.ToolSearchTool:
		return w.own
	}
	if w.x.Options.CodeExecution && t.RunsCode() {
		return true
	}
	return w.own || w.x.Options.EmulateClientTools && clientSchema(t) != ""
}

// forces reports whether the choice is for a hosted tool.
func (w *writer) forces(t *llm.Tool) bool {
	c := &w.r.Choice
	return c.Mode == llm.ChoiceNamed && len(c.Names) == 1 && c.Names[0].Name == t.Name && c.Names[0].Kind == t.Kind
}

// remembers reports whether the conversation holds calls of a hosted tool.
func (w *writer) remembers(t *llm.Tool) bool {
	for i := range w.r.Turns {
		for j := range w.r.Turns[i].Items {
			it := &w.r.Turns[i].Items[j]
			// The type of a tool is the name of its calls and a date.
			if it.Kind == llm.Hosted && it.Name != "" && strings.HasPrefix(t.Name, it.Name) {
				return true
			}
		}
	}
	return false
}

// namespace writes the tools of one namespace, the first of them at w.kept[n], and returns the place of the last.
func (w *writer) namespace(n int) int {
	name := w.r.Tools[w.kept[n]].Namespace
	w.dst = json.AppendString(append(w.dst, `{"type":"namespace","name":`...), name)
	w.raw("description", w.namespaceDescription(name))
	w.dst = append(w.dst, `,"tools":[`...)
	for first := n; ; n++ {
		if n > first {
			w.dst = append(w.dst, ',')
		}
		w.tool(&w.r.Tools[w.kept[n]])
		if n+1 == len(w.kept) || w.r.Tools[w.kept[n+1]].Namespace != name {
			break
		}
	}
	w.dst = append(w.dst, "]}"...)
	return n
}

// namespaceDescription returns what the client wrote of a namespace, raw, or nil.
func (w *writer) namespaceDescription(name string) []byte {
	e := json.Array(w.echo("tools"))
	for e.Next() {
		tool := e.Value()
		if stringOf(json.Get(tool, "type")) == "namespace" && stringOf(json.Get(tool, "name")) == name {
			return nonNull(json.Get(tool, "description"))
		}
	}
	return nil
}

// tool writes one tool.
func (w *writer) tool(t *llm.Tool) {
	if w.own && t.RawProtocol == llm.Responses && t.Raw != nil {
		w.dst = append(w.dst, t.Raw...)
		return
	}
	if t.Cache != llm.CacheNone {
		w.drop("tools.cache_control")
	}
	switch t.Kind {
	case llm.SearchTool:
		w.search(t.Search)
	case llm.RemoteTool:
		w.remote(t)
	case llm.CustomTool:
		w.head("custom", t)
		if t.Grammar != "" {
			w.dst = json.AppendString(append(w.dst, `,"format":{"type":"grammar","syntax":`...), t.Syntax)
			w.str("definition", t.Grammar)
			w.dst = append(w.dst, '}')
		}
		w.dst = append(w.dst, '}')
	case llm.OtherTool:
		if t.RunsCode() {
			w.approximate("tools." + t.Name)
			w.dst = append(w.dst, `{"type":"code_interpreter","container":{"type":"auto"}}`...)
			return
		}
		w.approximate("tools")
		w.dst = json.AppendString(append(w.dst, `{"type":"function","name":`...), clientTool(t))
		w.raw("parameters", []byte(clientSchema(t)))
		w.dst = append(w.dst, `,"strict":false}`...)
	default:
		w.warnOfTraits(t)
		w.head("function", t)
		if t.Schema == nil {
			w.raw("parameters", []byte(emptySchema))
		} else {
			w.raw("parameters", t.Schema)
		}
		// Here an omitted strict means true, in the other protocols false.
		strict := t.Strict != nil && *t.Strict
		if strict && t.RawProtocol == llm.Messages && !json.IsStrictSchema(t.Schema) {
			strict = false // OpenAI's subset is another one
			w.drop("tools.strict")
		}
		w.boolean("strict", strict)
		w.dst = append(w.dst, '}')
	}
}

// warnOfTraits notes what Anthropic knows of a function, and this protocol doesn't or understands in another way.
func (w *writer) warnOfTraits(t *llm.Tool) {
	if t.RawProtocol != llm.Messages {
		return
	}
	m := json.Object(t.Raw)
	for m.Next() {
		switch string(m.Key) {
		case "defer_loading", "allowed_callers", "input_examples", "eager_input_streaming":
			if !json.IsEmpty(m.Value()) && json.Truthy(m.Value()) {
				w.drop("tools." + string(m.Key))
			}
		}
	}
}

func (w *writer) head(kind string, t *llm.Tool) {
	w.dst = append(append(append(w.dst, `{"type":"`...), kind...), `","name":`...)
	w.dst = json.AppendString(w.dst, w.wireName(t.Namespace, t.Name, t.Kind))
	w.str("description", t.Description)
}

// search writes a hosted web search.
func (w *writer) search(s *llm.WebSearch) {
	w.dst = append(w.dst, `{"type":"web_search"`...)
	if s != nil {
		w.str("search_context_size", s.ContextSize)
		if s.Location != nil {
			w.location(s.Location)
		}
		if s.AllowedDomains != nil {
			w.dst = append(append(append(w.dst, `,"filters":{"allowed_domains":`...), s.AllowedDomains...), '}')
		}
		if s.BlockedDomains != nil {
			w.drop("tools.blocked_domains")
		}
		if s.MaxUses != nil {
			w.maxUses(*s.MaxUses)
		}
	}
	w.dst = append(w.dst, '}')
}

// location writes where the user of a web search is, whatever protocol it was written in.
func (w *writer) location(object []byte) {
	if nested := json.Get(object, "approximate"); len(nested) > 0 && nested[0] == '{' {
		object = nested
	}
	w.dst = append(w.dst, `,"user_location":{"type":"approximate"`...)
	m := json.Object(object)
	for m.Next() {
		switch name := string(m.Key); name {
		case "city", "country", "region", "timezone":
			w.raw(name, nonNull(m.Value()))
		}
	}
	w.dst = append(w.dst, '}')
}

// maxUses notes the bound of a web search. Here the bound is one of the whole request: it is sent where the search is the only
// hosted tool.
func (w *writer) maxUses(n int64) {
	hosted := 0
	for _, i := range w.kept {
		if kind := w.r.Tools[i].Kind; kind != llm.FunctionTool && kind != llm.CustomTool {
			hosted++
		}
	}
	if hosted > 1 || w.r.MaxToolCalls != nil {
		w.drop("tools.max_uses")
		return
	}
	w.uses = &n
}

// remote writes a server of Anthropic's MCP connector as a tool.
func (w *writer) remote(t *llm.Tool) {
	w.dst = json.AppendString(append(w.dst, `{"type":"mcp","server_label":`...), t.Name)
	w.raw("server_url", nonNull(json.Get(t.Raw, "url")))
	w.raw("authorization", nonNull(json.Get(t.Raw, "authorization_token")))
	w.raw("allowed_tools", nonNull(json.Get(json.Get(t.Raw, "tool_configuration"), "allowed_tools")))
	w.str("require_approval", "never")
	w.dst = append(w.dst, '}')
}

// choice writes whether and which tool must be called.
func (w *writer) choice() {
	if raw := w.echo("tool_choice"); raw != nil {
		w.raw("tool_choice", raw)
		return
	}
	switch c := &w.r.Choice; c.Mode {
	case llm.ChoiceNone:
		w.str("tool_choice", "none")
	case llm.ChoiceAuto:
		w.str("tool_choice", "auto")
	case llm.ChoiceRequired:
		w.str("tool_choice", "required")
	case llm.ChoiceNamed:
		if len(c.Names) > 0 {
			w.name("tool_choice")
			w.chosen(&c.Names[0])
		}
	case llm.ChoiceAllowed:
		mode := "auto"
		if c.Required {
			mode = "required"
		}
		w.dst = append(append(append(w.dst, `,"tool_choice":{"type":"allowed_tools","mode":"`...), mode...), `","tools":[`...)
		for i := range c.Names {
			if i > 0 {
				w.dst = append(w.dst, ',')
			}
			w.chosen(&c.Names[i])
		}
		w.dst = append(w.dst, "]}"...)
	}
}

// chosen writes the tool that a choice names.
func (w *writer) chosen(name *llm.ToolName) {
	kind := name.Kind
	declared := w.declared(name)
	if declared != nil {
		kind = declared.Kind
	}
	switch kind {
	case llm.SearchTool:
		w.dst = append(w.dst, `{"type":"web_search"}`...)
	case llm.RemoteTool:
		w.dst = json.AppendString(append(w.dst, `{"type":"mcp","server_label":`...), name.Name)
		w.dst = append(w.dst, '}')
	case llm.OtherTool:
		if declared != nil && declared.RunsCode() {
			w.dst = append(w.dst, `{"type":"code_interpreter"}`...)
			return
		}
		if declared != nil && declared.RawProtocol == llm.Messages {
			w.dst = json.AppendString(append(w.dst, `{"type":"function","name":`...), clientTool(declared))
		} else {
			w.dst = json.AppendString(append(w.dst, `{"type":`...), name.Name)
		}
		w.dst = append(w.dst, '}')
	case llm.CustomTool:
		w.dst = append(w.dst, `{"type":"custom"`...)
		w.str("name", w.wireName(name.Namespace, name.Name, kind))
		w.dst = append(w.dst, '}')
	default:
		w.dst = append(w.dst, `{"type":"function"`...)
		w.str("name", w.wireName(name.Namespace, name.Name, kind))
		w.dst = append(w.dst, '}')
	}
}

// declared returns the tool of the request that a choice means, or nil: Anthropic's choice has the name only.
func (w *writer) declared(name *llm.ToolName) *llm.Tool {
	for _, i := range w.kept {
		t := &w.r.Tools[i]
		own := t.Name
		switch t.Kind {
		case llm.SearchTool:
			own = webSearch
		case llm.OtherTool:
			if name := clientTool(t); name != "" {
				own = name
			}
			if t.RunsCode() && t.RawProtocol == llm.Messages {
				own = llm.CodeExecution
			}
		}
		if own == name.Name && t.Namespace == name.Namespace {
			return t
		}
	}
	return nil
}
