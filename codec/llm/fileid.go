package llm

import "strconv"

// CheckFileIDs returns the refusal of a request that refers to a file by the id that another provider than the target's has given
// it, or nil: file ids cannot cross providers (protocols.md D.11 and D.12). OpenAI's two protocols are one provider's where the
// channel's family says that it is OpenAI. The error names the place in the
// client's body, as far as the neutral form knows it.
func CheckFileIDs(x *Exchange) *Error {
	r := x.Request
	if r.Protocol == x.Target || r.Protocol != Messages && x.Target != Messages && (x.Options.Family == "" || x.Options.Family == openAIFamily) {
		return nil
	}
	for i := range r.Turns {
		t := &r.Turns[i]
		field := fileIDField(t.Items)
		if field == "" {
			continue
		}
		if t.Path.List != "" {
			field = t.Path.List + "[" + strconv.Itoa(t.Path.Index) + "]." + field
		}
		field += [...]string{Chat: ".file.file_id", Responses: ".file_id", Messages: ".source.file_id"}[r.Protocol]
		return &Error{
			Kind: InvalidRequest, Code: "unsupported_value", Param: field, NoRetry: true,
			Message: "`" + field + "` refers to a file by its id, and file ids cannot cross providers. Send the file itself to model " +
				x.Model + " (" + upstreams[x.Target] + " upstream), or use a channel of the provider that has it.",
		}
	}
	return nil
}

// upstreams are the protocols' names in messages.
var upstreams = [...]string{Chat: "OpenAI Chat Completions", Responses: "OpenAI Responses", Messages: "Anthropic Messages"}

// openAIFamily is the family of channels whose reasoning, and files, are OpenAI's.
const openAIFamily = "openai"

// fileIDField returns the member of a message or item in which a file stands by its id, or "".
func fileIDField(items []Item) string {
	for i := range items {
		switch it := &items[i]; {
		case it.Media.FileID != "":
			return "content"
		case len(it.Parts) == 0 || fileIDField(it.Parts) == "":
		case it.Kind == Result && it.RawProtocol == Responses:
			return "output"
		default:
			return "content"
		}
	}
	return ""
}
