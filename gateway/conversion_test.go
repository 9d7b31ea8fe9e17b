package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// speaking leaves the first channel one endpoint, in a protocol.
func speaking(p llm.Protocol) func(*config.Config) {
	return func(c *config.Config) {
		url := c.Channels[0].Endpoints[0].BaseURL
		c.Channels[0].Endpoints = []config.Endpoint{{Protocol: p, BaseURL: url}}
		c.Channels[0].Convert.Options = llm.DefaultOptions()
	}
}

func TestConvertedCalls(t *testing.T) {
	for _, upstream := range llm.Protocols {
		w := newWorld(t, 1, speaking(upstream))
		eachKind(t, func(t *testing.T, p llm.Protocol, stream bool) {
			for _, script := range []string{"tokens=20", "tokens=20,every=2ms", "reasoning,tokens=5,every=1ms", "cached=4,tokens=3", "split=7,tokens=9"} {
				row := w.script(script)
				status, body, header := w.call(p, "m", stream)
				if status != 200 || stream && !strings.Contains(body, terminal[p]) {
					t.Fatalf("%v upstream, %s: got %d, %s", upstream, script, status, body)
				}
				checkEvents(t, body)
				log := w.providers[0].Requests()
				if len(log) != 1 || log[0].Protocol != upstream || log[0].Stream != stream {
					t.Fatalf("%v upstream, %s: the provider got %+v", upstream, script, log)
				}
				want := log[0].Usage
				want.Knowledge = llm.Reported
				if o := w.ledger.wait(t, row); o.Usage != want || o.Class != outcome.ClassNone {
					t.Errorf("%v upstream, %s: usage %+v, want %+v; class %v", upstream, script, o.Usage, want, o.Class)
				}
				if header.Get("X-Octopus-Channel") != "p1" {
					t.Errorf("headers: %v", header)
				}
			}
		})
	}
}

func TestConvertedFailures(t *testing.T) {
	for _, upstream := range llm.Protocols {
		w := newWorld(t, 1, speaking(upstream))
		for _, p := range llm.Protocols {
			t.Run(fmt.Sprintf("%v on %v", p, upstream), func(t *testing.T) {
				for script, want := range map[string]string{"tokens=20,every=3ms,cut=10": "error", "tokens=20,every=3ms,errorevent=10": "error"} {
					row := w.script(script)
					status, body, _ := w.call(p, "m", true)
					if status != 200 || !strings.Contains(body, want) || strings.Contains(body, "message_stop") ||
						strings.Contains(body, "response.completed") || strings.Contains(body, `"finish_reason":"stop"`) {
						t.Errorf("%s: got %d, %s", script, status, body)
					}
					if o := w.ledger.wait(t, row); o.Class != outcome.ClassCut {
						t.Errorf("%s: class %v", script, o.Class)
					}
				}
				w.script("status=400")
				if status, body, _ := w.call(p, "m", false); status != 400 || (p == llm.Messages) != strings.HasPrefix(body, `{"type":"error"`) {
					t.Errorf("got %d, %s", status, body)
				}
			})
		}
	}
}

func TestConvertedStreamReadsItsOwnRequestToTheEnd(t *testing.T) {
	const name = "files.read_everything_in_the_working_directory" // Anthropic takes no dots
	goOn := make(chan struct{})
	address := rawUpstream(t, func(_ int, c net.Conn, r *bufio.Reader) {
		request, err := readRequest(r)
		if err != nil {
			return
		}
		_, rest, _ := strings.Cut(request, `"tools":[{"name":"`)
		given, _, _ := strings.Cut(rest, `"`)
		event := func(data string) string { return chunked("data: " + data + "\n\n") }
		_, _ = io.WriteString(c, streamHead+
			event(`{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"x","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}`)+
			event(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`)+
			event(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"begun"}}`))
		<-goOn
		_, _ = io.WriteString(c, event(`{"type":"content_block_stop","index":0}`)+
			event(fmt.Sprintf(`{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":%q,"input":{}}}`, given))+
			event(`{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}}`)+
			event(`{"type":"content_block_stop","index":1}`)+
			event(`{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":5}}`)+
			event(`{"type":"message_stop"}`)+lastChunk)
	})
	w := newWorld(t, 2, func(c *config.Config) {
		at(address)(c)
		speaking(llm.Messages)(c)
	})
	// A buffer that has to grow for the next request would not be overwritten: this request is larger than the others.
	resp := w.post(paths[llm.Chat], `{"model":"p1/x","stream":true,"tools":[{"type":"function","function":{"name":"`+name+
		`","parameters":{"type":"object"}}}],"messages":[{"role":"user","content":"`+strings.Repeat("hi ", 1000)+`"}]}`)
	defer resp.Body.Close()
	answer := bufio.NewReader(resp.Body)
	for line := ""; !strings.Contains(line, "begun"); {
		var err error
		if line, err = answer.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	var others sync.WaitGroup
	for range 8 {
		others.Go(func() {
			for range 10 {
				resp := w.post(paths[llm.Chat], `{"model":"p2/x","messages":[{"role":"user","content":"`+strings.Repeat("OF ANOTHER CLIENT ", 50)+`"}]}`)
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	others.Wait()
	close(goOn)
	if rest, err := io.ReadAll(answer); err != nil || !strings.Contains(string(rest), `"name":"`+name+`"`) {
		t.Errorf("%v, %s", err, rest)
	}
}

// respond sends a Responses request and returns the answer's id and body.
func (w *world) respond(body string) (status int, id, answer string) {
	w.t.Helper()
	resp := w.post("/v1/responses", body)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	text := string(raw)
	if at := strings.LastIndex(text, `"response":{`); at >= 0 {
		text = text[at:] // of a stream, the last event
	}
	if _, rest, ok := strings.Cut(text, `"id":"`); ok {
		id, _, _ = strings.Cut(rest, `"`)
	}
	return resp.StatusCode, id, string(raw)
}

// request asks for a path and returns status and body.
func (w *world) request(method, path string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequest(method, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

func TestPreviousResponsesAreRemembered(t *testing.T) {
	for _, upstream := range []llm.Protocol{llm.Chat, llm.Messages} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v stream=%v", upstream, stream), func(t *testing.T) {
				w := newWorld(t, 1, speaking(upstream))
				ask := func(extra, input string) (int, string, string) {
					return w.respond(fmt.Sprintf(`{"model":"m","stream":%v,"instructions":"be short","input":%q%s}`, stream, input, extra))
				}
				status, first, body := ask("", "one")
				if status != 200 || first == "" {
					t.Fatalf("got %d, %s", status, body)
				}
				status, second, body := ask(`,"previous_response_id":"`+first+`"`, "two")
				if status != 200 || !strings.Contains(body, `"previous_response_id":"`+first+`"`) {
					t.Fatalf("got %d, %s", status, body)
				}
				if status, _, body = ask(`,"previous_response_id":"`+second+`"`, "three"); status != 200 {
					t.Fatalf("got %d, %s", status, body)
				}
				sent := string(w.providers[0].Requests()[2].Body)
				for _, text := range []string{`"one"`, `"two"`, `"three"`} {
					if strings.Count(sent, text) < 1 {
						t.Errorf("%s is missing in %s", text, sent)
					}
				}
				if strings.Count(sent, "be short") != 1 {
					t.Errorf("instructions are inherited: %s", sent)
				}

				if status, body := w.request("GET", "/v1/responses/"+first); status != 200 || !strings.Contains(body, `"id":"`+first+`"`) || !strings.Contains(body, `"status":"completed"`) {
					t.Errorf("GET: %d, %s", status, body)
				}
				if status, body := w.request("GET", "/v1/responses/"+second+"/input_items"); status != 200 || !strings.Contains(body, `"two"`) || strings.Contains(body, `"one"`) {
					t.Errorf("input items: %d, %s", status, body)
				}
				if status, body := w.request("POST", "/v1/responses/"+first+"/cancel"); status != 400 {
					t.Errorf("cancel: %d, %s", status, body)
				}
				if status, body := w.request("DELETE", "/v1/responses/"+first); status != 200 || !strings.Contains(body, `"deleted":true`) {
					t.Errorf("DELETE: %d, %s", status, body)
				}
				if status, body := w.request("GET", "/v1/responses/"+first); status != 404 {
					t.Errorf("GET after DELETE: %d, %s", status, body)
				}
				if status, _, body := ask(`,"previous_response_id":"`+second+`"`, "four"); status != 404 || !strings.Contains(body, "previous_response_not_found") {
					t.Errorf("a broken chain: %d, %s", status, body)
				}
				if status, id, _ := ask(`,"store":false`, "five"); status != 200 {
					t.Errorf("without store: %d", status)
				} else if status, _ := w.request("GET", "/v1/responses/"+id); status != 404 {
					t.Errorf("GET of what was not stored: %d", status)
				}
			})
		}
	}
}

func TestItemReferencesAreResolved(t *testing.T) {
	w := newWorld(t, 1, speaking(llm.Messages))
	_, _, body := w.respond(`{"model":"m","input":"one"}`)
	_, rest, _ := strings.Cut(body, `"output":[{"id":"`)
	item, _, _ := strings.Cut(rest, `"`)
	status, _, body := w.respond(`{"model":"m","input":[{"role":"user","content":"one"},{"type":"item_reference","id":"` + item + `"},{"role":"user","content":"two"}]}`)
	if status != 200 {
		t.Fatalf("got %d, %s", status, body)
	}
	if sent := string(w.providers[0].Requests()[1].Body); !strings.Contains(sent, "scripted provider") {
		t.Errorf("the item is missing in %s", sent)
	}
	if status, _, body := w.respond(`{"model":"m","input":[{"type":"item_reference","id":"msg_unknown"}]}`); status != 404 || !strings.Contains(body, "item_not_found") {
		t.Errorf("an unknown item: %d, %s", status, body)
	}
}

func TestPreviousResponseStaysOnItsChannel(t *testing.T) {
	w := newWorld(t, 3, func(c *config.Config) { c.Groups[0].Mode = config.ModeRoundRobin })
	_, id, _ := w.respond(`{"model":"m","input":"one"}`)
	for range 5 {
		w.respond(`{"model":"m","input":"two","previous_response_id":"` + id + `"}`)
	}
	if n := len(w.providers[0].Requests()); n != 6 {
		t.Errorf("the channel that made the response got %d of 6 requests", n)
	}
	next := *w.config
	next.Channels = append([]config.Channel(nil), w.config.Channels...)
	next.Channels[0].Enabled = false
	if err := w.gateway.Apply(&next); err != nil {
		t.Fatal(err)
	}
	if status, _, body := w.respond(`{"model":"m","input":"two","previous_response_id":"` + id + `"}`); status != 404 || !strings.Contains(body, "previous_response_not_found") {
		t.Errorf("without the channel: %d, %s", status, body)
	}
}

func TestReasoningIsPutBackForChatClients(t *testing.T) {
	w := newWorld(t, 1, func(c *config.Config) {
		speaking(llm.Messages)(c)
		c.Groups[0].Members[0].Model = "claude-sonnet-4-5"
	})
	const tools = `"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}],"reasoning_effort":"medium"`
	for _, stream := range []string{"false", "true"} {
		w.script("reasoning,tools")
		resp := w.post("/v1/chat/completions", `{"model":"m","stream":`+stream+`,"messages":[{"role":"user","content":"hello"}],`+tools+`}`)
		raw, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		_, rest, found := strings.Cut(string(raw), `"tool_calls":[{`)
		_, rest, _ = strings.Cut(rest, `"id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		if resp.StatusCode != 200 || !found || id == "" {
			t.Fatalf("got %d, %s", resp.StatusCode, raw)
		}
		// Most clients send nothing back of the reasoning.
		resp = w.post("/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hello"},{"role":"assistant","content":null,"tool_calls":[{"id":"`+id+
			`","type":"function","function":{"name":"weather","arguments":"{}"}}]},{"role":"tool","tool_call_id":"`+id+`","content":"sunny"}],`+tools+`}`)
		raw, _ = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		sent := string(w.providers[0].Requests()[1].Body)
		if resp.StatusCode != 200 || !strings.Contains(sent, `"type":"thinking"`) || !strings.Contains(sent, `"signature":"`) {
			t.Errorf("got %d, %s; the provider got %s", resp.StatusCode, raw, sent)
		}
	}
}

func TestWarningsReachTheClientAndTheLedger(t *testing.T) {
	w := newWorld(t, 1, speaking(llm.Messages))
	for _, stream := range []string{"false", "true"} {
		row := w.script("tokens=3")
		resp := w.post("/v1/chat/completions", `{"model":"m","stream":`+stream+`,"seed":7,"messages":[{"role":"user","content":"hello"}]}`)
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		header := resp.Header.Get("X-Octopus-Warnings")
		if o := w.ledger.wait(t, row); resp.StatusCode != 200 || header != "dropped=seed" || o.Warnings != header {
			t.Errorf("got %d with %q, ledger %q", resp.StatusCode, header, o.Warnings)
		}
	}
	strict := *w.config
	strict.Channels[0].Convert.Strict = true
	if err := w.gateway.Apply(&strict); err != nil {
		t.Fatal(err)
	}
	if resp := w.post("/v1/chat/completions", `{"model":"m","seed":7,"messages":[{"role":"user","content":"hello"}]}`); resp.StatusCode != 400 {
		t.Errorf("strict: got %d", resp.StatusCode)
	}
}
