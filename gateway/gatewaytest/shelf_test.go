package gatewaytest

import (
	"fmt"
	"strings"
	"testing"

	"octopus/codec/llm"
)

// idOf returns the id that an answer begins with.
func idOf(t *testing.T, answer string) string {
	t.Helper()
	id := decoded(member([]byte(answer), "id"))
	if id == "" {
		t.Fatalf("no id in %s", answer)
	}
	return id
}

func TestResponsesAreStored(t *testing.T) {
	p := start(t, Options{Validate: true})
	first := fetch(t, p, question{protocol: llm.Responses, body: `{"model":"m","input":"` + strings.Repeat("x", 400) + `"}`})
	id := idOf(t, first.body)
	if got := fetch(t, p, question{path: "/v1/responses/" + id, body: "GET"}); got.body != first.body || got.status != 200 {
		t.Errorf("stored\n%d %s\nwant\n%s", got.status, got.body, first.body)
	}
	second := fetch(t, p, question{protocol: llm.Responses, body: `{"model":"m","previous_response_id":"` + id + `"}`})
	contains(t, second.body, `"previous_response_id":"`+id+`"`, "You wrote: xxxxxxxx")
	said := len("I am Octopus's scripted provider, not a model. You wrote: ") + 400
	contains(t, second.body, fmt.Sprintf(`"input_tokens":%d,`, 8+(400+said)/4))
	third := fetch(t, p, question{protocol: llm.Responses,
		body: `{"model":"m","stream":true,"store":true,"previous_response_id":"` + idOf(t, second.body) + `","input":"again"}`})
	contains(t, third.body, "You wrote: again")

	request := fmt.Appendf(nil, "DELETE /v1/responses/%s HTTP/1.1\r\nHost: p\r\nAuthorization: Bearer k\r\n\r\n", id)
	c := dial(t, p)
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	if status := c.response().StatusCode; status != 200 {
		t.Errorf("deleting: %d, want 200", status)
	}
	gone := fetch(t, p, question{path: "/v1/responses/" + id, body: "GET"})
	if gone.status != 404 || !strings.Contains(gone.body, "not found") {
		t.Errorf("deleted, but %d %s", gone.status, gone.body)
	}
	after := fetch(t, p, question{protocol: llm.Responses, body: `{"model":"m","input":"x","previous_response_id":"` + id + `"}`})
	if after.status != 400 || !strings.Contains(after.body, "previous_response_not_found") {
		t.Errorf("continued a deleted response: %d %s", after.status, after.body)
	}
}

func TestResponsesAreNotStored(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		more    string
	}{
		"unless the client wants it": {Options{}, `,"store":false`},
		"without a log":              {Options{NoLog: true}, ``},
	} {
		p := start(t, c.options)
		id := idOf(t, fetch(t, p, question{protocol: llm.Responses, body: `{"model":"m","input":"x"` + c.more + `}`}).body)
		if got := fetch(t, p, question{path: "/v1/responses/" + id, body: "GET"}); got.status != 404 {
			t.Errorf("%s: %d, want 404", name, got.status)
		}
	}
	p := start(t, Options{})
	id := idOf(t, fetch(t, p, question{protocol: llm.Responses, body: `{"model":"m","input":"x"}`}).body)
	p.Reset()
	if got := fetch(t, p, question{path: "/v1/responses/" + id, body: "GET"}); got.status != 404 {
		t.Errorf("behind Reset: %d, want 404", got.status)
	}
}

func TestShelfKeepsTheNewest(t *testing.T) {
	var s shelf
	for i := range maxStored + 3 {
		id := fmt.Sprint("resp_", i)
		s.put(newStored(id, []byte(`{"input":"x"}`), fmt.Appendf(nil, `{"output":[{"id":"msg_%d"}]}`, i), nil))
	}
	for i, want := range map[int]bool{0: false, 2: false, 3: true, maxStored + 2: true} {
		if got := s.find(fmt.Sprint("resp_", i)) != nil; got != want {
			t.Errorf("response %d is there: %v, want %v", i, got, want)
		}
		if got := s.item(fmt.Sprint("msg_", i)) != nil; got != want {
			t.Errorf("item %d is there: %v, want %v", i, got, want)
		}
	}
	if len(s.order) != maxStored {
		t.Errorf("%d ids are kept in order, want %d", len(s.order), maxStored)
	}
}

func TestReferencesCount(t *testing.T) {
	p := start(t, Options{})
	first := fetch(t, p, question{protocol: llm.Responses, body: `{"model":"m!reasoning=2,tokens=2","input":"x"}`}).body
	id := decoded(member(member([]byte(first), "output")[1:], "id"))
	got := fetch(t, p, question{protocol: llm.Responses, body: `{"model":"m!remember","input":[{"type":"item_reference","id":"` + id +
		`"},{"role":"user","content":"y"}]}`}).body
	contains(t, got, "You wrote: y. I remember 1 thoughts.")
}
