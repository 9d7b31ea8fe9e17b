package gatewaytest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"octopus/codec/llm"
)

// documented returns the directives of the tables in doc.go, with their values.
func documented(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(source)) {
		row, isRow := strings.CutPrefix(line, "//\t")
		if isRow && row[0] != ' ' {
			all = append(all, strings.Fields(row)[0])
		}
	}
	return all
}

func TestDocumentationListsEveryDirective(t *testing.T) {
	var want []string
	for _, d := range directives {
		name := d.name
		if optional := strings.TrimPrefix(d.value, "["); optional != d.value {
			name += "[=" + optional
		} else if d.value != "" {
			name += "=" + d.value
		}
		want = append(want, name)
	}
	if got := documented(t); !slices.Equal(got, want) {
		t.Errorf("doc.go has\n%q\nscript.go has\n%q", got, want)
	}
}

// TestDirectives shows for every directive that it does what doc.go says.
func TestDirectives(t *testing.T) {
	for _, d := range directives {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			prove, ok := proofs[d.name]
			if !ok {
				t.Fatal("no proof")
			}
			prove(t, start(t, Options{}))
		})
	}
}

// chatEvents asks for a Chat stream, which must end well.
func chatEvents(t *testing.T, p *Provider, directives string) []event {
	t.Helper()
	return events(streamBody(t, p, llm.Chat, directives))
}

func streamBody(t *testing.T, p *Provider, protocol llm.Protocol, directives string) string {
	t.Helper()
	got := fetch(t, p, question{protocol: protocol, model: "m!" + directives, stream: true})
	if got.status != http.StatusOK || got.err != nil {
		t.Fatalf("status %d, error %v: %s", got.status, got.err, got.body)
	}
	return got.body
}

// content joins the text of a Chat stream.
func content(t *testing.T, all []event) string {
	t.Helper()
	text := ""
	for _, e := range all {
		if e.data == "[DONE]" {
			break
		}
		var chunk struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if err := json.Unmarshal([]byte(e.data), &chunk); err != nil {
			t.Fatalf("%s: %v", e.data, err)
		}
		for _, choice := range chunk.Choices {
			text += choice.Delta.Content
		}
	}
	return text
}

// contains fails the test unless text has all parts.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
}

// lacks fails the test when text has one of the parts.
func lacks(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			t.Errorf("%q is in\n%s", part, text)
		}
	}
}

// longer fails the test when something took less than it must.
func longer(t *testing.T, what string, took, least time.Duration) {
	t.Helper()
	if took < least {
		t.Errorf("%s took %s, want at least %s", what, took, least)
	}
}

// proofs has one proof for each directive.
var proofs = map[string]func(t *testing.T, p *Provider){
	"tokens": func(t *testing.T, p *Provider) {
		all := chatEvents(t, p, "tokens=3")
		if got, want := len(all), 1+3+1+1+1; got != want { // role, tokens, finish, usage, [DONE]
			t.Errorf("%d events, want %d: %v", got, want, all)
		}
		if got, want := content(t, all), "I am Octopus's"; got != want {
			t.Errorf("text %q, want %q", got, want)
		}
	},
	"size": func(t *testing.T, p *Provider) {
		if got := content(t, chatEvents(t, p, "size=5000")); len(got) != 5000 {
			t.Errorf("%d bytes, want 5000", len(got))
		}
	},
	"bigevent": func(t *testing.T, p *Provider) {
		all := chatEvents(t, p, "tokens=2,bigevent=1000000")
		if got := len(all[3].data); got < 1000000 {
			t.Errorf("the event has %d bytes, want 1000000", got)
		}
	},
	"reasoning": func(t *testing.T, p *Provider) {
		if got := strings.Count(streamBody(t, p, llm.Chat, "reasoning"), "reasoning_content"); got != 8 {
			t.Errorf("%d tokens of reasoning, want 8", got)
		}
		body := streamBody(t, p, llm.Messages, "reasoning=3")
		if got := strings.Count(body, "thinking_delta"); got != 3 {
			t.Errorf("%d tokens of thinking, want 3", got)
		}
		contains(t, body, `"signature_delta"`, `"thinking_tokens":3`)
		contains(t, streamBody(t, p, llm.Responses, "reasoning=3"), "response.reasoning_summary_text.done", `"reasoning_tokens":3`)
	},
	"tools": func(t *testing.T, p *Provider) {
		for protocol, tools := range map[llm.Protocol]string{
			llm.Chat:      `{"type":"custom","custom":{"name":"no"}},{"type":"function","function":{"name":"add","parameters":SCHEMA}}`,
			llm.Responses: `{"type":"web_search"},{"type":"function","name":"add","parameters":SCHEMA}`,
			llm.Messages:  `{"type":"bash_20250124","name":"bash"},{"name":"add","input_schema":SCHEMA}`,
		} {
			schema := `{"type":"object","properties":{"a":{"type":"integer"},"b":{"enum":["x","y"]},"c":{"type":["array","null"],` +
				`"items":{"type":"number"}},"d":{"type":"object","properties":{"e":{"type":"boolean"}}},"f":{}}}`
			body := `{"model":"m!tools","max_tokens":9,"messages":[{"role":"user","content":"x"}],"tools":[` +
				strings.ReplaceAll(tools, "SCHEMA", schema) + `]}`
			if protocol == llm.Responses {
				body = strings.Replace(body, `"messages":[{"role":"user","content":"x"}]`, `"input":"x"`, 1)
			}
			got := fetch(t, p, question{protocol: protocol, body: body}).body
			contains(t, strings.ReplaceAll(got, `\"`, `"`), `"name":"add"`,
				`{"a":1,"b":"x","c":[1.5],"d":{"e":true},"f":"example"}`)
			lacks(t, got, "scripted provider")
		}
	},
	"calls": func(t *testing.T, p *Provider) {
		got := fetch(t, p, question{protocol: llm.Messages, model: "m!calls=3"}).body
		if n := strings.Count(got, `"type":"tool_use","id":"toolu_01`); n != 3 {
			t.Errorf("%d calls, want 3: %s", n, got)
		}
		contains(t, got, `"stop_reason":"tool_use"`)
	},
	"rounds": func(t *testing.T, p *Provider) {
		tools := `"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"},"max_tokens":99`
		ask := `{"role":"user","content":"x"}`
		first := fetch(t, p, question{protocol: llm.Messages, body: `{"model":"m!rounds=1",` + tools + `,"messages":[` + ask + `]}`}).body
		contains(t, first, `"tool_use"`)
		second := fetch(t, p, question{protocol: llm.Messages, body: `{"model":"m!rounds=1",` + tools + `,"messages":[` + ask +
			`,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"f",` +
			`"input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"sunny"},` +
			`{"type":"tool_result","tool_use_id":"b","content":[{"type":"text","text":"rainy"}]}]}]}`}).body
		contains(t, second, "Your tools said: sunny | rainy", `"end_turn"`)
	},
	"interleave": func(t *testing.T, p *Provider) {
		for protocol, index := range map[llm.Protocol]string{llm.Chat: `"tool_calls":[{"index":`, llm.Responses: `"output_index":`} {
			var order []byte
			for _, e := range events(streamBody(t, p, protocol, "calls=2,interleave")) {
				if _, rest, ok := strings.Cut(e.data, index); ok && (protocol == llm.Chat || strings.HasSuffix(e.name, ".delta")) {
					order = append(order, rest[0])
				}
			}
			if want := map[llm.Protocol]string{llm.Chat: "01010101", llm.Responses: "010101"}[protocol]; string(order) != want {
				t.Errorf("%s: fragments of calls %s, want %s", protocol, order, want)
			}
		}
	},
	"redacted": func(t *testing.T, p *Provider) {
		contains(t, streamBody(t, p, llm.Messages, "reasoning=2,redacted"), `"index":1,"content_block":{"type":"redacted_thinking","data":"Emw`)
		contains(t, streamBody(t, p, llm.Responses, "redacted"), `"type":"reasoning","summary":[],"encrypted_content":"gAAAA`)
	},
	"remember": func(t *testing.T, p *Provider) {
		for protocol, history := range map[llm.Protocol]string{
			llm.Chat: `"messages":[{"role":"assistant","content":"x","reasoning_content":"y"},{"role":"assistant","content":"x",` +
				`"reasoning_content":"y"},{"role":"user","content":"z"}]`,
			llm.Responses: `"input":[{"type":"reasoning","summary":[]},{"type":"reasoning","summary":[]},{"role":"user","content":"z"}]`,
			llm.Messages: `"messages":[{"role":"assistant","content":[{"type":"thinking"},{"type":"redacted_thinking"}]},` +
				`{"role":"user","content":"z"}]`,
		} {
			got := fetch(t, p, question{protocol: protocol, body: `{"model":"m!remember",` + history + `}`}).body
			contains(t, got, "You wrote: z. I remember 2 thoughts.")
		}
	},
	"search": func(t *testing.T, p *Provider) {
		contains(t, streamBody(t, p, llm.Messages, "search"), `"type":"server_tool_use","id":"srvtoolu_01`,
			`"type":"web_search_tool_result","tool_use_id":"srvtoolu_01`, `"web_search_requests":1`)
		contains(t, streamBody(t, p, llm.Responses, "search"), "response.web_search_call.searching", `"query":"scripted provider"`)
	},
	"cite": func(t *testing.T, p *Provider) {
		contains(t, streamBody(t, p, llm.Chat, "cite,tokens=2"), `"annotations":[{"type":"url_citation","url_citation":{"start_index":0,"end_index":4,`)
		contains(t, streamBody(t, p, llm.Responses, "cite,tokens=2"), "response.output_text.annotation.added",
			`"annotations":[{"type":"url_citation","start_index":0,"end_index":4,`)
		contains(t, streamBody(t, p, llm.Messages, "cite"), `"citations_delta","citation":{"type":"web_search_result_location"`)
	},
	"pause": func(t *testing.T, p *Provider) {
		begin := `{"model":"m!pause","max_tokens":99,"messages":[{"role":"user","content":"x"}`
		first := fetch(t, p, question{protocol: llm.Messages, body: begin + `]}`}).body
		contains(t, first, `"stop_reason":"pause_turn"`, `"server_tool_use"`)
		_, rest, _ := strings.Cut(first, `"content":`)
		content := rest[:valueEnd([]byte(rest), 0)]
		second := fetch(t, p, question{protocol: llm.Messages, body: begin + `,{"role":"assistant","content":` + content + `}]}`}).body
		contains(t, second, `"stop_reason":"end_turn"`, `"web_search_tool_result"`, "scripted provider")
		lacks(t, second, `"server_tool_use","id"`)
		again := strings.ReplaceAll(begin, "pause", "pause=2") + `,{"role":"assistant","content":` + content + `}]`
		contains(t, fetch(t, p, question{protocol: llm.Messages, body: again + `,"stream":true}`}).body, `"web_search_tool_result"`,
			`"server_tool_use"`, `"stop_reason":"pause_turn"`)
	},
	"filter": func(t *testing.T, p *Provider) {
		contains(t, streamBody(t, p, llm.Chat, "filter"), `"finish_reason":"content_filter"`)
		contains(t, streamBody(t, p, llm.Responses, "filter"), "response.incomplete", `"reason":"content_filter"`)
		contains(t, streamBody(t, p, llm.Messages, "filter"), `"stop_reason":"refusal"`)
	},
	"refusal": func(t *testing.T, p *Provider) {
		contains(t, streamBody(t, p, llm.Chat, "refusal"), `"delta":{"refusal":"I'm"}`)
		contains(t, streamBody(t, p, llm.Responses, "refusal"), "response.refusal.delta")
		contains(t, streamBody(t, p, llm.Messages, "refusal"), `"stop_reason":"refusal"`, `"stop_details":{"type":"refusal"`)
	},
	"cached": func(t *testing.T, p *Provider) {
		contains(t, streamBody(t, p, llm.Chat, "cached=4"), `"prompt_tokens":10,`, `"cached_tokens":4`)
		contains(t, streamBody(t, p, llm.Messages, "cached=4"), `"input_tokens":6,`, `"cache_read_input_tokens":4`)
	},
	"cachewrite": func(t *testing.T, p *Provider) {
		contains(t, streamBody(t, p, llm.Responses, "cachewrite=4"), `"input_tokens":10,`, `"cache_write_tokens":4`)
		contains(t, streamBody(t, p, llm.Messages, "cachewrite=4"), `"input_tokens":6,`, `"ephemeral_5m_input_tokens":4`)
	},
	"every": func(t *testing.T, p *Provider) {
		got := fetch(t, p, question{protocol: llm.Responses, model: "m!tokens=4,every=30ms", stream: true})
		longer(t, "the stream", got.took, 3*30*time.Millisecond)
	},
	"burst": func(t *testing.T, p *Provider) {
		c := dial(t, p)
		c.send(question{protocol: llm.Chat, model: "m!tokens=20,burst", stream: true})
		buffer := make([]byte, 64<<10)
		n, err := c.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(chunks(t, buffer[:n])); got != 24 {
			t.Errorf("the first read brings %d chunks, want all 24", got)
		}
	},
	"obfuscation": func(t *testing.T, p *Provider) {
		if got := strings.Count(streamBody(t, p, llm.Chat, "tokens=5,obfuscation"), `"obfuscation":"`); got != 5 {
			t.Errorf("%d paddings, want 5", got)
		}
	},
	"usage": proveUsage,

	"split": func(t *testing.T, p *Provider) {
		for _, chunk := range chunks(t, raw(t, p, question{protocol: llm.Chat, model: "m!tokens=2,split=3", stream: true})) {
			if len(chunk) > 3 {
				t.Fatalf("chunk %q, want 3 bytes at most", chunk)
			}
		}
		contains(t, fetch(t, p, question{protocol: llm.Chat, model: "m!split=1"}).body, `"finish_reason":"stop"`)
	},
	"crlf": func(t *testing.T, p *Provider) {
		body := streamBody(t, p, llm.Messages, "crlf")
		if strings.Count(body, "\n") != strings.Count(body, "\r\n") {
			t.Errorf("a line end is not CR LF: %q", body)
		}
	},
	"cr": func(t *testing.T, p *Provider) { lacks(t, streamBody(t, p, llm.Messages, "cr"), "\n") },
	"bom": func(t *testing.T, p *Provider) {
		if body := streamBody(t, p, llm.Chat, "bom"); strings.LastIndex(body, "\uFEFF") != 0 {
			t.Errorf("no byte order mark, or one too many: %q", body)
		}
	},
	"comments": func(t *testing.T, p *Provider) {
		contains(t, streamBody(t, p, llm.Chat, "comments"), ": scripted comment\n\ndata: [DONE]")
	},
	"nul": func(t *testing.T, p *Provider) {
		contains(t, streamBody(t, p, llm.Chat, "nul"), ": scripted\x00comment\n\ndata: [DONE]")
	},
	"multiline": func(t *testing.T, p *Provider) {
		body := streamBody(t, p, llm.Chat, "tokens=3,multiline")
		contains(t, body, "data: {\ndata: \"id\":")
		if got := content(t, events(body)); got != "I am Octopus's" {
			t.Errorf("text %q", got)
		}
	},
	"nospace": func(t *testing.T, p *Provider) {
		body := streamBody(t, p, llm.Chat, "nospace")
		contains(t, body, "data:{", "data:[DONE]")
		lacks(t, body, "data: ")
	},
	"ping": func(t *testing.T, p *Provider) {
		contains(t, streamBody(t, p, llm.Chat, "tokens=2,first=30ms,ping=5ms"), ": keep-alive\n\n")
		if got := strings.Count(streamBody(t, p, llm.Messages, "tokens=2,first=30ms,ping=5ms"), "event: ping"); got < 2 {
			t.Errorf("%d pings, want the usual one and more", got)
		}
	},
	"gzip": func(t *testing.T, p *Provider) {
		for _, streamed := range []bool{false, true} {
			got := fetch(t, p, question{protocol: llm.Chat, model: "m!gzip", stream: streamed})
			if got.header.Get("Content-Encoding") != "gzip" {
				t.Errorf("header %v", got.header)
			}
			zip, err := gzip.NewReader(strings.NewReader(got.body))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(zip)
			if err != nil {
				t.Fatal(err)
			}
			contains(t, string(text), `"finish_reason":"stop"`)
		}
	},
	"close": func(t *testing.T, p *Provider) {
		c := dial(t, p)
		got := c.ask(question{protocol: llm.Chat, model: "m!close"})
		if !got.closes {
			t.Error("the answer does not say so")
		}
		c.ended(io.EOF)
	},
	"closeidle": func(t *testing.T, p *Provider) {
		c := dial(t, p)
		got := c.ask(question{protocol: llm.Chat, model: "m!closeidle"})
		if got.closes {
			t.Error("the answer says so")
		}
		c.ended(io.EOF)
	},
	"closenext": func(t *testing.T, p *Provider) {
		c := dial(t, p)
		c.ask(question{protocol: llm.Chat, model: "m!closenext"})
		c.silent()
		c.send(question{protocol: llm.Chat, model: "m"})
		if _, err := c.in.Peek(1); err == nil {
			t.Error("the second request was answered")
		}
		if got := len(p.Requests()); got != 1 {
			t.Errorf("%d requests, want 1", got)
		}
	},

	"times": func(t *testing.T, p *Provider) {
		for _, want := range []int{503, 503, 200, 200} {
			if got := fetch(t, p, question{protocol: llm.Chat, model: "m!status=503,times=2,tokens=2"}); got.status != want {
				t.Errorf("status %d, want %d", got.status, want)
			} else if want == 200 {
				contains(t, got.body, `"content":"I am"`) // what is no fault stays
			}
		}
		if got := fetch(t, p, question{protocol: llm.Chat, model: "other!status=503,times=2,tokens=2"}); got.status != 503 {
			t.Errorf("another model: status %d, want 503", got.status)
		}
		p.Reset()
		if got := fetch(t, p, question{protocol: llm.Chat, model: "m!status=503,times=2,tokens=2"}); got.status != 503 {
			t.Errorf("after Reset: status %d, want 503", got.status)
		}
	},
	"mishap": func(t *testing.T, p *Provider) {
		const requests = 300
		for range requests {
			c := dial(t, p)
			c.send(question{protocol: llm.Chat, model: "m!mishap=30,tokens=4", stream: true})
		}
		log, err := p.Wait(t.Context(), Arrived(requests))
		if err != nil {
			t.Fatal(err)
		}
		struck := map[string]int{}
		for _, e := range log {
			struck[e.Mishap]++
		}
		// The mean is 90, the standard deviation 8.
		if healthy := struck[""]; healthy < requests-130 || healthy > requests-50 || len(struck) < len(mishaps)/2 {
			t.Errorf("%d of %d requests were healthy, the others had %v", healthy, requests, struck)
		}
	},
	"delay": func(t *testing.T, p *Provider) {
		c := dial(t, p)
		begin := time.Now()
		c.send(question{protocol: llm.Chat, model: "m!delay=30ms"})
		c.response()
		longer(t, "the head", time.Since(begin), 30*time.Millisecond)
	},
	"prelude": func(t *testing.T, p *Provider) {
		c := dial(t, p)
		c.send(question{protocol: llm.Chat, model: "m!prelude=1h", stream: true})
		c.response()
		c.silent()
	},
	"first": func(t *testing.T, p *Provider) {
		for protocol, prelude := range map[llm.Protocol]string{
			llm.Chat: `"role":"assistant"`, llm.Responses: "response.in_progress", llm.Messages: "message_start",
		} {
			c := dial(t, p)
			c.send(question{protocol: protocol, model: "m!first=1h", stream: true})
			c.response()
			text := c.until(prelude, "\n\n", "\r\n")
			lacks(t, text, "_delta", "content_block", "output_item", `"content":"I`)
			c.silent()
		}
	},
	"status": func(t *testing.T, p *Provider) {
		for _, status := range []int{400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529} {
			for _, protocol := range llm.Protocols {
				got := fetch(t, p, question{protocol: protocol, model: "m!status=" + strconv.Itoa(status), stream: true})
				var body struct {
					Type  string
					Error struct{ Type, Message string }
				}
				if err := json.Unmarshal([]byte(got.body), &body); err != nil {
					t.Errorf("%s, %d: %v", protocol, status, err)
				}
				if got.status != status || body.Error.Type == "" || body.Error.Message == "" ||
					(protocol == llm.Messages) != (body.Type == "error") {
					t.Errorf("%s, %d: %d %s", protocol, status, got.status, got.body)
				}
			}
		}
	},
	"code": func(t *testing.T, p *Provider) {
		for _, c := range []struct {
			protocol         llm.Protocol
			directives, want string
		}{
			{llm.Chat, "status=400,code=context_length_exceeded", `"code":"context_length_exceeded"`},
			{llm.Chat, "status=400,code=content_policy_violation", `"code":"content_policy_violation"`},
			{llm.Responses, "status=429,code=insufficient_quota", `"type":"insufficient_quota"`},
			{llm.Chat, "status=400,code=any_other", `"code":"any_other"`},
			{llm.Messages, "status=400,code=context_length_exceeded", "prompt is too long: "},
			{llm.Messages, "status=400,code=content_filter", "content filtering policy"},
			{llm.Messages, "status=400,code=insufficient_quota", `"type":"billing_error"`},
			{llm.Messages, "status=500,code=overloaded_error", `"type":"overloaded_error"`},
		} {
			contains(t, fetch(t, p, question{protocol: c.protocol, model: "m!" + c.directives}).body, c.want)
		}
	},
	"retry_after": func(t *testing.T, p *Provider) {
		got := fetch(t, p, question{protocol: llm.Chat, model: "m!status=429,retry_after=7"})
		if got.header.Get("Retry-After") != "7" || got.header.Get("X-Ratelimit-Remaining-Requests") != "0" {
			t.Errorf("header %v", got.header)
		}
	},
	"reset": func(t *testing.T, p *Provider) {
		c := dial(t, p)
		c.send(question{protocol: llm.Chat, model: "m!reset"})
		c.ended(syscall.ECONNRESET)
		expectEnd(t, p, EndCut)
	},
	"silent": func(t *testing.T, p *Provider) {
		c := dial(t, p)
		c.send(question{protocol: llm.Chat, model: "m!silent"})
		c.silent()
	},
	"redirect": func(t *testing.T, p *Provider) {
		got := fetch(t, p, question{protocol: llm.Chat, model: "m!redirect=http://127.0.0.1:9/x?a=b"})
		if got.status != 302 || got.header.Get("Location") != "http://127.0.0.1:9/x?a=b" {
			t.Errorf("%d %v", got.status, got.header)
		}
	},
	"html": func(t *testing.T, p *Provider) {
		got := fetch(t, p, question{protocol: llm.Chat, model: "m!html"})
		if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
			t.Errorf("%d %v", got.status, got.header)
		}
		contains(t, got.body, "<html>")
		if got := fetch(t, p, question{protocol: llm.Chat, model: "m!html,status=502"}); got.status != 502 {
			t.Errorf("status %d, want 502", got.status)
		}
	},
	"empty": func(t *testing.T, p *Provider) {
		got := fetch(t, p, question{protocol: llm.Chat, model: "m!empty", stream: true})
		if got.status != 200 || got.body != "" || !strings.HasPrefix(got.header.Get("Content-Type"), "text/event-stream") {
			t.Errorf("%+v", got)
		}
	},
	"error200": func(t *testing.T, p *Provider) {
		got := fetch(t, p, question{protocol: llm.Chat, model: "m!error200", stream: true})
		if got.status != 200 || !strings.HasPrefix(got.body, `{"error":{`) {
			t.Errorf("%+v", got)
		}
	},
	"nochoices": func(t *testing.T, p *Provider) {
		for protocol, want := range map[llm.Protocol]string{
			llm.Chat: `"choices":[]`, llm.Responses: `"output":[]`, llm.Messages: `"content":[]`,
		} {
			contains(t, fetch(t, p, question{protocol: protocol, model: "m!nochoices"}).body, want)
			lacks(t, streamBody(t, p, protocol, "nochoices"), "scripted", "content_block", "output_item", `"delta":{"role`)
		}
	},
	"truncated": func(t *testing.T, p *Provider) {
		got := fetch(t, p, question{protocol: llm.Chat, model: "m!truncated"})
		if got.err != nil || json.Valid([]byte(got.body)) {
			t.Errorf("%+v", got)
		}
		body := streamBody(t, p, llm.Chat, "tokens=10,truncated")
		if strings.Count(body, "data: ") != 7 || strings.HasSuffix(body, "\n\n") {
			t.Errorf("want 6 events and a half: %s", body)
		}
	},
	"gzipbomb": func(t *testing.T, p *Provider) {
		c := dial(t, p)
		c.send(question{protocol: llm.Chat, model: "m!gzipbomb"})
		response := c.response()
		var packed countingReader
		packed.r = response.Body
		zip, err := gzip.NewReader(&packed)
		if err != nil {
			t.Fatal(err)
		}
		const enough = 8 << 20
		text, err := io.ReadAll(io.LimitReader(zip, enough))
		if err != nil || len(bytes.TrimSpace(text)) > 0 || len(text) != enough {
			t.Errorf("%d bytes, error %v", len(text), err)
		}
		if packed.n > enough/100 {
			t.Errorf("%d bytes of gzip made %d", packed.n, enough)
		}
	},
	"endlessheaders": func(t *testing.T, p *Provider) {
		c := dial(t, p)
		c.send(question{protocol: llm.Chat, model: "m!endlessheaders"})
		head := make([]byte, 1<<20)
		if _, err := io.ReadFull(c.in, head); err != nil || bytes.Contains(head, []byte("\r\n\r\n")) {
			t.Errorf("the header section ends, or fails: %v", err)
		}
	},
	"endlessbody": func(t *testing.T, p *Provider) {
		for _, streamed := range []bool{false, true} {
			c := dial(t, p)
			c.send(question{protocol: llm.Chat, model: "m!endlessbody", stream: streamed})
			body := make([]byte, 1<<20)
			if _, err := io.ReadFull(c.response().Body, body); err != nil || bytes.Contains(body, []byte{'\n'}) {
				t.Errorf("the body ends, or fails: %v", err)
			}
			_ = c.Close()
		}
	},
	"cut": func(t *testing.T, p *Provider) {
		got := fetch(t, p, question{protocol: llm.Chat, model: "m!tokens=10,cut=4", stream: true})
		if all := events(got.body); got.err == nil || len(all) != 5 {
			t.Errorf("error %v after %d events, want one after 5", got.err, len(all))
		}
		expectEnd(t, p, EndCut)
		got = fetch(t, p, question{protocol: llm.Chat, model: "m!cut=4"})
		if got.err == nil || json.Valid([]byte(got.body)) {
			t.Errorf("%+v", got)
		}
	},
	"inside": func(t *testing.T, p *Provider) {
		c := dial(t, p)
		c.send(question{protocol: llm.Chat, model: "m!tokens=10,cut=4,inside", stream: true})
		body, err := io.ReadAll(c.response().Body)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("error %v, want %v", err, io.ErrUnexpectedEOF)
		}
		if strings.Count(string(body), "data: ") != 6 || bytes.HasSuffix(body, []byte("\n\n")) {
			t.Errorf("want 5 events and a half: %s", body)
		}
	},
	"rst": func(t *testing.T, p *Provider) {
		got := fetch(t, p, question{protocol: llm.Messages, model: "m!tokens=10,every=5ms,cut=4,rst", stream: true})
		if !errors.Is(got.err, syscall.ECONNRESET) {
			t.Errorf("error %v, want %v", got.err, syscall.ECONNRESET)
		}
	},
	"stall": func(t *testing.T, p *Provider) {
		c := dial(t, p)
		c.send(question{protocol: llm.Chat, model: "m!tokens=10,stall=2", stream: true})
		c.response()
		c.until(`"content":" am"`, "\n\n", "\r\n")
		c.silent()
		c = dial(t, p)
		c.send(question{protocol: llm.Chat, model: "m!stall=2"})
		response := c.response()
		if _, err := io.ReadFull(response.Body, make([]byte, response.ContentLength/2)); err != nil {
			t.Fatal(err)
		}
		c.silent()
	},
	"garbage": func(t *testing.T, p *Provider) {
		for _, protocol := range llm.Protocols {
			body := streamBody(t, p, protocol, "tokens=4,garbage=2")
			wrong := 0
			for _, e := range events(body) {
				if e.data != "[DONE]" && !json.Valid([]byte(e.data)) {
					wrong++
				}
			}
			if wrong != 1 {
				t.Errorf("%s: %d events are not JSON, want 1", protocol, wrong)
			}
		}
	},
	"errorevent": func(t *testing.T, p *Provider) {
		for protocol, want := range map[llm.Protocol]string{
			llm.Chat:      `data: {"error":{"message":"Rate limit`,
			llm.Responses: "event: response.failed\n",
			llm.Messages:  "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\"",
		} {
			body := streamBody(t, p, protocol, "tokens=4,errorevent=2,status=429")
			contains(t, body, want)
			lacks(t, body, "[DONE]", "message_stop", "response.completed", " Octopus's")
		}
	},
	"noend": func(t *testing.T, p *Provider) {
		for protocol, last := range map[llm.Protocol]string{
			llm.Chat: `"choices":[],"usage":{`, llm.Responses: "response.output_item.done", llm.Messages: "message_delta",
		} {
			body := streamBody(t, p, protocol, "noend")
			contains(t, body, last)
			lacks(t, body, "[DONE]", "message_stop", "response.completed")
		}
	},
	"hang": func(t *testing.T, p *Provider) {
		c := dial(t, p)
		c.send(question{protocol: llm.Chat, model: "m!hang", stream: true})
		c.response()
		c.until("data: [DONE]\n\n\r\n")
		c.silent()
		c = dial(t, p)
		c.send(question{protocol: llm.Chat, model: "m!hang"})
		response := c.response()
		if _, err := io.ReadFull(response.Body, make([]byte, response.ContentLength-1)); err != nil {
			t.Fatal(err)
		}
		c.silent()
	},
}

func proveUsage(t *testing.T, p *Provider) {
	t.Helper()
	chatUsages := func(mode string) []string {
		var all []string
		for _, e := range chatEvents(t, p, "tokens=2,usage="+mode) {
			if _, usage, has := strings.Cut(e.data, `,"usage":{`); has {
				all = append(all, usage)
			}
		}
		return all
	}
	for mode, want := range map[string]int{"none": 0, "twice": 2, "late": 1, "absurd": 1, "first": 1, "content": 1} {
		if got := chatUsages(mode); len(got) != want {
			t.Errorf("%s: %d usages, want %d: %q", mode, len(got), want, got)
		}
	}
	contains(t, strings.Join(chatUsages("absurd"), ""), `"completion_tokens":-7`)
	contains(t, chatEvents(t, p, "tokens=2,usage=first")[0].data, `"role"`, `"completion_tokens":2`)
	contains(t, chatEvents(t, p, "tokens=2,usage=content")[2].data, `"content":" am"`, `"completion_tokens":2`)

	late := fetch(t, p, question{protocol: llm.Messages, model: "m!usage=late", stream: true})
	longer(t, "the stream", late.took, usageLateBy)
	if got := strings.Count(late.body, "event: message_delta"); got != 2 {
		t.Errorf("late: %d message_delta events, want 2", got)
	}
	lacks(t, streamBody(t, p, llm.Messages, "usage=none"), "usage")
	if got := strings.Count(streamBody(t, p, llm.Messages, "tokens=2,usage=twice"), `"output_tokens":2`); got != 2 {
		t.Errorf("twice: %d usages, want 2", got)
	}
	created, rest, _ := strings.Cut(streamBody(t, p, llm.Responses, "tokens=2,usage=first"), "event: response.output_item")
	contains(t, created, `"output_tokens":2`)
	contains(t, rest, `"usage":null`)
}

// ended fails the test unless the connection ends, with that error.
func (c *client) ended(want error) {
	c.t.Helper()
	if b, err := c.in.Peek(1); !errors.Is(err, want) {
		c.t.Errorf("read %q and error %v, want %v", b, err, want)
	}
}

// until reads up to each of parts, one behind the other, and returns what it read.
func (c *client) until(parts ...string) string {
	c.t.Helper()
	var text strings.Builder
	from := 0
	for _, part := range parts {
		for !strings.Contains(text.String()[from:], part) {
			b, err := c.in.ReadByte()
			if err != nil {
				c.t.Fatalf("no %q in %q: %v", part, text.String(), err)
			}
			text.WriteByte(b)
		}
		from = text.Len()
	}
	return text.String()
}

// expectEnd waits until every exchange is over and checks how the last ended.
func expectEnd(t *testing.T, p *Provider, want End) Exchange {
	t.Helper()
	log := wait(t, p, func(log []Exchange) bool { return len(log) > 0 && Ended(len(log))(log) })
	last := log[len(log)-1]
	if last.End != want {
		t.Errorf("the exchange ended %s, want %s: %+v", last.End, want, last)
	}
	return last
}

// countingReader counts what is read.
type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}

func TestDirectivesComeFromFourPlaces(t *testing.T) {
	p := start(t, Options{Script: "tokens=1"})
	ask := func(header, model string) string {
		got := fetch(t, p, question{protocol: llm.Messages, model: model, header: header})
		_, rest, _ := strings.Cut(got.body, `"text":"`)
		text, _, _ := strings.Cut(rest, `"`)
		return text
	}
	for _, c := range []struct{ header, model, want string }{
		{"", "m", "I"},
		{"x-api-key: k!tokens=2\r\n", "m", "I am"},
		{"Authorization: Bearer k!tokens=2\r\nX-Script: tokens=3\r\n", "m", "I am Octopus's"},
		{"x-api-key: k!tokens=2\r\nX-Script: tokens=3\r\n", "m!tokens=4", "I am Octopus's scripted"},
	} {
		if got := ask(c.header, c.model); got != c.want {
			t.Errorf("%q, %q: %q, want %q", c.header, c.model, got, c.want)
		}
	}
	if err := p.SetScript("tokens=5"); err != nil {
		t.Fatal(err)
	}
	if got, want := ask("", "m"), "I am Octopus's scripted provider,"; got != want {
		t.Errorf("after SetScript: %q, want %q", got, want)
	}
	if err := p.SetScript("tokens=6,nonsense"); err == nil || !strings.Contains(err.Error(), `"nonsense"`) {
		t.Errorf("SetScript: %v, want an error that names the directive", err)
	}
	if got, want := ask("", "m"), "I am Octopus's scripted provider,"; got != want {
		t.Errorf("after a wrong SetScript: %q, want %q", got, want)
	}
}

func TestWrongDirectivesAreNamed(t *testing.T) {
	p := start(t, Options{})
	for directives, want := range map[string]string{
		"reset,nonsense":     `unknown directive \"nonsense\"`,
		"nonsense":           `unknown directive \"nonsense\"`,
		"tokens=2,Tokens":    `unknown directive \"Tokens\"`,
		"tokens=0":           `\"tokens\"`,
		"tokens=x":           `\"tokens\"`,
		"tokens":             `\"tokens\"`,
		"delay=5":            `\"delay\"`,
		"delay=-5s":          `\"delay\"`,
		"silent=1":           `\"silent\" takes no value`,
		"status=1000":        `\"status\"`,
		"usage=sometimes":    `\"usage\"`,
		"redirect=":          `\"redirect\"`,
		"cut=-1":             `\"cut\"`,
		"cut=1,nonsense":     `unknown directive \"nonsense\"`,
		"tokens=99999999999": `\"tokens\"`,
	} {
		got := fetch(t, p, question{protocol: llm.Chat, model: "m!" + directives})
		if got.status != 400 || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s, want 400 and %s", directives, got.status, got.body, want)
		}
	}
}
