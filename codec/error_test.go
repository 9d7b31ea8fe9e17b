package codec

import (
	"encoding/json"
	"testing"

	"octopus/codec/llm"
)

// TestErrorTable is protocols.md A.9, row by row.
func TestErrorTable(t *testing.T) {
	f := func(kind llm.ErrorKind, openAI int, openAIType, code string, anthropic int, anthropicType string) {
		t.Helper()
		t.Run(kindNames[kind], func(t *testing.T) {
			e := &llm.Error{Kind: kind, Message: "prompt is too long: the maximum context length is <x>"}
			for _, p := range []llm.Protocol{llm.Chat, llm.Responses, 0} {
				checkOpenAI(t, p, e, openAI, openAIType, code)
			}
			checkAnthropic(t, e, anthropic, anthropicType)
		})
	}
	f(llm.Internal, 500, "server_error", "", 500, "api_error")
	f(llm.InvalidRequest, 400, "invalid_request_error", "", 400, "invalid_request_error")
	f(llm.ContextLength, 400, "invalid_request_error", "context_length_exceeded", 400, "invalid_request_error")
	f(llm.ContentPolicy, 400, "invalid_request_error", "content_policy_violation", 400, "invalid_request_error")
	f(llm.ForeignPart, 400, "invalid_request_error", "", 400, "invalid_request_error")
	f(llm.Authentication, 401, "invalid_request_error", "invalid_api_key", 401, "authentication_error")
	f(llm.Permission, 403, "invalid_request_error", "permission_denied", 403, "permission_error")
	f(llm.Billing, 429, "insufficient_quota", "insufficient_quota", 402, "billing_error")
	f(llm.NotFound, 404, "invalid_request_error", "model_not_found", 404, "not_found_error")
	f(llm.Method, 405, "invalid_request_error", "method_not_allowed", 405, "invalid_request_error")
	f(llm.Conflict, 409, "invalid_request_error", "", 409, "invalid_request_error")
	f(llm.TooLarge, 413, "invalid_request_error", "request_too_large", 413, "request_too_large")
	f(llm.HeaderTooLarge, 431, "invalid_request_error", "request_headers_too_large", 431, "invalid_request_error")
	f(llm.MediaType, 415, "invalid_request_error", "unsupported_media_type", 415, "invalid_request_error")
	f(llm.RateLimit, 429, "rate_limit_error", "rate_limit_exceeded", 429, "rate_limit_error")
	f(llm.Upstream, 502, "server_error", "upstream_error", 502, "api_error")
	f(llm.Timeout, 504, "server_error", "upstream_timeout", 504, "timeout_error")
	f(llm.Overloaded, 503, "server_error", "overloaded", 529, "overloaded_error")
	f(llm.Unavailable, 503, "server_error", "unavailable", 503, "overloaded_error")
	f(llm.ForeignPart+1, 500, "server_error", "", 500, "api_error")
}

func checkOpenAI(t *testing.T, p llm.Protocol, e *llm.Error, status int, typ, code string) {
	t.Helper()
	if got := ErrorStatus(p, e); got != status {
		t.Errorf("protocol %v: status %d, want %d", p, got, status)
	}
	var got struct {
		Error struct {
			Message, Type string
			Param, Code   *string
		}
	}
	body := AppendErrorBody(nil, p, e, "req_1")
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if got.Error.Message != e.Message || got.Error.Type != typ || got.Error.Param != nil {
		t.Errorf("protocol %v: got %s", p, body)
	}
	if (got.Error.Code == nil) != (code == "") || got.Error.Code != nil && *got.Error.Code != code {
		t.Errorf("protocol %v: got %s, want the code %q", p, body, code)
	}
}

func checkAnthropic(t *testing.T, e *llm.Error, status int, typ string) {
	t.Helper()
	if got := ErrorStatus(llm.Messages, e); got != status {
		t.Errorf("Messages: status %d, want %d", got, status)
	}
	var got struct {
		Type      string
		Error     struct{ Type, Message string }
		RequestID string `json:"request_id"`
	}
	body := AppendErrorBody(nil, llm.Messages, e, "req_1")
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if got.Type != "error" || got.Error.Type != typ || got.Error.Message != e.Message || got.RequestID != "req_1" {
		t.Errorf("Messages: got %s, want the type %q", body, typ)
	}
}

func TestErrorBodies(t *testing.T) {
	f := func(name string, p llm.Protocol, e *llm.Error, wantStatus int, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			if got := string(AppendErrorBody([]byte("> "), p, e, "")); got != "> "+want {
				t.Errorf("got  %s\nwant %s", got[2:], want)
			}
			if got := ErrorStatus(p, e); got != wantStatus {
				t.Errorf("status %d, want %d", got, wantStatus)
			}
		})
	}
	f("code and param", llm.Chat,
		&llm.Error{Kind: llm.InvalidRequest, Message: `no "x"`, Code: "missing_required_parameter", Param: "model"}, 400,
		`{"error":{"message":"no \"x\"","type":"invalid_request_error","param":"model","code":"missing_required_parameter"}}`)
	f("a provider's type is not repeated", llm.Chat, &llm.Error{Kind: llm.RateLimit, Message: "m", Type: "requests"}, 429,
		`{"error":{"message":"m","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}`)
	f("no message", llm.Responses, &llm.Error{Kind: llm.Overloaded}, 503,
		`{"error":{"message":"overloaded, try again later","type":"server_error","param":null,"code":"overloaded"}}`)
	f("no message, Anthropic", llm.Messages, &llm.Error{Kind: llm.Upstream}, 502,
		`{"type":"error","error":{"type":"api_error","message":"upstream failed"}}`)
	f("a prompt that is too long, as LangChain knows it", llm.Chat,
		&llm.Error{Kind: llm.ContextLength, Message: "9000 tokens are too many"}, 400,
		`{"error":{"message":"This request exceeds the model's maximum context length: 9000 tokens are too many",`+
			`"type":"invalid_request_error","param":null,"code":"context_length_exceeded"}}`)
	f("a prompt that is too long, as Claude Code knows it", llm.Messages,
		&llm.Error{Kind: llm.ContextLength, Message: "the limit is 8192"}, 400,
		`{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: the limit is 8192"}}`)
	f("the same without words", llm.Messages, &llm.Error{Kind: llm.ContextLength}, 400,
		`{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long"}}`)
	upload := &llm.Error{Kind: llm.Timeout, Code: llm.CodeUploadTimeout}
	f("a slow upload", llm.Chat, upload, 408, `{"error":{"message":"the request body took too long to arrive",`+
		`"type":"invalid_request_error","param":null,"code":"request_timeout"}}`)
	f("a slow upload, Anthropic", llm.Messages, upload, 408,
		`{"type":"error","error":{"type":"timeout_error","message":"the request body took too long to arrive"}}`)
}
