package sdktest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func openaiClient(more ...option.RequestOption) openai.Client {
	ours := []option.RequestOption{option.WithBaseURL(origin + "/v1"), option.WithAPIKey(demoKey), option.WithMaxRetries(0)}
	return openai.NewClient(append(ours, more...)...)
}

func chatParams(model, message string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(message)},
	}
}

func chatTools() []openai.ChatCompletionToolUnionParam {
	return []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
		Name:       toolName,
		Parameters: openai.FunctionParameters{"type": "object", "properties": toolProperties},
	})}
}

// chatStream reads a stream to its end.
func chatStream(ctx context.Context, params openai.ChatCompletionNewParams) (*openai.ChatCompletionAccumulator, error) {
	client := openaiClient()
	stream := client.Chat.Completions.NewStreaming(ctx, params)
	defer stream.Close()
	answer := new(openai.ChatCompletionAccumulator)
	for stream.Next() {
		if !answer.AddChunk(stream.Current()) {
			return answer, errors.New("the accumulator refused a chunk: " + stream.Current().RawJSON())
		}
	}
	return answer, stream.Err()
}

func TestChat(t *testing.T) {
	client := openaiClient()
	answer, err := client.Chat.Completions.New(t.Context(), chatParams("demo", "Hello"))
	if err != nil {
		t.Fatal(err)
	}
	checkText(t, answer.Choices[0].Message.Content, said("Hello", 0))
	checkUsage(t, answer.Usage.PromptTokens, answer.Usage.CompletionTokens)
	if got := answer.Choices[0].FinishReason; got != "stop" {
		t.Errorf("finish reason %q, want stop", got)
	}
}

func TestChatStream(t *testing.T) {
	params := chatParams("demo", "Hello")
	answer, err := chatStream(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	checkText(t, answer.Choices[0].Message.Content, said("Hello", 0))
	if answer.Usage.TotalTokens != 0 {
		t.Errorf("usage %+v, want none: it was not asked for", answer.Usage)
	}

	params.StreamOptions.IncludeUsage = openai.Bool(true)
	if answer, err = chatStream(t.Context(), params); err != nil {
		t.Fatal(err)
	}
	checkText(t, answer.Choices[0].Message.Content, said("Hello", 0))
	checkUsage(t, answer.Usage.PromptTokens, answer.Usage.CompletionTokens)
}

func TestChatTools(t *testing.T) {
	params := chatParams(scripted("chat", "calls=3"), "Hello")
	params.Tools = chatTools()
	client := openaiClient()
	whole, err := client.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	streamed, err := chatStream(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]*openai.ChatCompletion{"whole": whole, "streamed": &streamed.ChatCompletion} {
		calls := answer.Choices[0].Message.ToolCalls
		if len(calls) != 3 || answer.Choices[0].FinishReason != "tool_calls" {
			t.Fatalf("%s: %d calls and finish reason %q, want 3 and tool_calls", name, len(calls), answer.Choices[0].FinishReason)
		}
		for i, call := range calls {
			if call.ID == "" || call.Function.Name != toolName || call.Function.Arguments != toolArguments {
				t.Errorf("%s: call %d is %+v, want %s(%s)", name, i, call, toolName, toolArguments)
			}
		}
	}
}

// checkOpenAIError checks an error of one of OpenAI's protocols.
func checkOpenAIError(t *testing.T, err error, status int, code, message string) {
	t.Helper()
	var e *openai.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want one of the API", err)
	}
	if e.StatusCode != status || e.Code != code || !strings.Contains(e.Message, message) {
		t.Errorf("status %d, code %q, message %q; want %d, %q and %q", e.StatusCode, e.Code, e.Message, status, code, message)
	}
	if e.Response.Header.Get("X-Request-Id") == "" {
		t.Error("the error has no request id")
	}
}

func TestChatErrors(t *testing.T) {
	client, stranger := openaiClient(), openaiClient(option.WithAPIKey("sk-octopus-unknown-0123456789"))
	_, err := client.Chat.Completions.New(t.Context(), chatParams("no-such-model", "Hello"))
	checkOpenAIError(t, err, 404, "model_not_found", "no-such-model")
	_, err = chatStream(t.Context(), chatParams("no-such-model", "Hello"))
	checkOpenAIError(t, err, 404, "model_not_found", "no-such-model")
	_, err = stranger.Chat.Completions.New(t.Context(), chatParams("demo", "Hello"))
	checkOpenAIError(t, err, 401, "invalid_api_key", "API key")
	_, err = client.Chat.Completions.New(t.Context(), chatParams(scripted("chat", "status=429,retry_after=7"), "Hello"))
	checkOpenAIError(t, err, 429, "rate_limit_exceeded", "rate")
	_, err = client.Chat.Completions.New(t.Context(), chatParams(scripted("chat", "status=503"), "Hello"))
	checkOpenAIError(t, err, 503, "overloaded", "overloaded")
	tooLong := chatParams(scripted("chat", "status=400,code=context_length_exceeded"), "Hello")
	_, err = client.Chat.Completions.New(t.Context(), tooLong)
	checkOpenAIError(t, err, 400, "context_length_exceeded", "maximum context length")

	answer, err := chatStream(t.Context(), chatParams(scripted("chat", "tokens=60,cut=40"), "Hello"))
	if err == nil {
		t.Error("a cut stream ended without an error")
	}
	checkText(t, answer.Choices[0].Message.Content, said("Hello", 40))
}

func TestChatFailover(t *testing.T) {
	answer, err := chatStream(t.Context(), chatParams("demo-failover", "Hello"))
	if err != nil {
		t.Fatal(err)
	}
	checkText(t, answer.Choices[0].Message.Content, said("Hello", 0))
}
