package config

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v4"
)

// jsonObject reads a mapping as a JSON object. Fields keep their order and numbers their text. The empty mapping is nil.
func (v value) jsonObject() json.RawMessage {
	if !v.is(yaml.MappingNode, "a mapping", tagMapping) || len(v.node.Content) == 0 {
		return nil
	}
	return v.appendJSON(nil)
}

// appendJSON appends the value as JSON. What it appends is valid unless it noted an error.
func (v value) appendJSON(dst []byte) []byte {
	switch v.node.ShortTag() {
	case tagMapping:
		return v.appendJSONObject(dst)
	case tagList:
		return v.appendJSONList(dst)
	case tagText, tagTimestamp:
		text, _ := v.expand()
		return appendJSONText(dst, text)
	case tagNull:
		return append(dst, "null"...)
	case tagBool:
		return append(dst, strings.ToLower(v.node.Value)...)
	case tagInt, tagFloat:
		if !json.Valid([]byte(v.node.Value)) {
			v.bad("must be a number as JSON writes it, or a text in quotes")
			return dst
		}
		return append(dst, v.node.Value...)
	}
	v.bad("must be a value that JSON has")
	return dst
}

func (v value) appendJSONObject(dst []byte) []byte {
	dst = append(dst, '{')
	start := len(dst)
	v.eachField("a mapping", func(key *yaml.Node, field value) {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = appendJSONText(dst, key.Value)
		dst = append(dst, ':')
		dst = field.appendJSON(dst)
	})
	return append(dst, '}')
}

func (v value) appendJSONList(dst []byte) []byte {
	dst = append(dst, '[')
	for i, item := range v.items() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = item.appendJSON(dst)
	}
	return append(dst, ']')
}

// appendJSONText appends text as a JSON string, with <, > and & as they are.
func appendJSONText(dst []byte, text string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic("BUG: a string has no JSON: " + err.Error())
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
