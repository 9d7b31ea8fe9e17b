package gatewaytest

import (
	"math"
	"strings"
)

// The content blocks of Messages. Each may carry a mark of the cache, except for thinking.
var (
	textBlock = func(j *judge, at *place, value []byte) *complaint {
		if c := textFields(j, at, value); c != nil {
			return c
		}
		switch text := decoded(member(value, "text")); {
		case text == "":
			return j.complain(at, "", "messages: text content blocks must be non-empty")
		case strings.TrimSpace(text) == "":
			return j.complain(at, "", "messages: text content blocks must contain non-whitespace text")
		}
		return nil
	}
	textFields = object(fields{
		"type": text, "text": text, "cache_control": orNull(cacheControl),
		"citations": orNull(array(citation, 0, math.MaxInt32)),
	}, "text")
	imageBlock = object(fields{
		"type": text, "cache_control": orNull(cacheControl), "transformations": anything,
		"source": tagged(map[string]rule{
			"base64": anthropicImage,
			"url":    object(fields{"type": text, "url": webURL}, "url"),
			"file":   object(fields{"type": text, "file_id": text}, "file_id"),
		}),
	}, "source")
	documentBlock = object(fields{
		"type": text, "cache_control": orNull(cacheControl), "title": orNull(text), "context": orNull(text),
		"citations": orNull(citationsConfig),
		"source": tagged(map[string]rule{
			"base64": anthropicPDF,
			"url":    object(fields{"type": text, "url": webURL}, "url"),
			"file":   object(fields{"type": text, "file_id": text}, "file_id"),
			"text": object(fields{"type": text, "media_type": oneOf("text/plain"), "data": textUpTo(math.MaxInt32)},
				"media_type", "data"),
			"content": object(fields{"type": text, "content": either("sa", text, array(tagged(map[string]rule{
				"text": textBlock, "image": imageBlock,
			}), 0, math.MaxInt32))}, "content"),
		}),
	}, "source")
	citationsConfig   = object(fields{"enabled": boolean})
	searchResultBlock = object(fields{
		"type": text, "source": text, "title": text, "content": array(tagged(map[string]rule{"text": textBlock}), 1, math.MaxInt32),
		"citations": citationsConfig, "cache_control": orNull(cacheControl),
	}, "source", "title", "content")
	toolUseBlock = object(fields{
		"type": text, "id": toolUseID, "name": anthropicUsedName, "input": anyObject, "cache_control": orNull(cacheControl),
		"caller": anyObject, "toolset_name": text,
	}, "id", "name", "input")
	anthropicUsedName = match(`^[a-zA-Z0-9_-]{1,200}$`, 200)
	toolResultBlock   = func(j *judge, at *place, value []byte) *complaint {
		if c := toolResultFields(j, at, value); c != nil {
			return c
		}
		if string(member(value, "is_error")) != "true" {
			return nil
		}
		if content := string(member(value, "content")); content == "" || content == `""` || content == "[]" {
			return j.complain(at, "", "{at}: content cannot be empty if `is_error` is true")
		}
		return nil
	}
	toolResultFields = object(fields{
		"type": text, "tool_use_id": toolUseID, "is_error": boolean, "cache_control": orNull(cacheControl),
		"content": either("sa", text, array(tagged(map[string]rule{
			"text": textBlock, "image": imageBlock, "document": documentBlock, "search_result": searchResultBlock,
			"tool_reference": object(fields{"type": text, "tool_name": text, "cache_control": orNull(cacheControl)}, "tool_name"),
			"browser_state":  anyObject,
		}), 0, math.MaxInt32)),
	}, "tool_use_id")
	serverToolUseBlock = object(fields{
		"type": text, "id": serverUseID, "name": text, "input": anyObject, "cache_control": orNull(cacheControl), "caller": anyObject,
	}, "id", "name", "input")
	webSearchResultBlock = object(fields{
		"type": text, "tool_use_id": serverUseID, "cache_control": orNull(cacheControl), "caller": anyObject,
		"content": either("ao", array(tagged(map[string]rule{"web_search_result": webSearchResult}), 0, math.MaxInt32),
			object(fields{"type": oneOf("web_search_tool_result_error"), "error_code": text}, "type", "error_code")),
	}, "tool_use_id", "content")
)

// userBlocks and assistantBlocks are the blocks by type. Results of code and the like are no business of the gateway's.
var (
	userBlocks = map[string]rule{
		"text": textBlock, "image": imageBlock, "document": documentBlock, "search_result": searchResultBlock,
		"tool_result": toolResultBlock, "container_upload": anyObject, "mcp_tool_result": anyObject, "tool_addition": anyObject,
		"tool_removal": anyObject, "mcp_tool_listing": anyObject,
	}
	assistantBlocks = map[string]rule{
		"text": textBlock, "thinking": thinkingBlock, "redacted_thinking": redactedBlock, "tool_use": toolUseBlock,
		"server_tool_use": serverToolUseBlock, "web_search_tool_result": webSearchResultBlock,
		"web_fetch_tool_result": anyObject, "code_execution_tool_result": anyObject, "bash_code_execution_tool_result": anyObject,
		"text_editor_code_execution_tool_result": anyObject, "tool_search_tool_result": anyObject, "container_upload": anyObject,
		"mcp_tool_use": anyObject, "mcp_tool_result": anyObject, "compaction": anyObject, "fallback": anyObject,
		"advisor_tool_result": anyObject,
	}
	systemBlocks = map[string]rule{"text": textBlock}
)

// thinkingBlock takes thinking that the provider signed.
func thinkingBlock(j *judge, at *place, value []byte) *complaint {
	known := fields{"type": text, "thinking": text, "signature": text}
	if c := object(known, "signature", "thinking")(j, at, value); c != nil {
		return c
	}
	m := j.provider.mint()
	if _, ok := mintedSignature.read(m, decoded(member(value, "signature")), m.seen(decoded(member(value, "thinking")))); !ok {
		return j.complain(at.parent, "", "{at}: Invalid `signature` in `thinking` block")
	}
	return nil
}

// redactedBlock takes thinking that the provider redacted.
func redactedBlock(j *judge, at *place, value []byte) *complaint {
	if c := object(fields{"type": text, "data": text}, "data")(j, at, value); c != nil {
		return c
	}
	if _, ok := mintedRedacted.read(j.provider.mint(), decoded(member(value, "data")), 0); !ok {
		return j.complain(at.parent, "", "{at}: Invalid `data` in `redacted_thinking` block")
	}
	return nil
}

// webSearchResult takes a result that the provider found.
func webSearchResult(j *judge, at *place, value []byte) *complaint {
	known := fields{"type": text, "url": text, "title": text, "encrypted_content": text, "page_age": orNull(text)}
	if c := object(known, "url", "title", "encrypted_content")(j, at, value); c != nil {
		return c
	}
	if _, ok := mintedSearch.read(j.provider.mint(), decoded(member(value, "encrypted_content")), 0); !ok {
		return j.complain(at.field("encrypted_content"), "", "{at}: Invalid encrypted_content in search_result block")
	}
	return nil
}

// citation takes what a text cites.
var citation = tagged(map[string]rule{
	"char_location":          withFields("cited_text", "document_index", "start_char_index", "end_char_index"),
	"page_location":          withFields("cited_text", "document_index", "start_page_number", "end_page_number"),
	"content_block_location": withFields("cited_text", "document_index", "start_block_index", "end_block_index"),
	"search_result_location": withFields("cited_text", "search_result_index", "source"),
	"web_search_result_location": func(j *judge, at *place, value []byte) *complaint {
		known := fields{"type": text, "url": text, "title": orNull(text), "cited_text": text, "encrypted_index": text}
		if c := object(known, "url", "cited_text", "encrypted_index")(j, at, value); c != nil {
			return c
		}
		if _, ok := mintedSearch.read(j.provider.mint(), decoded(member(value, "encrypted_index")), 0); !ok {
			return j.complain(at.field("encrypted_index"), "", "{at}: Could not find search result for citation index")
		}
		return nil
	},
})
