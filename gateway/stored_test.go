package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// TestStoredResponseIsStreamedAgain reads a response that is still running: its events come one by one, those that are asked for.
func TestStoredResponseIsStreamedAgain(t *testing.T) {
	response := func(status string) string {
		return `{"id":"resp_1","object":"response","status":"` + status + `","model":"x","output":[],"usage":{"input_tokens":5,"output_tokens":9,"total_tokens":14}}`
	}
	goOn := make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	var broken atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodPost {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, response("completed"))
			return
		}
		if got := r.URL.RequestURI(); got != "/v1/responses/resp_1?stream=true&starting_after=3" || r.Header.Get("Accept") != "text/event-stream" {
			t.Errorf("the provider was asked for %s, %v", got, r.Header)
		}
		if broken.CompareAndSwap(true, false) {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"type\":\"response.output_text.delta\",\"sequence_number\":4,\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\"more\"}\n\n")
		w.(http.Flusher).Flush()
		<-goOn
		_, _ = io.WriteString(w, "data: {\"type\":\"response.completed\",\"sequence_number\":5,\"response\":"+response("completed")+"}\n\n")
	}))
	t.Cleanup(server.Close)
	t.Cleanup(release) // which Close would wait for
	w := newWorld(t, 1, func(c *config.Config) {
		speaking(llm.Responses)(c)
		c.Channels[0].Endpoints[0].BaseURL = server.URL + "/v1"
	})
	if status, _, body := w.respond(`{"model":"m","input":"one","background":true}`); status != 200 {
		t.Fatalf("got %d, %s", status, body)
	}
	row := w.script("")
	broken.Store(true) // the first attempt fails
	req, err := http.NewRequest(http.MethodGet, w.url+"/v1/responses/resp_1?stream=true&starting_after=3", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := bufio.NewReader(resp.Body)
	line, err := answer.ReadString('\n') // while the response goes on
	if err != nil || resp.StatusCode != 200 || !strings.Contains(line, `"more"`) || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("got %d, %v, %s, %v", resp.StatusCode, resp.Header, line, err)
	}
	release()
	if rest, err := io.ReadAll(answer); err != nil || !strings.Contains(string(rest), "response.completed") {
		t.Errorf("got %s, %v", rest, err)
	}
	if o := w.ledger.wait(t, row); o.Class != outcome.ClassNone || !o.Stream || o.Usage != (llm.Usage{}) {
		t.Errorf("a response is billed once: %+v", o)
	}
}

func TestEventsOfRememberedResponsesAreNotThere(t *testing.T) {
	w := newWorld(t, 1, speaking(llm.Chat))
	_, id, _ := w.respond(`{"model":"m","input":"one"}`)
	for query, status := range map[string]int{
		"": 200, "?stream=false": 200, "?include[]=reasoning.encrypted_content": 200, "?stream=true": 400, "?starting_after=2": 400,
	} {
		got, body := w.request(http.MethodGet, "/v1/responses/"+id+query)
		name := strings.Trim(strings.Split(query+"=", "=")[0], "?")
		if got != status || status == 400 && !strings.Contains(body, fmt.Sprintf(`"param":%q`, name)) {
			t.Errorf("%s: got %d, %s", query, got, body)
		}
	}
}
