package llm

// Protocol is one of the wire protocols that Octopus speaks, on either side. The zero value is no protocol.
type Protocol uint8

// The protocols, with the endpoint each is named after.
const (
	// Chat is OpenAI Chat Completions, POST /v1/chat/completions
	// (https://platform.openai.com/docs/api-reference/chat).
	Chat Protocol = iota + 1
	// Responses is OpenAI Responses, POST /v1/responses
	// (https://platform.openai.com/docs/api-reference/responses).
	Responses
	// Messages is Anthropic Messages, POST /v1/messages
	// (https://docs.anthropic.com/en/api/messages).
	Messages
)

// Protocols lists every protocol, in the order of the constants.
var Protocols = [...]Protocol{Chat, Responses, Messages}

// String returns the name that channel types carry in configuration: openai-chat, openai-responses or anthropic.
func (p Protocol) String() string {
	switch p {
	case Chat:
		return "openai-chat"
	case Responses:
		return "openai-responses"
	case Messages:
		return "anthropic"
	}
	return "none"
}

// ParseProtocol is the inverse of String. It returns false for any other name, "none" included.
func ParseProtocol(name string) (Protocol, bool) {
	for _, p := range Protocols {
		if p.String() == name {
			return p, true
		}
	}
	return 0, false
}
