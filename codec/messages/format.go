package messages

import "octopus/codec/llm"

// jsonInstruction stands in for a format that is any JSON object, which Anthropic doesn't have.
const jsonInstruction = "Respond with one valid JSON object and nothing else."

// planFormat decides how the answer gets its shape (protocols.md D.8): by output_config.format where the model has it and the
// schema fits, else by a tool that takes the answer.
func (w *writer) planFormat() {
	f := &w.r.Format
	switch {
	case f.Kind == llm.FormatJSON:
		w.instruction = jsonInstruction
		w.approximate(w.word("response_format", "text.format"))
	case f.Kind != llm.FormatSchema:
	case w.native:
		w.schema = f.Schema
	case f.Schema == nil:
		w.addJSONTool(nil)
	default:
		if w.model.StructuredOutputs {
			if schema, ok := appendAnswerSchema(nil, f.Schema); ok {
				w.schema = schema
				return
			}
		}
		w.addJSONTool(f.Schema)
	}
}
