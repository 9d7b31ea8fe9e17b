package llm

import "strings"

// ToolKind is what kind of tool a tool is. The zero value is a function.
type ToolKind uint8

// The kinds of tools.
const (
	// FunctionTool takes a JSON object that fits a schema.
	FunctionTool ToolKind = iota
	// CustomTool takes free text, perhaps by a grammar.
	CustomTool
	// SearchTool is a hosted web search.
	SearchTool
	// ToolSearchTool finds other tools (Responses' tool_search, run by the client).
	ToolSearchTool
	// RemoteTool is a hosted MCP server.
	RemoteTool
	// OtherTool is a hosted or typed tool that only its own protocol knows; Raw is all there is of it.
	OtherTool
)

// Tool is something the model may call.
type Tool struct {
	Kind ToolKind
	// Namespace and Name identify a function or custom tool; Namespace is Responses' and mostly empty. Name is the wire
	// type for OtherTool.
	Namespace, Name string
	// Description is empty when absent.
	Description string
	// Schema is the raw JSON schema of a function's arguments, nil when absent.
	Schema []byte
	// Strict is nil when absent.
	Strict *bool
	// Grammar and Syntax (lark or regex) belong to a CustomTool with a grammar.
	Grammar, Syntax string
	// Search belongs to SearchTool.
	Search *WebSearch
	// Cache is the mark of the tool.
	Cache CacheTTL
	// Raw is the tool as the client wrote it, RawProtocol in which protocol.
	Raw         []byte
	RawProtocol Protocol
}

// CodeExecution is the name of Hosted items whose call is code that the provider ran: {"code":…} in Arguments, and what it has
// printed in Text.
const CodeExecution = "code_execution"

// codeInterpreter is Responses' name of the tool.
const codeInterpreter = "code_interpreter"

// RunsCode reports whether the tool is a sandbox of the provider's for the model's code: Responses' code_interpreter, or
// Anthropic's code_execution of any date.
func (t *Tool) RunsCode() bool { return t.Kind == OtherTool && runsCode(t.Name) }

// RunsCode reports whether a choice names such a tool, by its type or as Anthropic's choices do.
func (n *ToolName) RunsCode() bool { return n.Namespace == "" && runsCode(n.Name) }

func runsCode(name string) bool {
	return name == codeInterpreter || strings.HasPrefix(name, CodeExecution)
}

// ChoiceMode says whether the model must call a tool. The zero value is not given.
type ChoiceMode uint8

// The modes of tool choice.
const (
	ChoiceUnset ChoiceMode = iota
	ChoiceNone
	ChoiceAuto
	// ChoiceRequired wants any call; Anthropic's any.
	ChoiceRequired
	// ChoiceNamed wants a call of the named tool.
	ChoiceNamed
	// ChoiceAllowed restricts the tools to the named ones; Required says whether one must be called.
	ChoiceAllowed
)

// ToolChoice says whether and which tool must be called.
type ToolChoice struct {
	Mode ChoiceMode
	// Names are the tools of ChoiceNamed (one) and ChoiceAllowed.
	Names []ToolName
	// Required belongs to ChoiceAllowed.
	Required bool
	// Parallel is whether several calls in one turn are allowed, nil when not given.
	Parallel *bool
}

// ToolName names a tool in a choice.
type ToolName struct {
	Kind            ToolKind
	Namespace, Name string
}
