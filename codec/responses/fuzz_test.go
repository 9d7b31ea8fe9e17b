package responses

import (
	"testing"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// FuzzReadRequest reads anything. What is accepted can be written, to its own protocol and as if it had come from another, as
// well-formed JSON, or is refused with a reason.
func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(`{"model":"m","input":"x","instructions":"i","tools":[{"type":"function","name":"f.g"},{"type":"namespace","name":"n","tools":[{"type":"custom","name":"c"}]}]}`))
	f.Add([]byte(`{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,AA"},{"type":"input_file","file_data":"aGk=","filename":"a.txt"}]},{"type":"reasoning","summary":[{"text":"a"}],"encrypted_content":"gw1.rs-enc.a.b"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"t"}]},{"type":"agent_message","content":"x"}]}`))
	f.Add([]byte(`{"model":"m","input":[{"type":"tool_search_output","call_id":"c","tools":[{"type":"function","name":"f"}]},{"type":"configuration_update","reasoning":{"effort":"low"}}],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]}}`))
	f.Add([]byte(`{"model":"m","input":[{"type":"tool_search_output","tools":[{"type":"shell"}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := new(llm.Request)
		if err := ReadRequest(body, r); err != nil {
			if err.Kind != llm.InvalidRequest || err.Message == "" {
				t.Errorf("got %+v", err)
			}
			return
		}
		for _, protocol := range []llm.Protocol{llm.Responses, llm.Chat, llm.Messages} {
			r.Protocol = protocol
			x := exchange(r, "gpt-5.6")
			out, err := AppendRequest(nil, x)
			if err != nil {
				if err.Message == "" {
					t.Errorf("refused without a word: %+v", err)
				}
				continue
			}
			if !json.Valid(out) {
				t.Errorf("from %s: not JSON: %s", protocol, out)
			}
		}
	})
}

// FuzzDecoder feeds any stream. There is exactly one end, the steps are in order, and what a Responses client gets of them is
// legal.
func FuzzDecoder(f *testing.F) {
	for _, c := range streams {
		f.Add([]byte(c.stream))
	}
	f.Add([]byte(wire(`{"type":"response.output_item.done","item":{}}`)))
	f.Fuzz(func(t *testing.T, stream []byte) {
		rec := decode(reply(llm.Messages), string(stream), 17)
		if rec.terminals != 1 || len(rec.faults) > 0 {
			t.Fatalf("%d ends, %v", rec.terminals, rec.faults)
		}
		x := client(t, llm.Chat, plain)
		var d Decoder
		d.Reset(x)
		var w StreamWriter
		w.Reset(x)
		feed(&d, string(stream), len(stream)+1, &w)
		if _, err := checkStream(string(w.Take(nil))); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzAnswer does the same for whole answers.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"id":"r","status":"completed","output":[{"id":"m","type":"message","content":[{"type":"output_text","text":"t"}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var d Decoder
		d.Reset(reply(llm.Messages))
		rec := new(recorder)
		d.Answer(body, rec)
		if rec.terminals != 1 || len(rec.faults) > 0 {
			t.Fatalf("%d ends, %v", rec.terminals, rec.faults)
		}
	})
}
