package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"octopus/codec/llm"
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
