package codec

import (
	"strings"

	"octopus/codec/llm"
	"octopus/codec/responses"
	"octopus/codec/tokens"
)

// What a prompt costs besides its texts, in tokens: for media protocols.md D.22, for the rest OpenAI's cookbook
// (https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken).
const (
	tokensOfImage   = 1600
	tokensOfFile    = 2000
	tokensOfTurn    = 3 // and as many where the answer begins
	tokensOfTool    = 7
	tokensOfToolset = 12
)

// EstimateCount answers a request to count tokens without asking a provider: r has been peeked and counts. The body is in the
// client's protocol; the number is that of the local tokenizer, and never zero. An error says why the request can't be read.
func EstimateCount(r *Request) ([]byte, *llm.Error) {
	var request llm.Request
	if err := r.read(&request); err != nil {
		return nil, err
	}
	if r.Recall != nil && needsHistory(&request) {
		body, err := appendResolved(nil, r.Body, request.PreviousResponseID, r.Recall)
		if err != nil {
			return nil, err
		}
		if err := responses.ReadRequest(body, &request); err != nil {
			return nil, err
		}
	}
	return appendCount(nil, r.Protocol, estimate(&request)), nil
}

// estimate returns about how many tokens the prompt of r has, by the tokenizer.
func estimate(r *llm.Request) int64 {
	var e estimator
	e.prompt(r)
	return tokens.Count(e.texts...) + e.more
}

// guess is estimate without the tokenizer: by the lengths of the texts.
func guess(r *llm.Request) int64 {
	var e estimator
	e.prompt(r)
	n := 0
	for _, text := range e.texts {
		n += len(text)
	}
	return tokens.Guess(n) + e.more
}

// prompt adds all that the prompt of r is made of.
func (e *estimator) prompt(r *llm.Request) {
	e.more += tokensOfTurn
	if len(r.System) > 0 {
		e.more += tokensOfTurn
	}
	e.items(r.System)
	for i := range r.Turns {
		e.more += tokensOfTurn
		e.name(r.Turns[i].Name)
		e.items(r.Turns[i].Items)
	}
	if len(r.Tools) > 0 {
		e.more += tokensOfToolset
	}
	for i := range r.Tools {
		e.tool(&r.Tools[i])
	}
	e.name(r.Format.Name)
	e.name(r.Format.Description)
	e.text(r.Format.Schema)
}

// estimator collects what a prompt is made of.
type estimator struct {
	texts [][]byte // to be counted
	more  int64    // what comes on top of them
}

func (e *estimator) text(text []byte) {
	if len(text) > 0 {
		e.texts = append(e.texts, text)
	}
}

// name adds a text that is short as a rule.
func (e *estimator) name(text string) { e.text([]byte(text)) }

func (e *estimator) items(items []llm.Item) {
	for i := range items {
		switch it := &items[i]; it.Kind {
		case llm.Text, llm.Refusal, llm.Thought:
			e.text(it.Text)
		case llm.Image, llm.Audio:
			e.more += tokensOfImage
		case llm.File:
			e.file(&it.Media)
		case llm.Call:
			e.more += tokensOfTurn
			e.name(it.Namespace)
			e.name(it.Name)
			e.text(it.Text)
			e.text(it.Arguments)
		case llm.Result:
			e.more += tokensOfTurn
			e.text(it.Text)
			e.items(it.Parts)
		case llm.Hosted, llm.Opaque:
			// Much of it is not for the model to read, some of it is encrypted.
			e.more += tokens.Guess(len(it.Raw))
		}
	}
}

// file adds a document: its text where that is here, else as if it were a page or two of a PDF.
func (e *estimator) file(m *llm.Media) {
	e.name(m.Name)
	e.name(m.Context)
	switch {
	case len(m.Text) > 0:
		e.text(m.Text)
	case strings.HasPrefix(m.Type, "text/"):
		e.more += tokens.Guess(len(m.Data) / 4 * 3) // base64
	default:
		e.more += tokensOfFile
	}
}

func (e *estimator) tool(t *llm.Tool) {
	e.more += tokensOfTool
	switch t.Kind {
	case llm.FunctionTool, llm.CustomTool:
		e.name(t.Namespace)
		e.name(t.Name)
		e.name(t.Description)
		e.text(t.Schema)
		e.name(t.Grammar)
	default:
		e.text(t.Raw)
	}
}
