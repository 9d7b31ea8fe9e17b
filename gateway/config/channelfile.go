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
		Convert:         Convert{UpstreamStream: UpstreamStreamClient},
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
		"strict":          func(v value) { c.Strict = v.boolean() },
		"upstream_stream": func(v value) { c.UpstreamStream = v.text() },
	})
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
