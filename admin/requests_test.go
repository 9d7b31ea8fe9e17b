package admin

import (
	"net/netip"
	"testing"
	"time"

	"octopus/codec/llm"
)

func TestRunningRequestsAreListedOldestFirst(t *testing.T) {
	now := time.Now()
	p := openWithToken(t, Options{Requests: func() []RunningRequest {
		return []RunningRequest{
			{ID: "req_2", Start: now, Protocol: llm.Messages, Requested: "fast"},
			{ID: "req_1", Start: now.Add(-time.Minute), Protocol: llm.Chat, Stream: true, Requested: "fast", Group: "fast", APIKeyID: "p1",
				APIKeyName: "ci", Client: netip.MustParseAddr("10.0.0.1"), Attempts: 2, Channel: "north", Key: "k1", Model: "m", Answering: true},
		}
	}})
	var got list[running]
	p.ask(t, "/api/v1/requests", &got)
	if len(got.Items) != 2 || got.Items[0].ID != "req_1" || got.Items[1].ID != "req_2" {
		t.Fatalf("got %+v", got.Items)
	}
	old, young := got.Items[0], got.Items[1]
	if old.AgeMS < 60_000 || old.AgeMS > 120_000 || old.Protocol != "openai-chat" || !old.Stream || *old.Group != "fast" || *old.APIKeyName != "ci" ||
		*old.Client != "10.0.0.1" || old.Attempts != 2 || *old.Channel != "north" || *old.KeyID != "k1" || *old.Model != "m" || !old.Answering {
		t.Errorf("the old one is %+v", old)
	}
	if young.Group != nil || young.Client != nil || young.Channel != nil || young.Answering {
		t.Errorf("the young one is %+v", young)
	}
	var first list[running]
	if p.ask(t, "/api/v1/requests?limit=1", &first); len(first.Items) != 1 || first.NextCursor == nil {
		t.Errorf("the first page is %+v", first)
	}
}
