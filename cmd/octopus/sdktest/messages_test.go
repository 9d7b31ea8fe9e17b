package sdktest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

func anthropicClient(more ...option.RequestOption) anthropic.Client {
	ours := []option.RequestOption{option.WithBaseURL(origin), option.WithAPIKey(demoKey), option.WithMaxRetries(0)}
	return anthropic.NewClient(append(ours, more...)...)
}

func messagesParams(model, message string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model:     model,
		MaxTokens: 1024,
		Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(message))},
	}
}

// messagesStream reads a stream to its end.
func messagesStream(ctx context.Context, params anthropic.MessageNewParams) (*anthropic.Message, error) {
	client := anthropicClient()
	stream := client.Messages.NewStreaming(ctx, params)
	defer stream.Close()
	answer := new(anthropic.Message)
	for stream.Next() {
		if err := answer.Accumulate(stream.Current()); err != nil {
			return answer, err
		}
	}
	return answer, stream.Err()
}

func checkMessage(t *testing.T, answer *anthropic.Message) {
	t.Helper()
	if len(answer.Content) != 1 || answer.StopReason != "end_turn" {
		t.Fatalf("%d blocks and stop reason %q, want 1 and end_turn", len(answer.Content), answer.StopReason)
	}
	checkText(t, answer.Content[0].Text, said("Hello", 0))
	checkUsage(t, answer.Usage.InputTokens, answer.Usage.OutputTokens)
}

func TestMessages(t *testing.T) {
	client := anthropicClient()
	answer, err := client.Messages.New(t.Context(), messagesParams("demo", "Hello"))
	if err != nil {
		t.Fatal(err)
	}
	checkMessage(t, answer)
}

func TestMessagesWithBearerToken(t *testing.T) {
	client := anthropic.NewClient(option.WithBaseURL(origin), option.WithAuthToken(demoKey), option.WithMaxRetries(0))
	answer, err := client.Messages.New(t.Context(), messagesParams("demo", "Hello"))
	if err != nil {
		t.Fatal(err)
	}
	checkMessage(t, answer)
}

func TestMessagesStream(t *testing.T) {
	answer, err := messagesStream(t.Context(), messagesParams("demo", "Hello"))
	if err != nil {
		t.Fatal(err)
	}
	checkMessage(t, answer)
}

func TestMessagesTools(t *testing.T) {
	params := messagesParams(scripted("messages", "tokens=3,calls=3"), "Hello")
	params.Tools = []anthropic.ToolUnionParam{
		anthropic.ToolUnionParamOfTool(anthropic.ToolInputSchemaParam{Properties: toolProperties}, toolName),
	}
	client := anthropicClient()
	whole, err := client.Messages.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	streamed, err := messagesStream(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]*anthropic.Message{"whole": whole, "streamed": streamed} {
		if len(answer.Content) != 4 || answer.StopReason != "tool_use" {
			t.Fatalf("%s: %d blocks and stop reason %q, want 4 and tool_use", name, len(answer.Content), answer.StopReason)
		}
		checkText(t, answer.Content[0].Text, said("Hello", 3))
		for i, call := range answer.Content[1:] {
			if call.ID == "" || call.Name != toolName || string(call.Input) != toolArguments {
				t.Errorf("%s: call %d is %s, want %s(%s)", name, i, call.RawJSON(), toolName, toolArguments)
			}
		}
	}
}

func TestMessagesTokensAreCounted(t *testing.T) {
	client := anthropicClient()
	// The provider counts where it can; on a Chat channel the gateway estimates.
	for model, counts := range map[string]func(int64) bool{
		"demo-c/scripted": func(n int64) bool { return n == helloInput },
		"demo-b/scripted": func(n int64) bool { return n == helloInput },
		"demo-a/scripted": func(n int64) bool { return n > 0 && n < 20 },
	} {
		counted, err := client.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{
			Model:    anthropic.Model(model),
			Messages: messagesParams("demo", "Hello").Messages,
		})
		if err != nil {
			t.Fatal(err)
		}
		if !counts(counted.InputTokens) {
			t.Errorf("%s: %d tokens", model, counted.InputTokens)
		}
	}
}

// checkAnthropicError checks an error of the Messages protocol.
func checkAnthropicError(t *testing.T, err error, status int, kind, message string) {
	t.Helper()
	var e *anthropic.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want one of the API", err)
	}
	if e.StatusCode != status || string(e.Type()) != kind || !strings.Contains(e.RawJSON(), message) {
		t.Errorf("status %d, type %q, body %s; want %d, %q and %q", e.StatusCode, e.Type(), e.RawJSON(), status, kind, message)
	}
	if e.RequestID == "" {
		t.Error("the error has no request id")
	}
}

func TestMessagesErrors(t *testing.T) {
	client, stranger := anthropicClient(), anthropicClient(option.WithAPIKey("sk-octopus-unknown-0123456789"))
	_, err := client.Messages.New(t.Context(), messagesParams("no-such-model", "Hello"))
	checkAnthropicError(t, err, 404, "not_found_error", "no-such-model")
	_, err = messagesStream(t.Context(), messagesParams("no-such-model", "Hello"))
	checkAnthropicError(t, err, 404, "not_found_error", "no-such-model")
	_, err = stranger.Messages.New(t.Context(), messagesParams("demo", "Hello"))
	checkAnthropicError(t, err, 401, "authentication_error", "API key")
	_, err = client.Messages.New(t.Context(), messagesParams(scripted("messages", "status=429"), "Hello"))
	checkAnthropicError(t, err, 429, "rate_limit_error", "rate")
	_, err = client.Messages.New(t.Context(), messagesParams(scripted("messages", "status=503"), "Hello"))
	checkAnthropicError(t, err, 529, "overloaded_error", "overloaded")

	answer, err := messagesStream(t.Context(), messagesParams(scripted("messages", "tokens=60,cut=40"), "Hello"))
	if err == nil {
		t.Error("a cut stream ended without an error")
	}
	if len(answer.Content) != 1 {
		t.Fatalf("%d blocks before the cut, want 1", len(answer.Content))
	}
	checkText(t, answer.Content[0].Text, said("Hello", 40))
}
