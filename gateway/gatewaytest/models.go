package gatewaytest

import "octopus/codec/llm"

// modelsCreated is when every model is said to have been made: 2026-01-01.
const (
	modelsCreated     = 1767225600
	modelsCreatedText = "2026-01-01T00:00:00Z"
)

// appendCount appends the answer to a request to count tokens.
func (r *reply) appendCount(dst []byte) []byte {
	if r.ask.protocol == llm.Responses {
		return put(dst, `{"object":"response.input_tokens","input_tokens":`, r.ask.inputTokens(), `}`)
	}
	return put(dst, `{"input_tokens":`, r.ask.inputTokens(), `}`)
}

// appendModels appends the list of models, in Anthropic's shape when the request says anthropic-version.
func (r *reply) appendModels(dst []byte) []byte {
	models := r.p.options.Models
	if r.ask.protocol == llm.Messages {
		dst = append(dst, `{"data":[`...)
	} else {
		dst = append(dst, `{"object":"list","data":[`...)
	}
	for i, id := range models {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = r.appendModel(dst, id)
	}
	if r.ask.protocol != llm.Messages {
		return append(dst, `]}`...)
	}
	dst = append(dst, `],"has_more":false,"first_id":`...)
	dst = appendOrNull(dst, models[0])
	dst = append(dst, `,"last_id":`...)
	return append(appendOrNull(dst, models[len(models)-1]), '}')
}

// appendModel appends one model.
func (r *reply) appendModel(dst []byte, id string) []byte {
	if r.ask.protocol == llm.Messages {
		return put(dst, `{"type":"model","id":`, quoted(id), `,"display_name":`, quoted(id), `,"created_at":"`,
			modelsCreatedText, `","lifecycle":"active","line":null,"capabilities":null,"deprecated_at":null,"retires_at":null,`,
			`"max_input_tokens":200000,"max_tokens":64000}`)
	}
	return put(dst, `{"id":`, quoted(id), `,"object":"model","created":`, modelsCreated, `,"owned_by":"octopus"}`)
}
