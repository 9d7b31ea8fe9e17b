package llm

// Role is who speaks in a turn. The zero value is the user.
type Role uint8

// The roles. Results of tools are items of a user turn.
const (
	User Role = iota
	Assistant
	// System is a system or developer text in the middle of a conversation.
	System
)

// Turn is one turn of a conversation. The order of its items is kept.
type Turn struct {
	Role  Role
	Items []Item
	// Name is Chat's name of the participant, or empty.
	Name string
	// Path is where the turn stands in the client's body ("messages[3]", "input[7]"), for errors.
	Path Path
}

// Path is a place in the client's body: the list, and the index of its element. It is put into words only for an error.
type Path struct {
	List  string
	Index int
}

// ItemKind is what kind of content an item is.
type ItemKind uint8

// The kinds of items.
const (
	Text ItemKind = iota
	// Refusal is the model's refusal to answer (OpenAI).
	Refusal
	Image
	Audio
	// File is a document: PDF, text, or another type.
	File
	// Thought is reasoning, shown, summarized, encrypted or redacted.
	Thought
	// Call is a call of a client's tool; Result what the client made of it.
	Call
	Result
	// Hosted is a call of a hosted tool, with its result where the protocol joins them (web search).
	Hosted
	// Reference is Responses' item_reference: ID is the item's.
	Reference
	// Opaque is an item that only its own protocol knows: Raw is all there is of it, Name its wire type.
	Opaque
)

// Item is one piece of content. Which fields count depends on its kind; the others are zero.
type Item struct {
	Kind ItemKind
	// ID is the item's id in Responses, or empty.
	ID string
	// Text is the decoded text of Text and Refusal, the text of a Thought, and Custom's input of a Call.
	Text []byte
	// Cache is the mark of prompt caching.
	Cache CacheTTL
	// Phase is Responses' phase of an assistant message, or empty.
	Phase string

	// CallID pairs a Call and its Result. Name and Namespace are the tool's.
	CallID, Name, Namespace string
	// Arguments are the raw JSON of a Call: what stands between OpenAI's quotes, decoded; Anthropic's input.
	Arguments []byte
	// Custom is whether a Call is of a CustomTool: its input is in Text.
	Custom bool
	// IsError marks a Result as failed. Parts are its content: items of kind Text, Image and File.
	IsError bool
	Parts   []Item

	// Media is of Image, Audio and File.
	Media Media

	// Summary is whether a Thought's Text is a summary of it; Redacted that there is none to show.
	Summary, Redacted bool
	// Seal is what the provider that made a Thought wants back unchanged: Anthropic's signature or redacted data,
	// Responses' encrypted_content, or our own envelope of one of them.
	Seal []byte

	// Citations are of Text in an answer or a history.
	Citations []Citation
	// Logprobs is the raw JSON array of token log probabilities of a Text, nil when absent.
	Logprobs []byte

	// Raw is the item as RawProtocol writes it, nil when it has been changed or was joined of several.
	Raw         []byte
	RawProtocol Protocol
}

// Media is an image, a sound or a document.
type Media struct {
	// Type is the MIME type, or empty when unknown.
	Type string
	// Data is base64, URL an http or https address, FileID a provider's handle: one of the three.
	Data        []byte
	URL, FileID string
	// Text is the plain text of a document that has its text in the request.
	Text []byte
	// Name is a file's name or a document's title; Context is Anthropic's context of a document.
	Name, Context string
	// Detail is OpenAI's detail of an image, or empty.
	Detail string
	// Citations is whether Anthropic's citations are enabled for the document.
	Citations bool
}

// Citation is a source of a text.
type Citation struct {
	// URL and Title name a page; Title may be empty.
	URL, Title string
	// Start and End are the cited range of the text in Unicode code points; both zero when unknown.
	Start, End int64
	// Cited is the quoted text of the source, or empty.
	Cited string
	// Raw is the citation as RawProtocol writes it.
	Raw         []byte
	RawProtocol Protocol
}
