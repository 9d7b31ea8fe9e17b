package sdktest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
)

func responsesParams(model, message string) responses.ResponseNewParams {
	return responses.ResponseNewParams{
		Model: model,
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(message)},
	}
}

// responsesStream reads a stream to its end and returns the response of its last event, and the text of the others.
func responsesStream(ctx context.Context, params responses.ResponseNewParams) (*responses.Response, string, error) {
	client := openaiClient()
	stream := client.Responses.NewStreaming(ctx, params)
	defer stream.Close()
	var text strings.Builder
	var last *responses.Response
	for number := int64(0); stream.Next(); number++ {
		event := stream.Current()
		if event.SequenceNumber != number {
			return nil, "", fmt.Errorf("event %s has number %d, want %d", event.Type, event.SequenceNumber, number)
		}
		switch event.Type {
		case "response.output_text.delta":
			text.WriteString(event.Delta)
		case "response.completed", "response.failed", "response.incomplete":
			last = &event.Response
		}
	}
	if stream.Err() == nil && last == nil {
		return nil, text.String(), fmt.Errorf("the stream has no last event")
	}
	return last, text.String(), stream.Err()
}

func TestResponses(t *testing.T) {
	client := openaiClient()
	answer, err := client.Responses.New(t.Context(), responsesParams("demo", "Hello"))
	if err != nil {
		t.Fatal(err)
	}
	checkText(t, answer.OutputText(), said("Hello", 0))
	checkUsage(t, answer.Usage.InputTokens, answer.Usage.OutputTokens)
	if answer.Status != "completed" {
		t.Errorf("status %q, want completed", answer.Status)
	}
}

func TestResponsesStream(t *testing.T) {
	answer, text, err := responsesStream(t.Context(), responsesParams("demo", "Hello"))
	if err != nil {
		t.Fatal(err)
	}
	checkText(t, text, said("Hello", 0))
	checkText(t, answer.OutputText(), said("Hello", 0))
	checkUsage(t, answer.Usage.InputTokens, answer.Usage.OutputTokens)
}

func TestResponsesTools(t *testing.T) {
	params := responsesParams(scripted("responses", "calls=3"), "Hello")
	params.Tools = []responses.ToolUnionParam{{OfFunction: &responses.FunctionToolParam{
		Name:       toolName,
		Parameters: map[string]any{"type": "object", "properties": toolProperties},
	}}}
	client := openaiClient()
	whole, err := client.Responses.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	streamed, _, err := responsesStream(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]*responses.Response{"whole": whole, "streamed": streamed} {
		if len(answer.Output) != 3 {
			t.Fatalf("%s: %d items, want 3 calls", name, len(answer.Output))
		}
		for i := range answer.Output {
			call := answer.Output[i].AsFunctionCall()
			if call.CallID == "" || call.Name != toolName || call.Arguments != toolArguments {
				t.Errorf("%s: item %d is %s, want %s(%s)", name, i, call.RawJSON(), toolName, toolArguments)
			}
		}
	}
}

func TestResponsesErrors(t *testing.T) {
	client, stranger := openaiClient(), openaiClient(option.WithAPIKey("sk-octopus-unknown-0123456789"))
	_, err := client.Responses.New(t.Context(), responsesParams("no-such-model", "Hello"))
	checkOpenAIError(t, err, 404, "model_not_found", "no-such-model")
	_, _, err = responsesStream(t.Context(), responsesParams("no-such-model", "Hello"))
	checkOpenAIError(t, err, 404, "model_not_found", "no-such-model")
	_, err = stranger.Responses.New(t.Context(), responsesParams("demo", "Hello"))
	checkOpenAIError(t, err, 401, "invalid_api_key", "API key")
	_, err = client.Responses.New(t.Context(), responsesParams(scripted("responses", "status=429"), "Hello"))
	checkOpenAIError(t, err, 429, "rate_limit_exceeded", "rate")

	answer, text, err := responsesStream(t.Context(), responsesParams(scripted("responses", "tokens=60,cut=40"), "Hello"))
	if err != nil || answer.Status != "failed" || answer.Error.Message == "" {
		t.Errorf("a cut stream ended with %+v and %v, want status failed and why", answer, err)
	}
	checkText(t, text, said("Hello", 40))
}
