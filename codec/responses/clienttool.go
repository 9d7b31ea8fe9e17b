package responses

import (
	"cmp"
	"strings"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// clientTools are the tools that Anthropic's models know by their type and clients run, with the schemas that Anthropic
// publishes for them (https://docs.anthropic.com/en/docs/agents-and-tools/tool-use). Types end in a date.
var clientTools = [...]struct{ prefix, name, schema string }{
	{"bash_", "bash", `{"type":"object","properties":{"command":{"type":"string",` +
		`"description":"The bash command to run. Required unless the tool is restarted with restart."},` +
		`"restart":{"type":"boolean","description":"Set to true to restart this tool."}}}`},
	{"text_editor_", "str_replace_based_edit_tool", `{"type":"object","properties":{` +
		`"command":{"type":"string","enum":["view","create","str_replace","insert"]},` +
		`"path":{"type":"string","description":"Path of the file or directory."},` +
		`"file_text":{"type":"string","description":"Required by create: the content of the file."},` +
		`"old_str":{"type":"string","description":"Required by str_replace: the text to replace, which must occur once."},` +
		`"new_str":{"type":"string","description":"The new text of str_replace."},` +
		`"insert_line":{"type":"integer","description":"Required by insert: the line to insert behind."},` +
		`"insert_text":{"type":"string","description":"Required by insert: the text to insert."},` +
		`"view_range":{"type":"array","items":{"type":"integer"},"description":"The first and last line of view."}},` +
		`"required":["command","path"]}`},
	{"memory_", "memory", `{"type":"object","properties":{` +
		`"command":{"type":"string","enum":["view","create","str_replace","insert","delete","rename"]},` +
		`"path":{"type":"string"},"view_range":{"type":"array","items":{"type":"integer"}},` +
		`"file_text":{"type":"string"},"old_str":{"type":"string"},"new_str":{"type":"string"},` +
		`"insert_line":{"type":"integer"},"insert_text":{"type":"string"},` +
		`"old_path":{"type":"string"},"new_path":{"type":"string"}},"required":["command"]}`},
	// The schema of computer use needs the size of the screen: it can't be emulated.
	{"computer_", "computer", ""},
}

// clientTool returns the name that Anthropic's models call a typed client tool by, or nothing for any other tool.
func clientTool(t *llm.Tool) string {
	if t.Kind != llm.OtherTool || t.RawProtocol != llm.Messages {
		return ""
	}
	for i := range clientTools {
		if strings.HasPrefix(t.Name, clientTools[i].prefix) {
			// Older versions of the text editor have another name.
			return cmp.Or(stringOf(json.Get(t.Raw, "name")), clientTools[i].name)
		}
	}
	return ""
}

// clientSchema returns the schema of a typed client tool, or nothing when it is none or can't be emulated.
func clientSchema(t *llm.Tool) string {
	if clientTool(t) == "" {
		return ""
	}
	for i := range clientTools {
		if strings.HasPrefix(t.Name, clientTools[i].prefix) {
			return clientTools[i].schema
		}
	}
	return ""
}
