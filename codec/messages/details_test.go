package messages

import (
	"testing"

	"octopus/codec/llm"
)

func TestErrorDetails(t *testing.T) {
	e := &llm.Error{Kind: llm.InvalidRequest, Code: "thread_unsupported_request", Message: "no threads here"}
	want := `{"type":"error","error":{"type":"invalid_request_error","message":"no threads here",` +
		`"details":{"error_code":"thread_unsupported_request","unsupported":["thread"]}},"request_id":"req_1"}`
	if got := string(AppendErrorBody(nil, e, "req_1")); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	e.Code = "thread_not_found"
	if got, want := look(string(AppendErrorBody(nil, e, "")), "error details"), `{"error_code":"thread_not_found"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	e.Code = "another"
	if got := look(string(AppendErrorBody(nil, e, "")), "error details"); got != "" {
		t.Errorf("another error has details %s", got)
	}
}
