package messages

import (
	"strconv"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// readTools reads the tools and, as tools of kind RemoteTool, the servers of the MCP connector.
func readTools(tools, servers []byte, r *llm.Request) *llm.Error {
	for _, list := range [...]struct {
		name  string
		value []byte
		read  func([]byte, *llm.Tool) *llm.Error
	}{{"tools", tools, readTool}, {"mcp_servers", servers, readServer}} {
		if json.IsNull(list.value) {
			continue
		}
		e := json.Array(list.value)
		for i := 0; e.Next(); i++ {
			r.Tools = append(r.Tools, llm.Tool{Raw: e.Value(), RawProtocol: llm.Messages})
			if err := list.read(e.Value(), &r.Tools[len(r.Tools)-1]); err != nil {
				return at(err, list.name+"["+strconv.Itoa(i)+"]")
			}
		}
		if !e.Complete() {
			return invalidType(list.name, "an array")
		}
	}
	return nil
}

func readTool(value []byte, t *llm.Tool) *llm.Error {
	var kind string
	var strict *bool
	m := json.Object(value)
	for m.Next() {
		var err *llm.Error
		switch string(m.Key) {
		case "type":
			err = readString(&kind, m.Value(), "type")
		case "name":
			err = readString(&t.Name, m.Value(), "name")
		case "description":
			err = readString(&t.Description, m.Value(), "description")
		case "input_schema":
			t.Schema = m.Value()
		case "strict":
			if !json.IsNull(m.Value()) {
				strict = new(bool)
				err = readBool(strict, m.Value(), "strict")
			}
		case "cache_control":
			err = readCache(&t.Cache, m.Value(), "cache_control")
		}
		if err != nil {
			return err
		}
	}
	if !m.Complete() {
		return invalidType("", "an object")
	}
	switch {
	case kind == "" || kind == "custom":
		t.Kind, t.Strict = llm.FunctionTool, strict
		switch {
		case t.Name == "":
			return missing("name")
		case json.IsNull(t.Schema):
			return missing("input_schema")
		case t.Schema[0] != '{':
			return invalidType("input_schema", "an object")
		}
		return nil
	case strings.HasPrefix(kind, searchPrefix):
		// By the prefix: versions are dates, and new ones come.
		t.Kind, t.Schema = llm.SearchTool, nil
		return readSearch(value, t)
	}
	*t = llm.Tool{Kind: llm.OtherTool, Name: kind, Cache: t.Cache, Raw: t.Raw, RawProtocol: t.RawProtocol}
	return nil
}

// The wire types of the hosted web search: what all of them begin with, and the version that is asked for where the client
// names none.
const (
	searchPrefix  = "web_search_"
	searchVersion = "web_search_20250305"
	searchName    = "web_search"
)

func readSearch(value []byte, t *llm.Tool) *llm.Error {
	t.Search = new(llm.WebSearch)
	m := json.Object(value)
	for m.Next() {
		var err *llm.Error
		switch string(m.Key) {
		case "max_uses":
			err = readCount(&t.Search.MaxUses, m.Value(), "max_uses")
		case "allowed_domains":
			err = readArray(&t.Search.AllowedDomains, m.Value(), "allowed_domains")
		case "blocked_domains":
			err = readArray(&t.Search.BlockedDomains, m.Value(), "blocked_domains")
		case "user_location":
			if !json.IsNull(m.Value()) {
				t.Search.Location = m.Value()
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readArray keeps the text of an array. Null leaves *array alone.
func readArray(array *[]byte, value []byte, path string) *llm.Error {
	switch {
	case json.IsNull(value):
	case value[0] != '[':
		return invalidType(path, "an array")
	default:
		*array = value
	}
	return nil
}

func readServer(value []byte, t *llm.Tool) *llm.Error {
	t.Kind = llm.RemoteTool
	if value[0] != '{' {
		return invalidType("", "an object")
	}
	name := json.Get(value, "name")
	if json.IsNull(name) {
		return missing("name")
	}
	return readString(&t.Name, name, "name")
}

func readChoice(value []byte, r *llm.Request) *llm.Error {
	if json.IsNull(value) {
		return nil
	}
	var kind, name string
	m := json.Object(value)
	for m.Next() {
		var err *llm.Error
		switch string(m.Key) {
		case "type":
			err = readString(&kind, m.Value(), "type")
		case "name":
			err = readString(&name, m.Value(), "name")
		case "disable_parallel_tool_use":
			if !json.IsNull(m.Value()) {
				var disabled bool
				err = readBool(&disabled, m.Value(), "disable_parallel_tool_use")
				disabled = !disabled
				r.Choice.Parallel = &disabled
			}
		}
		if err != nil {
			return at(err, "tool_choice")
		}
	}
	if !m.Complete() {
		return invalidType("tool_choice", "an object")
	}
	switch kind {
	case "auto":
		r.Choice.Mode = llm.ChoiceAuto
	case "any":
		r.Choice.Mode = llm.ChoiceRequired
	case "none":
		r.Choice.Mode = llm.ChoiceNone
	case "tool":
		if name == "" {
			return missing("tool_choice.name")
		}
		r.Choice.Mode = llm.ChoiceNamed
		r.Choice.Names = []llm.ToolName{{Kind: kindOfTool(r.Tools, name), Name: name}}
	case "":
		return missing("tool_choice.type")
	default:
		return invalidValue("tool_choice.type", "must be auto, any, tool or none")
	}
	return nil
}

// kindOfTool returns the kind of the tool of that name, a function where there is none.
func kindOfTool(tools []llm.Tool, name string) llm.ToolKind {
	for i := range tools {
		if tools[i].Name == name {
			return tools[i].Kind
		}
	}
	return llm.FunctionTool
}
