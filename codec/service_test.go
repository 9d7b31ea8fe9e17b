package codec_test

import (
	"testing"

	"octopus/codec"
	"octopus/codec/llm"
)

// The class of service decides the price, so it must be known of bytes that pass and of those that are converted, whole and
// streamed.
func TestTheClassOfServiceIsPartOfTheUsage(t *testing.T) {
	chat := func(tier string) (whole, stream string) {
		usage := `"usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"audio_tokens":5},"completion_tokens_details":{"audio_tokens":2}}`
		whole = `{"id":"c","object":"chat.completion","created":1,"model":"m","service_tier":"` + tier +
			`","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],` + usage + `}`
		stream = `data: {"id":"c","model":"m","service_tier":"` + tier + `","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}

data: {"id":"c","model":"m","service_tier":"` + tier + `","choices":[],` + usage + `}

data: [DONE]

`
		return whole, stream
	}
	responses := func(tier string) (whole, stream string) {
		whole = `{"id":"resp_1","object":"response","status":"completed","model":"m","service_tier":"` + tier +
			`","output":[{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hi","annotations":[]}]}],` +
			`"usage":{"input_tokens":9,"output_tokens":4}}`
		stream = "event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":0,\"response\":" + whole + "}\n\n"
		return whole, stream
	}
	messages := func(speed string) (whole, stream string) {
		usage := `"usage":{"input_tokens":9,"output_tokens":4,"service_tier":"priority","speed":"` + speed + `"}`
		whole = `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn",` + usage + `}`
		stream = `event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],` + usage + `}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4}}

event: message_stop
data: {"type":"message_stop"}

`
		return whole, stream
	}
	for _, test := range []struct {
		target        llm.Protocol
		tier          string
		answer        func(string) (string, string)
		want          llm.Service
		input, output int64 // of sound
	}{
		{llm.Chat, "priority", chat, llm.ServiceFast, 5, 2},
		{llm.Chat, "flex", chat, llm.ServiceFlex, 5, 2},
		{llm.Chat, "default", chat, llm.ServiceStandard, 5, 2},
		{llm.Responses, "priority", responses, llm.ServiceFast, 0, 0},
		{llm.Responses, "default", responses, llm.ServiceStandard, 0, 0},
		{llm.Messages, "fast", messages, llm.ServiceFast, 0, 0},
		{llm.Messages, "standard", messages, llm.ServiceStandard, 0, 0},
	} {
		whole, stream := test.answer(test.tier)
		for _, client := range llm.Protocols {
			for _, streams := range []bool{false, true} {
				b := codec.Acquire(client, test.target)
				request := `{"model":"m","max_tokens":50,"messages":[{"role":"user","content":"Hello"}]}`
				if client == llm.Responses {
					request = `{"model":"m","input":"Hello"}`
				}
				if streams {
					request = request[:len(request)-1] + `,"stream":true}`
				}
				var r codec.Request
				r.Protocol = client
				if err := r.Peek(client, []byte(request)); err != nil {
					t.Fatal(err)
				}
				if _, err := b.AppendRequest(nil, &r, &codec.Target{Protocol: test.target, Model: "m"}); err != nil {
					t.Fatal(err)
				}
				step := codec.Hold
				if streams {
					_, step = b.Feed(nil, []byte(stream))
				} else {
					_, step = b.Answer(nil, []byte(whole))
				}
				u := b.Usage()
				if step != codec.End || u.Service != test.want || u.InputAudio != test.input || u.OutputAudio != test.output {
					t.Errorf("%v on %v, tier %s, stream %t: step %v, usage %+v", client, test.target, test.tier, streams, step, u)
				}
				codec.Release(b)
			}
		}
	}
}
