package codec

import (
	"fmt"
	"strings"
	"testing"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// estimated returns the number that EstimateCount answers.
func estimated(t *testing.T, p llm.Protocol, body string) int64 {
	t.Helper()
	answer, err := EstimateCount(counting(t, p, body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	n, ok := countIn(answer)
	want := fmt.Sprintf(`{"input_tokens":%d}`, n)
	if p == llm.Responses {
		want = fmt.Sprintf(`{"object":"response.input_tokens","input_tokens":%d}`, n)
	}
	if !ok || string(answer) != want {
		t.Fatalf("%s: got %s, want %s", body, answer, want)
	}
	return n
}

func TestEstimates(t *testing.T) {
	image := strings.Repeat("iVBORw0KGgoAAAANSUhEUgAA", 200)
	f := func(p llm.Protocol, body string, want int64) {
		t.Helper()
		if got := estimated(t, p, body); got != want {
			t.Errorf("%s: got %d, want %d", body[:min(len(body), 200)], got, want)
		}
	}
	messages := func(content string) string {
		return `{"model":"m","messages":[{"role":"user","content":` + content + `}]}`
	}
	// "hello world" is 2, each turn 3, the beginning of the answer 3.
	f(llm.Messages, messages(`"hello world"`), 8)
	f(llm.Responses, `{"model":"m","input":"hello world"}`, 8)
	f(llm.Messages, messages(`[{"type":"text","text":"hello"},{"type":"text","text":" world"}]`), 8)
	f(llm.Messages, `{"model":"m","system":"hello world","messages":[{"role":"user","content":"hello world"}]}`, 8+5)
	f(llm.Responses, `{"model":"m","instructions":"hello world","input":"hello world"}`, 8+5)
	f(llm.Messages, messages(`[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"`+image+`"}}]`), 6+1600)
	f(llm.Responses, `{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":"https://x/y.png"}]}]}`, 6+1600)
	f(llm.Messages, messages(`[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"`+image+`"}}]`), 6+2000)
	f(llm.Messages, messages(`[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"hello world"}}]`), 8)
	// A tool costs 7, tools 12, its name 1, its schema 5.
	f(llm.Messages, `{"model":"m","messages":[{"role":"user","content":"hello world"}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}`, 8+12+7+1+5)
	f(llm.Responses, `{"model":"m","input":"hello world","tools":[{"type":"function","name":"f","description":"hello world","parameters":{"type":"object"}}]}`, 8+12+7+1+5+2)
	// A call is 3, its name 1, its input {} 1; a result 3 and its text 2. Both are in turns of their own.
	f(llm.Messages, `{"model":"m","messages":[{"role":"user","content":"hello world"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]},`+
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"hello world"}]}]}`, 8+3+3+1+1+3+3+2)
	f(llm.Messages, `{"model":"m","messages":[{"role":"user","content":"hello world"},{"role":"assistant","content":[{"type":"thinking","thinking":"hello world","signature":"`+
		image+`"},{"type":"text","text":"hello world"}]}]}`, 8+3+2+2)
	f(llm.Messages, messages(`[]`), 6)
}

func TestEstimatesGrowWithThePrompt(t *testing.T) {
	last := int64(0)
	for n := 1; n <= 1<<16; n *= 4 {
		got := estimated(t, llm.Messages, `{"model":"m","messages":[{"role":"user","content":"`+strings.Repeat("hello ", n)+`"}]}`)
		if got <= last || got < int64(n) || got > int64(n)+int64(n)/20+10 {
			t.Errorf("%d words: got %d after %d", n, got, last)
		}
		last = got
	}
}

// knownResponses are what a Recall finds, by id.
type knownResponses map[string][]byte

func (r knownResponses) Response(id string) []byte { return r[id] }
func (r knownResponses) Item(string) []byte        { return nil }
func (r knownResponses) Thoughts(string) []byte    { return nil }

func TestEstimatesIncludeTheResponsesBefore(t *testing.T) {
	r := counting(t, llm.Responses, `{"model":"m","input":"hello world","previous_response_id":"resp_1"}`)
	r.Recall = knownResponses{"resp_1": []byte(`{"previous":null,"input":[{"type":"message","role":"user","content":"hello world"}],"response":{"id":"resp_1",` +
		`"output":[{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"hello world","annotations":[]}]}]}}`)}
	body, err := EstimateCount(r)
	if n, _ := json.Int(json.Get(body, "input_tokens")); err != nil || n != 3+3*5 {
		t.Errorf("got %s, %v, want 18", body, err)
	}
	r.Recall = knownResponses{}
	if _, err := EstimateCount(r); err == nil || err.Code != "previous_response_not_found" {
		t.Errorf("got %v for an unknown response", err)
	}
}

func TestEstimatesOfWhatIsNoRequest(t *testing.T) {
	for _, body := range []string{`{"model":"m"}`, `{"model":"m","messages":"hello"}`, `{"model":"m","messages":[{"role":"nobody","content":""}]}`} {
		if answer, err := EstimateCount(counting(t, llm.Messages, body)); err == nil || err.Kind != llm.InvalidRequest {
			t.Errorf("%s: got %s, %v", body, answer, err)
		}
	}
}
