package messages

import (
	"bytes"
	"strconv"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// What the stream and the whole answer have in common, so that both say the same.

// appendUsage appends the usage object (protocols.md D.13). The four numbers that clients read are always there.
func appendUsage(dst []byte, u *llm.Usage, tier string) []byte {
	if u == nil {
		u = &llm.Usage{}
	}
	dst = append(dst, `{"input_tokens":`...)
	dst = strconv.AppendInt(dst, u.Input, 10)
	dst = append(dst, `,"cache_creation_input_tokens":`...)
	dst = strconv.AppendInt(dst, u.CacheWrite5m+u.CacheWrite1h, 10)
	dst = append(dst, `,"cache_read_input_tokens":`...)
	dst = strconv.AppendInt(dst, u.CacheRead, 10)
	dst = append(dst, `,"cache_creation":{"ephemeral_5m_input_tokens":`...)
	dst = strconv.AppendInt(dst, u.CacheWrite5m, 10)
	dst = append(dst, `,"ephemeral_1h_input_tokens":`...)
	dst = strconv.AppendInt(dst, u.CacheWrite1h, 10)
	dst = append(dst, `},"output_tokens":`...)
	dst = strconv.AppendInt(dst, u.Output, 10)
	if u.Reasoning > 0 {
		dst = append(dst, `,"output_tokens_details":{"thinking_tokens":`...)
		dst = append(strconv.AppendInt(dst, u.Reasoning, 10), '}')
	}
	if u.WebSearches > 0 {
		dst = append(dst, `,"server_tool_use":{"web_search_requests":`...)
		dst = append(strconv.AppendInt(dst, u.WebSearches, 10), `,"web_fetch_requests":0}`...)
	}
	if tier = answerTier(tier); tier != "" {
		dst = append(dst, `,"service_tier":`...)
		dst = json.AppendString(dst, tier)
	}
	return append(dst, '}')
}

// answerTier returns Anthropic's word for the tier that served an answer (protocols.md D.15).
func answerTier(tier string) string {
	switch tier {
	case "standard", "priority", "batch":
		return tier
	case "default", "flex":
		return "standard"
	case "fast", "ultrafast":
		return "priority"
	}
	return ""
}

// appendStop appends the members that say why the answer ends (protocols.md D.2). refused is whether it holds a refusal.
func appendStop(dst []byte, x *llm.Exchange, stop *llm.Stop, refused bool) []byte {
	reason := "end_turn"
	switch stop.Reason {
	case llm.StopEnd, llm.StopUnknown:
		if refused {
			reason = "refusal"
		}
	case llm.StopSequence:
		reason = "stop_sequence"
	case llm.StopTool:
		reason = "tool_use"
	case llm.StopLength:
		reason = "max_tokens"
	case llm.StopFilter:
		reason = "refusal"
	case llm.StopPause:
		reason = "pause_turn"
	}
	if discards(x) {
		reason = "max_tokens"
	}
	dst = append(append(dst, `"stop_reason":"`...), reason...)
	dst = append(dst, `","stop_sequence":`...)
	if reason == "stop_sequence" && stop.Sequence != "" {
		dst = json.AppendString(dst, stop.Sequence)
	} else {
		dst = append(dst, "null"...)
	}
	if reason == "refusal" {
		dst = append(dst, `,"stop_details":{"type":"refusal","category":null,"explanation":`...)
		if stop.Explanation != "" {
			dst = json.AppendString(dst, stop.Explanation)
		} else {
			dst = append(dst, "null"...)
		}
		dst = append(dst, '}')
	}
	return dst
}

// unsealed is the signature of thinking that nobody can seal. Clients want one that is not empty; coming back, it is known as
// nobody's.
const unsealed = "gw1.none"

// appendSeal appends the signature, or the data, of a thought: its own where Anthropic has made it, else our envelope of what
// the provider that did wants back (protocols.md B.6). hash is of the thought's text.
func appendSeal(dst []byte, x *llm.Exchange, item *llm.Item, redacted bool, hash llm.TextHash) []byte {
	if x.Target == llm.Messages {
		switch {
		case len(item.Seal) > 0:
			return append(dst, item.Seal...)
		case redacted:
			return dst
		}
	}
	if x.Sealer == nil {
		return append(dst, unsealed...)
	}
	s := llm.Sealed{Kind: llm.SealNone, Model: x.Model, Item: item.ID, Opaque: item.Seal, Text: hash}
	switch {
	case x.Target == llm.Chat:
		s.Kind = llm.SealContent
	case len(item.Seal) > 0:
		s.Kind = llm.SealEncrypted
	}
	return x.Sealer.Seal(dst, s)
}

// appendCitation appends a citation of a kind that clients know (protocols.md D.16), or nothing. text is the whole text that
// is cited, where it is known.
func appendCitation(dst []byte, c *llm.Citation, text []byte) []byte {
	if c.RawProtocol == llm.Messages {
		switch kind, _ := json.Unquote(json.Get(c.Raw, "type")); string(kind) {
		case "web_search_result_location", "page_location", "char_location":
			// A stream's lines end where the JSON goes on.
			return append(dst, bytes.ReplaceAll(c.Raw, []byte{'\n'}, []byte{' '})...)
		}
	}
	if c.URL == "" {
		return dst
	}
	title := c.Title
	if title == "" {
		title = c.URL
	}
	cited := c.Cited
	if cited == "" {
		cited = sliceOf(text, c.Start, c.End)
	}
	dst = append(dst, `{"type":"web_search_result_location","cited_text":`...)
	dst = json.AppendString(dst, cited)
	dst = append(dst, `,"url":`...)
	dst = json.AppendString(dst, c.URL)
	dst = append(dst, `,"title":`...)
	dst = json.AppendString(dst, title)
	return append(dst, `,"encrypted_index":""}`...)
}

// annotationsField is what Responses calls the citations of which Anthropic knows no kind: those of files.
const annotationsField = "output.content.annotations"

// sliceOf returns the code points of text from start to end.
func sliceOf(text []byte, start, end int64) string {
	if start < 0 || end <= start {
		return ""
	}
	var n int64
	from := -1
	for i := range string(text) {
		if n == start {
			from = i
		}
		if n == end {
			return string(text[from:i])
		}
		n++
	}
	if from < 0 || n != end {
		return ""
	}
	return string(text[from:])
}

// appendHosted appends the blocks of a hosted call, one a line: of a web search that the client has declared, the call and the
// pages it found; of code that ran, likewise, the code and what it has printed. Others are not shown.
func appendHosted(dst []byte, x *llm.Exchange, item *llm.Item, index int) []byte {
	runsCode := item.Name == llm.CodeExecution && declares(x.Request, (*llm.Tool).RunsCode)
	if !runsCode && (item.Name != searchName || !declares(x.Request, isSearch)) {
		return dst
	}
	id := item.CallID
	if x.Target != llm.Messages || id == "" {
		id = "srvtoolu_" + x.AnswerID + "_" + strconv.Itoa(index)
	}
	input := item.Arguments
	if len(input) == 0 || input[0] != '{' {
		input = emptyObject
	}
	dst = append(dst, `{"type":"server_tool_use","id":`...)
	dst = json.AppendString(dst, id)
	dst = append(append(append(dst, `,"name":"`...), item.Name...), `","input":`...)
	dst = append(dst, bytes.ReplaceAll(input, []byte{'\n'}, []byte{' '})...)
	if runsCode {
		return appendCodeResult(append(dst, "}\n"...), item, id)
	}
	dst = append(dst, "}\n{\"type\":\"web_search_tool_result\",\"tool_use_id\":"...)
	dst = json.AppendString(dst, id)
	dst = append(dst, `,"content":[`...)
	for i := range item.Citations {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendPage(dst, &item.Citations[i])
	}
	return append(dst, `]}`...)
}

// appendCodeResult appends the block with what code has printed.
func appendCodeResult(dst []byte, item *llm.Item, id string) []byte {
	dst = json.AppendString(append(dst, `{"type":"code_execution_tool_result","tool_use_id":`...), id)
	dst = append(dst, `,"content":{"type":"code_execution_result","stdout":`...)
	dst = json.AppendString(dst, item.Text)
	code := byte('0')
	if item.IsError {
		code = '1'
	}
	return append(append(append(dst, `,"stderr":"","return_code":`...), code), `,"content":[]}}`...)
}

// appendPage appends one page that a search has found.
func appendPage(dst []byte, c *llm.Citation) []byte {
	if c.RawProtocol == llm.Messages {
		return append(dst, bytes.ReplaceAll(c.Raw, []byte{'\n'}, []byte{' '})...)
	}
	title := c.Title
	if title == "" {
		title = c.URL
	}
	dst = append(dst, `{"type":"web_search_result","url":`...)
	dst = json.AppendString(dst, c.URL)
	dst = append(dst, `,"title":`...)
	dst = json.AppendString(dst, title)
	return append(dst, `,"encrypted_content":"","page_age":null}`...)
}

// declares reports whether the client has a tool of some kind.
func declares(r *llm.Request, is func(*llm.Tool) bool) bool {
	if r == nil {
		return false
	}
	for i := range r.Tools {
		if is(&r.Tools[i]) {
			return true
		}
	}
	return false
}

func isSearch(t *llm.Tool) bool { return t.Kind == llm.SearchTool }
