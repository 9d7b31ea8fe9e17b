package chat

import "strings"

// clientTool is a function that stands in for a client tool of Anthropic's.
type clientTool struct{ prefix, description, schema string }

// clientTools are the tools that Anthropic's clients run, with the schemas that Anthropic publishes for them
// (https://docs.anthropic.com/en/docs/agents-and-tools/tool-use). The name on the wire begins with the prefix;
// versions are dates.
var clientTools = [...]clientTool{
	{"bash_", "Run a command in a persistent bash session.",
		`{"type":"object","properties":{"command":{"type":"string"},"restart":{"type":"boolean"}}}`},
	{"text_editor_", "View, create and edit text files.",
		`{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert",` +
			`"undo_edit"]},` +
			`"path":{"type":"string"},"file_text":{"type":"string"},"old_str":{"type":"string"},` +
			`"new_str":{"type":"string"},` +
			`"insert_line":{"type":"integer"},"insert_text":{"type":"string"},` +
			`"view_range":{"type":"array","items":{"type":"integer"}}},"required":["command","path"]}`},
	{"memory_", "Store and look up notes in files below /memories.",
		`{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert",` +
			`"delete","rename"]},` +
			`"path":{"type":"string"},"file_text":{"type":"string"},"old_str":{"type":"string"},` +
			`"new_str":{"type":"string"},` +
			`"insert_line":{"type":"integer"},"insert_text":{"type":"string"},"old_path":{"type":"string"},` +
			`"new_path":{"type":"string"},"view_range":{"type":"array","items":{"type":"integer"}}},` +
			`"required":["command"]}`},
	{"computer_", "Control a screen, a mouse and a keyboard.",
		`{"type":"object","properties":{"action":{"type":"string","enum":["key","type","mouse_move","left_click",` +
			`"left_click_drag","right_click","middle_click","double_click","triple_click","left_mouse_down",` +
			`"left_mouse_up",` +
			`"screenshot","cursor_position","scroll","hold_key","wait","zoom"]},` +
			`"coordinate":{"type":"array","items":{"type":"integer"}},"start_coordinate":{"type":"array",` +
			`"items":{"type":"integer"}},` +
			`"text":{"type":"string"},"duration":{"type":"number"},"scroll_direction":{"type":"string","enum":["up",` +
			`"down","left","right"]},` +
			`"scroll_amount":{"type":"integer"},"region":{"type":"array","items":{"type":"integer"}}},` +
			`"required":["action"]}`},
}

// clientToolOf returns the client tool of a wire type, or nil.
func clientToolOf(kind string) *clientTool {
	for i := range clientTools {
		if strings.HasPrefix(kind, clientTools[i].prefix) {
			return &clientTools[i]
		}
	}
	return nil
}
