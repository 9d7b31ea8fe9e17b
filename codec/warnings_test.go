package codec

import (
	"errors"
	"slices"
	"testing"

	"octopus/codec/llm"
)

// loss is a row of protocols.md B.3, B.4 or B.5 where something is not carried over exactly.
type loss struct {
	name           string
	client, target llm.Protocol
	// set is a merge patch over the smallest request of the client's protocol.
	set string
	// model is the target's, of no known kind by default.
	model   string
	options func(*llm.Options)
	// dropped and approximated are the fields that are warned of, refused the one that the error of a refusal names.
	dropped, approximated []string
	refused               string
}

// leastRequests are the smallest requests.
var leastRequests = map[llm.Protocol]string{
	llm.Chat:      `{"model":"g","messages":[{"role":"user","content":"Hi"}]}`,
	llm.Responses: `{"model":"g","store":false,"input":[{"role":"user","content":"Hi"}]}`,
	llm.Messages:  `{"model":"g","max_tokens":100,"messages":[{"role":"user","content":"Hi"}]}`,
}

// Parts of patches: a function beside which others are dropped, and what comes before and behind what a history has.
const (
	lossChatTool      = `{"type":"function","function":{"name":"f"}}`
	lossResponsesTool = `{"type":"function","name":"f","parameters":{},"strict":false}`
	lossMessagesTool  = `{"name":"f","input_schema":{"type":"object"}}`
)

// inputOf is the patch of a Responses request with one more item.
func inputOf(item string) string {
	return `{"input":[{"role":"user","content":"Hi"},` + item + `,{"role":"user","content":"More"}]}`
}

// saidBy is the patch of a conversation whose second message, the assistant's, has these members.
func saidBy(members string) string {
	return `{"messages":[{"role":"user","content":"Hi"},{"role":"assistant",` + members + `},{"role":"user","content":"More"}]}`
}

// TestNothingIsLostInSilence walks the rows of protocols.md B.3 to B.5: what is dropped or approximated stands in the warnings,
// by default, and a strict channel refuses it with a 400 that names it. What means nothing to the target is not warned of.
func TestNothingIsLostInSilence(t *testing.T) {
	const cc, rs, am = llm.Chat, llm.Responses, llm.Messages
	drop := func(fields ...string) []string { return fields }
	losses := []loss{
		// B.3, the knobs of generation.
		{name: "temperature above 1", client: cc, target: am, set: `{"temperature":1.5}`, approximated: drop("temperature")},
		{name: "temperature of a reasoning model", client: cc, target: rs, model: "gpt-5", set: `{"temperature":0.5}`, dropped: drop("temperature")},
		{name: "temperature of a reasoning model", client: am, target: cc, model: "gpt-5", set: `{"temperature":0.5}`, dropped: drop("temperature")},
		{name: "temperature of a model without", client: rs, target: am, model: "claude-opus-4-8", set: `{"temperature":0.5}`, dropped: drop("temperature")},
		{name: "the usual temperature", client: rs, target: am, model: "claude-opus-4-8", set: `{"temperature":1}`},
		{name: "top_p beside temperature", client: cc, target: am, set: `{"temperature":0.5,"top_p":0.9}`, dropped: drop("top_p")},
		{name: "top_k", client: am, target: cc, set: `{"top_k":5}`, dropped: drop("top_k")},
		{name: "top_k", client: am, target: rs, set: `{"top_k":5}`, dropped: drop("top_k")},
		{name: "top_k that the channel takes", client: am, target: cc, set: `{"top_k":5}`, options: func(o *llm.Options) { o.AcceptsTopK = true }},
		{name: "penalties", client: cc, target: rs, set: `{"frequency_penalty":1,"presence_penalty":1}`, dropped: drop("frequency_penalty", "presence_penalty")},
		{name: "penalties", client: cc, target: am, set: `{"frequency_penalty":1,"presence_penalty":1}`, dropped: drop("frequency_penalty", "presence_penalty")},
		{name: "penalties of nothing", client: cc, target: am, set: `{"frequency_penalty":0,"presence_penalty":0.0}`},
		{name: "seed", client: cc, target: rs, set: `{"seed":1}`, dropped: drop("seed")},
		{name: "seed", client: cc, target: am, set: `{"seed":1}`, dropped: drop("seed")},
		{name: "logit_bias", client: cc, target: rs, set: `{"logit_bias":{"1":2}}`, dropped: drop("logit_bias")},
		{name: "logit_bias", client: cc, target: am, set: `{"logit_bias":{"1":2}}`, dropped: drop("logit_bias")},
		{name: "stop of white space", client: cc, target: am, set: `{"stop":["\n"]}`, dropped: drop("stop")},
		{name: "n", client: cc, target: am, set: `{"n":2}`, refused: "n"},
		{name: "n of one", client: cc, target: am, set: `{"n":1}`},
		{name: "logprobs", client: cc, target: am, set: `{"logprobs":true}`, refused: "logprobs"},
		{name: "no logprobs", client: cc, target: am, set: `{"logprobs":false}`},
		{name: "logprobs", client: rs, target: am, set: `{"include":["message.output_text.logprobs"]}`, refused: "include"},
		{name: "top_logprobs", client: rs, target: am, set: `{"top_logprobs":3}`, dropped: drop("top_logprobs")},
		{name: "logprobs of a reasoning model", client: cc, target: rs, model: "gpt-5", set: `{"logprobs":true}`, dropped: drop("logprobs")},
		{name: "obfuscation", client: cc, target: am, set: `{"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}`},
		{name: "verbosity", client: cc, target: am, set: `{"verbosity":"low"}`, dropped: drop("verbosity")},
		{name: "verbosity", client: rs, target: am, set: `{"text":{"verbosity":"low"}}`, dropped: drop("text.verbosity")},
		{name: "prediction", client: cc, target: rs, set: `{"prediction":{"type":"content","content":"x"}}`, dropped: drop("prediction")},
		{name: "prediction", client: cc, target: am, set: `{"prediction":{"type":"content","content":"x"}}`, dropped: drop("prediction")},
		{name: "audio", client: cc, target: rs, set: `{"modalities":["text","audio"],"audio":{"voice":"alloy","format":"wav"}}`, refused: "modalities"},
		{name: "audio", client: cc, target: am, set: `{"modalities":["text","audio"],"audio":{"voice":"alloy","format":"wav"}}`, refused: "modalities"},
		{name: "text alone", client: cc, target: am, set: `{"modalities":["text"]}`},
		{name: "summary", client: rs, target: cc, set: `{"reasoning":{"summary":"auto"}}`, dropped: drop("reasoning.summary")},
		{name: "context and mode of reasoning", client: rs, target: cc, set: `{"reasoning":{"context":"all_turns","mode":"pro"}}`, dropped: drop("reasoning.context", "reasoning.mode")},
		{name: "context and mode of reasoning", client: rs, target: am, set: `{"reasoning":{"context":"all_turns","mode":"pro"}}`, dropped: drop("reasoning.context", "reasoning.mode")},
		{name: "effort of a model without", client: cc, target: am, model: "claude-3-5-haiku", set: `{"reasoning_effort":"high"}`, dropped: drop("reasoning_effort")},
		{name: "effort of a model without", client: rs, target: cc, model: "gpt-4.1", set: `{"reasoning":{"effort":"high"}}`, dropped: drop("reasoning.effort")},
		{name: "effort of a model without", client: cc, target: rs, model: "gpt-4.1", set: `{"reasoning_effort":"high"}`, dropped: drop("reasoning_effort")},
		{name: "summary of a model without", client: cc, target: rs, model: "gpt-4.1", set: `{"reasoning":{"summary":"auto"}}`, dropped: drop("reasoning.summary")},
		{name: "the next lower effort", client: rs, target: cc, model: "gpt-5", set: `{"reasoning":{"effort":"xhigh"}}`, approximated: drop("reasoning.effort")},
		{name: "budget", client: am, target: cc, model: "gpt-5", set: `{"max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":5000}}`, approximated: drop("thinking")},
		{name: "budget", client: am, target: rs, model: "gpt-5", set: `{"max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":5000}}`, approximated: drop("thinking")},
		{name: "display", client: am, target: cc, set: `{"thinking":{"type":"adaptive","display":"summarized"}}`, dropped: drop("thinking.display")},
		{name: "metadata", client: cc, target: am, set: `{"metadata":{"a":"b"}}`, dropped: drop("metadata")},
		{name: "metadata", client: rs, target: am, set: `{"metadata":{"a":"b"}}`, dropped: drop("metadata")},
		{name: "metadata", client: rs, target: cc, set: `{"metadata":{"a":"b"}}`, dropped: drop("metadata")},
		{name: "metadata of a user", client: cc, target: am, set: `{"metadata":{"user_id":"u1"}}`},
		{name: "store", client: cc, target: am, set: `{"store":true}`, dropped: drop("store")},
		{name: "prompt", client: rs, target: cc, set: `{"prompt":{"id":"p"}}`, refused: "prompt"},
		{name: "prompt", client: rs, target: am, set: `{"prompt":{"id":"p"}}`, refused: "prompt"},
		{name: "background", client: rs, target: cc, set: `{"background":true}`, refused: "background"},
		{name: "background", client: rs, target: am, set: `{"background":true}`, refused: "background"},
		{name: "truncation", client: rs, target: cc, set: `{"truncation":"auto"}`, dropped: drop("truncation")},
		{name: "truncation", client: rs, target: am, set: `{"truncation":"auto"}`, dropped: drop("truncation")},
		{name: "no truncation", client: rs, target: am, set: `{"truncation":"disabled"}`},
		{name: "max_tool_calls", client: rs, target: cc, set: `{"max_tool_calls":3}`, dropped: drop("max_tool_calls")},
		{name: "max_tool_calls", client: rs, target: am, set: `{"max_tool_calls":3}`, dropped: drop("max_tool_calls")},
		{name: "include", client: rs, target: cc, set: `{"include":["file_search_call.results"]}`, dropped: drop("include")},
		{name: "include", client: rs, target: am, set: `{"include":["file_search_call.results"]}`, dropped: drop("include")},
		{name: "encrypted content", client: rs, target: am, set: `{"include":["reasoning.encrypted_content"]}`},
		{name: "context_management", client: rs, target: cc, set: `{"context_management":[{"type":"compaction"}]}`, dropped: drop("context_management")},
		{name: "context_management", client: rs, target: am, set: `{"context_management":[{"type":"compaction"}]}`, dropped: drop("context_management")},
		{name: "context_management", client: am, target: cc, set: `{"context_management":{"edits":[]}}`, dropped: drop("context_management")},
		{name: "context_management", client: am, target: rs, set: `{"context_management":{"edits":[]}}`, dropped: drop("context_management")},
		{name: "prompt_cache_key", client: cc, target: am, set: `{"prompt_cache_key":"k"}`, dropped: drop("prompt_cache_key")},
		{name: "prompt_cache_key", client: rs, target: am, set: `{"prompt_cache_key":"k"}`, dropped: drop("prompt_cache_key")},
		{name: "service_tier", client: cc, target: am, set: `{"service_tier":"flex"}`, dropped: drop("service_tier")},
		{name: "service_tier", client: rs, target: am, set: `{"service_tier":"scale"}`, dropped: drop("service_tier")},
		{name: "ultrafast", client: rs, target: cc, set: `{"service_tier":"ultrafast"}`, approximated: drop("service_tier")},
		{name: "speed", client: am, target: cc, set: `{"speed":"fast"}`, dropped: drop("speed")},
		{name: "speed", client: am, target: rs, set: `{"speed":"fast"}`, dropped: drop("speed")},
		{name: "speed as a tier", client: am, target: rs, set: `{"speed":"fast"}`, options: func(o *llm.Options) { o.TierToSpeed = true }},
		{name: "moderation", client: rs, target: am, set: `{"moderation":{"model":"m"}}`, dropped: drop("moderation")},
		{name: "moderation that blocks", client: rs, target: am, set: `{"moderation":{"mode":"block"}}`, refused: "moderation"},
		{name: "moderation", client: cc, target: am, set: `{"moderation":{"model":"m"}}`, dropped: drop("moderation")},
		{name: "access_programs", client: rs, target: cc, set: `{"access_programs":["x"]}`, dropped: drop("access_programs")},
		{name: "access_programs", client: rs, target: am, set: `{"access_programs":["x"]}`, dropped: drop("access_programs")},
		{name: "inference_geo", client: am, target: cc, set: `{"inference_geo":"eu"}`, refused: "inference_geo"},
		{name: "inference_geo", client: am, target: rs, set: `{"inference_geo":"eu"}`, refused: "inference_geo"},
		{name: "container", client: am, target: cc, set: `{"container":"c"}`, refused: "container"},
		{name: "container", client: am, target: rs, set: `{"container":"c"}`, refused: "container"},
		{name: "compaction", client: am, target: cc, set: `{"compaction":{"type":"x"}}`, refused: "compaction"},
		{name: "compaction", client: am, target: rs, set: `{"compaction":{"type":"x"}}`, refused: "compaction"},
		{name: "diagnostics", client: am, target: cc, set: `{"diagnostics":{"previous_message_id":"m"}}`, dropped: drop("diagnostics")},
		{name: "diagnostics", client: am, target: rs, set: `{"diagnostics":{"previous_message_id":"m"}}`, dropped: drop("diagnostics")},
		{name: "fallbacks", client: am, target: cc, set: `{"fallbacks":[{"model":"m"}]}`, dropped: drop("fallbacks")},
		{name: "fallbacks", client: am, target: rs, set: `{"fallbacks":[{"model":"m"}]}`, dropped: drop("fallbacks")},
		{name: "thread", client: am, target: cc, set: `{"thread":{"type":"create"}}`, refused: "thread"},
		{name: "thread", client: am, target: rs, set: `{"thread":{"type":"create"}}`, refused: "thread"},
		{name: "an unknown field", client: cc, target: rs, set: `{"x_new":1}`, dropped: drop("x_new")},
		{name: "an unknown field", client: cc, target: am, set: `{"x_new":1}`, dropped: drop("x_new")},
		{name: "an unknown field", client: rs, target: cc, set: `{"x_new":1}`, dropped: drop("x_new")},
		{name: "an unknown field", client: rs, target: am, set: `{"x_new":1}`, dropped: drop("x_new")},
		{name: "an unknown field", client: am, target: cc, set: `{"x_new":1}`, dropped: drop("x_new")},
		{name: "an unknown field", client: am, target: rs, set: `{"x_new":1}`, dropped: drop("x_new")},
		{name: "an unknown field that the channel wants", client: am, target: rs, set: `{"x_new":1}`, options: func(o *llm.Options) { o.ForwardUnknown = []string{"x_new"} }},
		{name: "a limit above the model's", client: cc, target: am, model: "claude-3-haiku", set: `{"max_tokens":9000}`, approximated: drop("max_completion_tokens")},
		{name: "JSON without a schema", client: cc, target: am, set: `{"response_format":{"type":"json_object"}}`, approximated: drop("response_format")},

		// B.4, the conversation.
		{name: "name of a user", client: cc, target: am, set: `{"messages":[{"role":"user","name":"bob","content":"Hi"}]}`, dropped: drop("messages.name")},
		{name: "name of a user", client: cc, target: rs, set: `{"messages":[{"role":"user","name":"bob","content":"Hi"}]}`, dropped: drop("messages.name")},
		{name: "name of a system message", client: cc, target: am, set: `{"messages":[{"role":"system","name":"s","content":"Hi"},{"role":"user","content":"Hi"}]}`, dropped: drop("messages.name")},
		{name: "name of a system message", client: cc, target: rs, set: `{"messages":[{"role":"system","name":"s","content":"Hi"},{"role":"user","content":"Hi"}]}`, dropped: drop("messages.name")},
		{name: "reasoning", client: cc, target: am, set: saidBy(`"content":"Hello","reasoning_content":"Hm."`), dropped: drop("messages.reasoning_content")},
		{name: "reasoning", client: cc, target: rs, set: saidBy(`"content":"Hello","reasoning_content":"Hm."`)},
		{name: "reasoning", client: am, target: cc, set: saidBy(`"content":[{"type":"thinking","thinking":"Hm.","signature":"s"},{"type":"text","text":"Hello"}]`), dropped: drop("messages.content.thinking")},
		{name: "reasoning that is echoed", client: am, target: cc, set: saidBy(`"content":[{"type":"thinking","thinking":"Hm.","signature":"s"},{"type":"text","text":"Hello"}]`),
			options: func(o *llm.Options) { o.EchoReasoning = true }, dropped: drop("messages.content.thinking.signature")},
		{name: "reasoning", client: am, target: rs, set: saidBy(`"content":[{"type":"thinking","thinking":"Hm.","signature":"s"},{"type":"text","text":"Hello"}]`), dropped: drop("messages.content.thinking")},
		{name: "an answer that the client has begun", client: am, target: cc, set: `{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"He"}]}`, approximated: drop("messages")},
		{name: "an answer that the client has begun", client: am, target: rs, set: `{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"He"}]}`, approximated: drop("messages")},
		{name: "phase", client: rs, target: cc, set: inputOf(`{"type":"message","role":"assistant","phase":"commentary","content":[{"type":"output_text","text":"Hello"}]}`), dropped: drop("input.phase")},
		{name: "phase", client: rs, target: am, set: inputOf(`{"type":"message","role":"assistant","phase":"commentary","content":[{"type":"output_text","text":"Hello"}]}`), dropped: drop("input.phase")},
		{name: "agent_message", client: rs, target: cc, set: inputOf(`{"type":"agent_message","content":"Hello"}`), approximated: drop("input.agent_message")},
		{name: "agent_message", client: rs, target: am, set: inputOf(`{"type":"agent_message","content":"Hello"}`), approximated: drop("input.agent_message")},
		{name: "configuration_update", client: rs, target: cc, set: inputOf(`{"type":"configuration_update","reasoning":{"effort":"low"}}`), approximated: drop("input.configuration_update")},
		{name: "configuration_update", client: rs, target: am, model: "claude-opus-4-8", set: inputOf(`{"type":"configuration_update","reasoning":{"effort":"low"}}`), approximated: drop("input.configuration_update")},
		{name: "compaction", client: rs, target: cc, set: inputOf(`{"type":"compaction","encrypted_content":"x"}`), refused: "input[1]"},
		{name: "compaction", client: rs, target: am, set: inputOf(`{"type":"compaction","encrypted_content":"x"}`), refused: "input[1]"},
		{name: "compaction_trigger", client: rs, target: cc, set: inputOf(`{"type":"compaction_trigger"}`), refused: "input[1]"},
		{name: "compaction_trigger", client: rs, target: am, set: inputOf(`{"type":"compaction_trigger"}`), refused: "input[1]"},
		{name: "a web search of the history", client: rs, target: cc, set: inputOf(`{"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"q"}}`), dropped: drop("input.web_search")},
		{name: "a web search of the history", client: rs, target: am, set: inputOf(`{"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"q"}}`), dropped: drop("input.web_search")},
		{name: "a call without result", client: am, target: cc,
			set:          `{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]},{"role":"user","content":"More"}]}`,
			approximated: drop("messages.content.tool_result")},
		{name: "a mark of a result", client: am, target: cc, set: `{"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}]}`, dropped: drop("cache_control")},
		{name: "a mark of the system", client: am, target: rs, set: `{"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}]}`, dropped: drop("cache_control")},
		{name: "the automatic mark", client: am, target: rs, set: `{"cache_control":{"type":"ephemeral"}}`, dropped: drop("cache_control")},
		{name: "the automatic mark", client: am, target: cc, set: `{"cache_control":{"type":"ephemeral"}}`, dropped: drop("cache_control")},
		{name: "detail of an image", client: cc, target: am, set: `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a.example/1.png","detail":"low"}}]}]}`, dropped: drop("messages.content.image_url.detail")},
		{name: "citations of a document", client: am, target: cc, set: `{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"x"},"citations":{"enabled":true}}]}]}`, dropped: drop("messages.content.citations")},
		{name: "audio of a message", client: cc, target: am, set: `{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]}`, refused: "messages[0].content"},

		// B.5, tools.
		{name: "a hosted tool beside others", client: rs, target: cc, set: `{"tools":[{"type":"file_search","vector_store_ids":["v"]},` + lossResponsesTool + `]}`, dropped: drop("tools.file_search")},
		{name: "a hosted tool beside others", client: rs, target: am, set: `{"tools":[{"type":"file_search","vector_store_ids":["v"]},` + lossResponsesTool + `]}`, dropped: drop("tools.file_search")},
		{name: "a hosted tool alone", client: rs, target: am, set: `{"tools":[{"type":"file_search","vector_store_ids":["v"]}]}`, refused: "tools"},
		{name: "code execution beside others", client: am, target: rs, set: `{"tools":[{"type":"code_execution_20250825","name":"code_execution"},` + lossMessagesTool + `]}`, dropped: drop("tools.code_execution_20250825")},
		{name: "a typed client tool", client: am, target: cc, set: `{"tools":[{"type":"bash_20250124","name":"bash"}]}`, refused: "tools[0]"},
		{name: "a mark of a tool", client: am, target: rs, set: `{"tools":[{"name":"f","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}]}`, dropped: drop("tools.cache_control")},
		{name: "members of a tool", client: rs, target: am, set: `{"tools":[{"type":"function","name":"f","parameters":{},"strict":false,"defer_loading":true}]}`, dropped: drop("tools.defer_loading")},
		{name: "members of a tool", client: rs, target: cc, set: `{"tools":[{"type":"function","name":"f","parameters":{},"strict":false,"defer_loading":true}]}`, dropped: drop("tools.defer_loading")},
		{name: "members of a tool", client: am, target: cc, set: `{"tools":[{"name":"f","input_schema":{"type":"object"},"defer_loading":true}]}`, dropped: drop("tools.defer_loading")},
		{name: "members of a tool", client: am, target: rs, set: `{"tools":[{"name":"f","input_schema":{"type":"object"},"defer_loading":true}]}`, dropped: drop("tools.defer_loading")},
		{name: "domains that a search leaves out", client: am, target: rs, set: `{"tools":[{"type":"web_search_20250305","name":"web_search","blocked_domains":["a.example"]}]}`, dropped: drop("tools.blocked_domains")},
		{name: "the size of a search's context", client: cc, target: am, model: "claude-sonnet-4-5", set: `{"web_search_options":{"search_context_size":"high"}}`, dropped: drop("web_search_options.search_context_size")},
		{name: "a search for a model without", client: rs, target: cc, set: `{"tools":[{"type":"web_search"},` + lossResponsesTool + `]}`, dropped: drop("tools.web_search")},
		{name: "a forced tool of a model that can't be", client: cc, target: am, model: "claude-fable-5-1", set: `{"tools":[` + lossChatTool + `],"tool_choice":"required"}`, approximated: drop("tool_choice")},
		{name: "some tools that are allowed", client: cc, target: am, set: `{"tools":[` + lossChatTool + `],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}}}`,
			approximated: drop("tool_choice")},
	}
	for _, l := range losses {
		t.Run(llmNames[l.client]+"-"+llmNames[l.target]+" "+l.name, func(t *testing.T) { l.check(t) })
	}
}

// llmNames are the tags of the protocols.
var llmNames = map[llm.Protocol]string{llm.Chat: "cc", llm.Responses: "rs", llm.Messages: "am"}

func (l *loss) check(t *testing.T) {
	t.Helper()
	dropped, approximated, refusal := l.convert(t, false)
	switch {
	case l.refused != "":
		if refusal == nil || refusal.Param != l.refused || ErrorStatus(l.client, refusal) != 400 {
			t.Fatalf("got error %v, want a 400 that names %s", describeOrNil(refusal), l.refused)
		}
		return
	case refusal != nil:
		t.Fatalf("the request is refused: %s", describe(refusal))
	case !slices.Equal(dropped, l.dropped) || !slices.Equal(approximated, l.approximated):
		t.Errorf("got dropped %q, approximated %q, want %q and %q", dropped, approximated, l.dropped, l.approximated)
	}
	lost := append(slices.Clone(l.dropped), l.approximated...)
	_, _, refusal = l.convert(t, true)
	switch {
	case len(lost) == 0 && refusal != nil:
		t.Errorf("a strict channel refuses what loses nothing: %s", describe(refusal))
	case len(lost) > 0 && (refusal == nil || !slices.Contains(lost, refusal.Param) || ErrorStatus(l.client, refusal) != 400):
		t.Errorf("a strict channel says %v, want a 400 that names one of %q", describeOrNil(refusal), lost)
	}
}

func describeOrNil(e *llm.Error) string {
	if e == nil {
		return "nothing"
	}
	return describe(e)
}

// convert writes the request for a channel, and returns what is warned of.
func (l *loss) convert(t *testing.T, strict bool) (dropped, approximated []string, refusal *llm.Error) {
	t.Helper()
	set, err := CompileParams([]byte(l.set))
	if err != nil {
		t.Fatal(err)
	}
	body := set.patch.appendTo(nil, []byte(leastRequests[l.client]), nil)
	var r Request
	if err := r.Peek(l.client, body); err != nil {
		t.Fatal(err)
	}
	r.AnswerID = "x"
	options := llm.DefaultOptions()
	if l.options != nil {
		l.options(&options)
	}
	options.Strict = strict
	model := l.model
	if model == "" {
		model = "some-model"
	}
	b := Acquire(l.client, l.target)
	defer Release(b)
	_, failed := b.AppendRequest(nil, &r, &Target{Protocol: l.target, Model: model, Options: &options})
	if failed != nil && !errors.As(failed, &refusal) {
		t.Fatal(failed)
	}
	return slices.Clone(b.Warnings().Dropped()), slices.Clone(b.Warnings().Approximated()), refusal
}
