package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/config"
)

// emptyMemory finds something empty under every key.
type emptyMemory struct{}

func (emptyMemory) Find(string) []byte  { return []byte{} }
func (emptyMemory) Keep(string, []byte) {}
func (emptyMemory) Drop(string)         {}

func TestEmptyRecordIsNone(t *testing.T) {
	w := newWorld(t, 1, speaking(llm.Chat))
	w.gateway.memory = emptyMemory{}
	if status, body := w.request(http.MethodGet, "/v1/responses/resp_1"); status != 404 {
		t.Errorf("got %d, %s", status, body)
	}
	if status, _, body := w.respond(`{"model":"m","input":"two","previous_response_id":"resp_1"}`); status != 404 {
		t.Errorf("a request that goes on from it: got %d, %s", status, body)
	}
}

func TestIDsThatCouldSplitARequestAreNotRemembered(t *testing.T) {
	for id, kept := range map[string]bool{"resp_1-A": true, "resp 1": false, "resp_1\r\nX: y": false, "resp/1": false, "resp?a": false} {
		inBubble(t, func(t *testing.T) {
			w := newBubble(t, nil, answering(0, withHead(200, fmt.Sprintf(`{"id":%q,"object":"response","status":"completed","model":"x","output":[]}`, id))))
			if status, body := w.call(llm.Responses, false); status != 200 || !strings.Contains(body, `"completed"`) {
				t.Fatalf("got %d, %s", status, body)
			}
			if found := w.gateway.memory.Find(responseKey+"apikey000001/"+id) != nil; found != kept {
				t.Errorf("%q: kept %v, want %v", id, found, kept)
			}
		})
	}
}

func TestThreadStaysOnItsChannel(t *testing.T) {
	const beta = "message-threads-2026-08-12"
	w := newWorld(t, 4, func(c *config.Config) {
		c.Groups[0].Mode = config.ModeRoundRobin
		c.Channels[3].Endpoints = []config.Endpoint{{Protocol: llm.Chat, BaseURL: c.Channels[3].Endpoints[0].BaseURL}}
	})
	turn := func(thread string, stream bool) (status int, id, body string) {
		t.Helper()
		resp := w.post("/v1/messages", fmt.Sprintf(`{"model":"m","max_tokens":50,"stream":%v,"messages":[{"role":"user","content":"hi"}]%s}`, stream, thread),
			"anthropic-version", "2026-10-21", "anthropic-beta", beta)
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(raw), `"id":"`)
		id, _, _ = strings.Cut(rest, `"`)
		return resp.StatusCode, id, string(raw)
	}
	for _, stream := range []bool{false, true} {
		w.script("")
		status, id, body := turn(`,"thread":{"type":"create"}`, stream)
		if status != 200 {
			t.Fatalf("got %d, %s", status, body)
		}
		for range 5 {
			if status, id, body = turn(`,"thread":{"type":"continue","previous_message_id":"`+id+`"}`, stream); status != 200 {
				t.Fatalf("got %d, %s", status, body)
			}
		}
		pinned := 0
		for i, p := range w.providers {
			log := p.Requests()
			if len(log) > 0 {
				pinned = i
			}
			if len(log) != 0 && len(log) != 6 {
				t.Errorf("provider %d got %d of 6 turns", i+1, len(log))
			}
			for _, x := range log {
				if x.Header.Get("Anthropic-Beta") != beta || !strings.Contains(string(x.Body), `"thread":{`) {
					t.Errorf("provider %d got %v, %s", i+1, x.Header, x.Body)
				}
			}
		}
		next := *w.config
		next.Channels = append([]config.Channel(nil), w.config.Channels...)
		next.Channels[pinned].Enabled = false
		if err := w.gateway.Apply(&next); err != nil {
			t.Fatal(err)
		}
		status, _, body = turn(`,"thread":{"type":"continue","previous_message_id":"`+id+`"}`, stream)
		if status != 404 || !strings.Contains(body, `"details":{"error_code":"thread_not_found"}`) {
			t.Errorf("without the channel: got %d, %s", status, body)
		}
		if err := w.gateway.Apply(w.config); err != nil {
			t.Fatal(err)
		}
	}
	// Answers outside threads are not remembered.
	_, id, _ := turn("", false)
	if found := w.gateway.memory.Find(threadKey + "apikey000001/" + id); found != nil {
		t.Errorf("a message of no thread is kept: %s", found)
	}
	chat := newWorld(t, 1, speaking(llm.Chat))
	w = chat
	status, _, body := turn(`,"thread":{"type":"create"}`, false)
	if status != 400 || !strings.Contains(body, `"details":{"error_code":"thread_unsupported_request","unsupported":["thread"]}`) {
		t.Errorf("on a Chat upstream: got %d, %s", status, body)
	}
}
