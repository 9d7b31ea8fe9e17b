package config

import (
	"net/textproto"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"octopus/codec/llm"
)

// channel reads an item of the section "channels".
func (v value) channel() Channel {
	c := Channel{
		Enabled:         true,
		Convert:         Convert{Options: llm.DefaultOptions(), UpstreamStream: UpstreamStreamClient},
		ClientGone:      ClientGoneCancel,
		PriceMultiplier: PriceMultiplierOne,
	}
	var first Endpoint
	var further []Endpoint
	v.fields(map[string]func(value){
		"name":             func(v value) { c.Name = v.name() },
		"enabled":          func(v value) { c.Enabled = v.boolean() },
		"type":             func(v value) { first.Protocol = v.protocol() },
		"base_url":         func(v value) { first.BaseURL = TrimBaseURL(v.text()) },
		"endpoints":        func(v value) { further = v.endpoints() },
		"auth":             func(v value) { c.Auth = Auth(v.text()) },
		"keys":             func(v value) { c.Keys = v.keys() },
		"models":           func(v value) { c.Models = v.texts() },
		"model_sync":       func(v value) { c.ModelSync = v.modelSync() },
		"headers":          func(v value) { c.Headers = v.headers() },
		"params":           func(v value) { c.Params = v.jsonObject() },
		"convert":          func(v value) { v.convert(&c.Convert) },
		"client_gone":      func(v value) { c.ClientGone = ClientGone(v.text()) },
		"proxy":            func(v value) { c.Proxy = v.secret() },
		"price_multiplier": func(v value) { c.PriceMultiplier = v.decimal(6) },
		"limits":           func(v value) { c.Limits = v.limits() },
	})
	v.needs("name")
	c.Endpoints = append([]Endpoint{first}, further...)
	return c
}

func (v value) protocol() llm.Protocol {
	text, ok := v.readText()
	protocol, known := llm.ParseProtocol(text)
	if ok && !known {
		v.bad("must be openai-chat, openai-responses or anthropic")
	}
	return protocol
}

func (v value) endpoints() []Endpoint {
	var endpoints []Endpoint
	for _, item := range v.items() {
		var e Endpoint
		item.fields(map[string]func(value){
			"type":     func(v value) { e.Protocol = v.protocol() },
			"base_url": func(v value) { e.BaseURL = TrimBaseURL(v.text()) },
		})
		endpoints = append(endpoints, e)
	}
	return endpoints
}

// keys reads a key pool. A key is a text, or a mapping when it has a name or weight.
func (v value) keys() []Key {
	var keys []Key
	for _, item := range v.items() {
		k := Key{Weight: 1}
		if item.isMapping() {
			item.fields(map[string]func(value){
				"name":   func(v value) { k.Name = v.text() },
				"key":    func(v value) { k.Secret = v.secret() },
				"weight": func(v value) { k.Weight = v.integer() },
			})
		} else {
			k.Secret = item.secret()
		}
		keys = append(keys, k)
	}
	return keys
}

func (v value) modelSync() ModelSync {
	var m ModelSync
	v.fields(map[string]func(value){
		"enabled": func(v value) { m.Enabled = v.boolean() },
		"include": func(v value) { m.Include = v.text() },
	})
	return m
}

// headers reads a mapping of names and values, and sorts it by canonical names.
func (v value) headers() []Header {
	var headers []Header
	v.eachField("a mapping of names and values", func(key *yaml.Node, field value) {
		name := textproto.CanonicalMIMEHeaderKey(key.Value)
		if path := fieldPath(v.path, name); path != v.path {
			field.lines[path] = field.line
		}
		headers = append(headers, Header{Name: name, Value: field.secret()})
	})
	slices.SortStableFunc(headers, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return headers
}

func (v value) convert(c *Convert) {
	v.fields(map[string]func(value){
		"accepts_top_k":           func(v value) { c.AcceptsTopK = v.boolean() },
		"auto_cache":              func(v value) { c.AutoCache = v.boolean() },
		"call_ids":                func(v value) { c.CallIDs = llm.CallIDs(v.oneOf("native", "short", "mistral")) },
		"cc_reasoning_as_summary": func(v value) { c.ReasoningAsSummary = v.boolean() },
		"code_execution":          func(v value) { c.CodeExecution = v.boolean() },
		"custom_tools":            func(v value) { c.CustomTools = v.boolean() },
		"echo_reasoning":          func(v value) { c.EchoReasoning = v.boolean() },
		"emulate_client_tools":    func(v value) { c.EmulateClientTools = v.boolean() },
		"enforce_stop":            func(v value) { c.EnforceStop = v.boolean() },
		"eof":                     func(v value) { c.LenientEOF = v.oneOf("error", "lenient") == 1 },
		"estimate_usage":          func(v value) { c.EstimateUsage = v.boolean() },
		"family":                  func(v value) { c.Family = v.text() },
		"fan_out":                 func(v value) { c.FanOut = v.boolean() },
		"fetch_images":            func(v value) { c.FetchImages = v.boolean() },
		"first_party":             func(v value) { c.FirstParty = v.boolean() },
		"forward_unknown":         func(v value) { c.ForwardUnknown = v.texts() },
		"hosted_tools":            func(v value) { c.HostedTools = llm.HostedTools(v.oneOf("auto", "drop", "reject")) },
		"max_tokens":              func(v value) { c.MaxTokens = int64(v.integer()) },
		"max_tokens_field":        func(v value) { c.MaxTokensField = v.text() },
		"mid_system":              func(v value) { c.MidSystem = v.boolean() },
		"name_prefix":             func(v value) { c.NamePrefix = v.boolean() },
		"prompt_cache_key":        func(v value) { c.PromptCacheKey = v.boolean() },
		"reasoning_details":       func(v value) { c.ReasoningDetails = v.boolean() },
		"repair":                  func(v value) { c.Repair = v.boolean() },
		"stream_input_estimate":   func(v value) { c.StreamInputEstimate = v.boolean() },
		"strict":                  func(v value) { c.Strict = v.boolean() },
		"strip_reasoning":         func(v value) { c.StripReasoning = v.boolean() },
		"system_role":             func(v value) { c.SystemRole = v.boolean() },
		"think_tags":              func(v value) { c.ThinkTags = v.boolean() },
		"tier_to_speed":           func(v value) { c.TierToSpeed = v.boolean() },
		"tool_image_parts":        func(v value) { c.ToolImageParts = v.boolean() },
		"upstream_stream":         func(v value) { c.UpstreamStream = v.text() },
	})
}

// oneOf returns the place of the text among names. Another text is noted as an error and 0 returned.
func (v value) oneOf(names ...string) int {
	text, ok := v.readText()
	i := slices.Index(names, text)
	if ok && i < 0 {
		v.bad("must be %s or %s", strings.Join(names[:len(names)-1], ", "), names[len(names)-1])
	}
	return max(0, i)
}

func (v value) limits() Limits {
	var l Limits
	v.fields(map[string]func(value){
		"concurrency": func(v value) { l.Concurrency = v.integer() },
		"rpm":         func(v value) { l.RPM = v.integer() },
		"tpm":         func(v value) { l.TPM = v.integer() },
	})
	return l
}
