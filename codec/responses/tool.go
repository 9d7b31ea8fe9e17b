package responses

import (
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// The neutral names of tools that providers run, or know by themselves.
const (
	webSearch  = "web_search"
	toolSearch = "tool_search"
)

// readTools appends the tools of array, the member name of an object, to r.Tools.
func readTools(name string, array []byte, r *llm.Request) *llm.Error {
	if array == nil {
		return nil
	}
	if array[0] != '[' {
		return under(name, malformed(codeType, "must be an array"))
	}
	e := json.Array(array)
	for i := 0; e.Next(); i++ {
		if err := within(name, i, readTool(e.Value(), "", r)); err != nil {
			return err
		}
	}
	return nil
}

// readTool appends one tool, or those of a namespace.
func readTool(raw []byte, namespace string, r *llm.Request) *llm.Error {
	if raw[0] != '{' {
		return malformed(codeType, "must be an object")
	}
	if len(r.Tools) == maxTools {
		return malformed(codeValue, "is one tool too many: 4096 are the most")
	}
	var kind, execution string
	var nested, tools []byte
	tool := llm.Tool{Namespace: namespace, Raw: raw, RawProtocol: llm.Responses}
	var format []byte
	m := json.Object(raw)
	for m.Next() {
		var err *llm.Error
		value := nonNull(m.Value())
		switch string(m.Key) {
		case "type":
			err = under("type", readString(value, &kind))
		case "execution":
			err = under("execution", readString(value, &execution))
		case "tools":
			err = under("tools", readArray(value, &tools))
		case "function", "custom":
			// The form of Chat Completions, which mixed clients send here.
			err = under(string(m.Key), readObject(value, &nested))
		default:
			err = readToolMember(&tool, &format, m.Key, value)
		}
		if err != nil {
			return err
		}
	}
	if nested != nil {
		tool.Raw = nil // an upstream of this protocol would not know the form
		n := json.Object(nested)
		for n.Next() {
			if err := readToolMember(&tool, &format, n.Key, nonNull(n.Value())); err != nil {
				return under(kind, err)
			}
		}
	}
	switch {
	case kind == "function":
		tool.Kind = llm.FunctionTool
	case kind == "custom":
		tool.Kind = llm.CustomTool
		if err := under("format", readGrammar(format, &tool)); err != nil {
			return err
		}
	case kind == "namespace":
		if tool.Name == "" || namespace != "" {
			return under("name", malformed(codeMissing, "is required, and a namespace can't hold another"))
		}
		e := json.Array(tools)
		for i := 0; e.Next(); i++ {
			if err := within("tools", i, readTool(e.Value(), tool.Name, r)); err != nil {
				return err
			}
		}
		return nil
	case strings.HasPrefix(kind, webSearch):
		tool.Kind, tool.Name, tool.Search = llm.SearchTool, webSearch, readSearch(raw)
	case kind == toolSearch && execution == "client":
		tool.Kind, tool.Name = llm.ToolSearchTool, toolSearch
	case kind == "mcp":
		tool.Kind = llm.RemoteTool
		if err := under("server_label", readString(json.Get(raw, "server_label"), &tool.Name)); err != nil {
			return err
		}
	case kind == "":
		return under("type", malformed(codeMissing, "is required"))
	default:
		tool.Kind, tool.Name = llm.OtherTool, kind
	}
	if tool.Name == "" {
		return under("name", malformed(codeMissing, "is required"))
	}
	r.Tools = append(r.Tools, tool)
	return nil
}

func readToolMember(tool *llm.Tool, format *[]byte, key, value []byte) *llm.Error {
	switch string(key) {
	case "name":
		return under("name", readString(value, &tool.Name))
	case "description":
		return under("description", readString(value, &tool.Description))
	case "parameters":
		return under("parameters", readObject(value, &tool.Schema))
	case "strict":
		return under("strict", readBool(value, &tool.Strict))
	case "format":
		return under("format", readObject(value, format))
	case "cache_control":
		tool.Cache = (&part{cacheControl: value}).cache()
	}
	return nil
}

// readGrammar reads the format of a custom tool, flat or as Chat Completions nests it.
func readGrammar(format []byte, tool *llm.Tool) *llm.Error {
	if string(json.Get(format, "type")) != `"grammar"` {
		return nil
	}
	if nested := json.Get(format, "grammar"); len(nested) > 0 && nested[0] == '{' {
		format = nested
	}
	if err := under("definition", readString(json.Get(format, "definition"), &tool.Grammar)); err != nil {
		return err
	}
	return under("syntax", readString(json.Get(format, "syntax"), &tool.Syntax))
}

// readSearch reads the parameters of a hosted web search. What is not as it should be counts as absent: the provider that runs
// the search is the judge.
func readSearch(raw []byte) *llm.WebSearch {
	search := new(llm.WebSearch)
	m := json.Object(raw)
	for m.Next() {
		switch value := nonNull(m.Value()); string(m.Key) {
		case "search_context_size":
			_ = readString(value, &search.ContextSize)
		case "user_location":
			_ = readObject(value, &search.Location)
		case "filters":
			_ = readArray(json.Get(value, "allowed_domains"), &search.AllowedDomains)
			_ = readArray(json.Get(value, "blocked_domains"), &search.BlockedDomains)
		}
	}
	return search
}

// readChoice reads the member tool_choice.
func readChoice(value []byte, choice *llm.ToolChoice) *llm.Error {
	if value == nil {
		return nil
	}
	switch value[0] {
	case '"':
		switch string(value) {
		case `"none"`:
			choice.Mode = llm.ChoiceNone
		case `"auto"`:
			choice.Mode = llm.ChoiceAuto
		case `"required"`:
			choice.Mode = llm.ChoiceRequired
		default:
			return malformed(codeValue, "must be none, auto, required or an object")
		}
		return nil
	case '{':
	default:
		return malformed(codeType, "must be a string or an object")
	}
	if string(json.Get(value, "type")) != `"allowed_tools"` {
		name, err := readChoiceName(value)
		choice.Mode, choice.Names = llm.ChoiceNamed, []llm.ToolName{name}
		return err
	}
	if nested := json.Get(value, "allowed_tools"); len(nested) > 0 && nested[0] == '{' {
		value = nested
	}
	choice.Mode = llm.ChoiceAllowed
	switch string(json.Get(value, "mode")) {
	case `"required"`:
		choice.Required = true
	case `"auto"`, "", "null":
	default:
		return under("mode", malformed(codeValue, "must be auto or required"))
	}
	tools := json.Get(value, "tools")
	if len(tools) == 0 || tools[0] != '[' {
		return under("tools", malformed(codeMissing, "is required"))
	}
	e := json.Array(tools)
	for i := 0; e.Next(); i++ {
		if i == maxTools {
			return under("tools", malformed(codeValue, "has more than 4096 elements"))
		}
		name, err := readChoiceName(e.Value())
		if err != nil {
			return within("tools", i, err)
		}
		choice.Names = append(choice.Names, name)
	}
	return nil
}

// readChoiceName reads which tool an object of a tool_choice means.
func readChoiceName(object []byte) (tool llm.ToolName, err *llm.Error) {
	var kind string
	if err := under("type", readString(json.Get(object, "type"), &kind)); err != nil {
		return tool, err
	}
	named := object
	switch {
	case kind == "function":
		tool.Kind = llm.FunctionTool
	case kind == "custom":
		tool.Kind = llm.CustomTool
	case kind == "mcp":
		return llm.ToolName{Kind: llm.RemoteTool, Name: stringOf(json.Get(object, "server_label"))}, nil
	case strings.HasPrefix(kind, webSearch):
		return llm.ToolName{Kind: llm.SearchTool, Name: webSearch}, nil
	case kind == toolSearch:
		return llm.ToolName{Kind: llm.ToolSearchTool, Name: toolSearch}, nil
	case kind == "":
		return tool, under("type", malformed(codeMissing, "is required"))
	default:
		return llm.ToolName{Kind: llm.OtherTool, Name: kind}, nil
	}
	if nested := json.Get(object, kind); len(nested) > 0 && nested[0] == '{' {
		named = nested
	}
	tool.Namespace = stringOf(json.Get(named, "namespace"))
	if tool.Name = stringOf(json.Get(named, "name")); tool.Name == "" {
		return tool, under("name", malformed(codeMissing, "is required"))
	}
	return tool, nil
}

// stringOf returns the text of a JSON string, or nothing.
func stringOf(value []byte) string {
	text, _ := json.Unquote(value)
	return json.Borrow(text)
}
