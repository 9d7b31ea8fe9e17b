package sdktest

import (
	"errors"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
)

// toldByTools is what the provider says when its two calls are answered.
const toldByTools = "I am Octopus's scripted provider, not a model. Your tools said: sunny | rainy"

// cutDirectives end a stream after 40 tokens, slowly enough that they have arrived by then.
const cutDirectives = "tokens=60,cut=40,every=5ms"

// forecasts are what the calls are answered with.
var forecasts = []string{"sunny", "rainy"}

// overOthers runs a test over the channels that speak another protocol than the client.
func overOthers(t *testing.T, own string, test func(t *testing.T, protocol string)) {
	for protocol := range channels {
		if protocol != own {
			t.Run("over "+protocol, func(t *testing.T) { test(t, protocol) })
		}
	}
}

// checkRefused checks that a field was refused by name.
func checkRefused(t *testing.T, err error, field string) {
	t.Helper()
	var e *openai.Error
	if !errors.As(err, &e) || e.StatusCode != 400 || e.Param != field || !strings.Contains(e.Message, "`"+field+"`") {
		t.Errorf("error %v, want 400 and %s", err, field)
	}
}

func TestConvertedChat(t *testing.T) {
	overOthers(t, "chat", func(t *testing.T, protocol string) {
		client := openaiClient()
		params := chatParams(scripted(protocol, ""), "Hello")
		whole, err := client.Chat.Completions.New(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		params.StreamOptions.IncludeUsage = openai.Bool(true)
		streamed, err := chatStream(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		for _, answer := range []*openai.ChatCompletion{whole, &streamed.ChatCompletion} {
			checkText(t, answer.Choices[0].Message.Content, said("Hello", 0))
			checkUsage(t, answer.Usage.PromptTokens, answer.Usage.CompletionTokens)
			if got := answer.Choices[0].FinishReason; got != "stop" {
				t.Errorf("finish reason %q, want stop", got)
			}
		}
	})
}

func TestConvertedChatTools(t *testing.T) {
	overOthers(t, "chat", func(t *testing.T, protocol string) {
		params := chatParams(scripted(protocol, "reasoning=3,calls=2,rounds=1"), "Hello")
		params.Tools = chatTools()
		first, err := chatStream(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		message := first.Choices[0].Message
		if len(message.ToolCalls) != 2 || first.Choices[0].FinishReason != "tool_calls" {
			t.Fatalf("%d calls and finish reason %q, want 2 and tool_calls", len(message.ToolCalls), first.Choices[0].FinishReason)
		}
		params.Messages = append(params.Messages, message.ToParam())
		for i, call := range message.ToolCalls {
			if call.Function.Name != toolName || call.Function.Arguments != toolArguments {
				t.Errorf("call %d is %s, want %s(%s)", i, call.RawJSON(), toolName, toolArguments)
			}
			params.Messages = append(params.Messages, openai.ToolMessage(forecasts[i], call.ID))
		}
		client := openaiClient()
		second, err := client.Chat.Completions.New(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		checkText(t, second.Choices[0].Message.Content, toldByTools)
	})
}

func TestConvertedChatErrors(t *testing.T) {
	overOthers(t, "chat", func(t *testing.T, protocol string) {
		client := openaiClient()
		_, err := client.Chat.Completions.New(t.Context(), chatParams(scripted(protocol, "status=429"), "Hello"))
		checkOpenAIError(t, err, 429, "rate_limit_exceeded", "rate")
		tooLong := chatParams(scripted(protocol, "status=400,code=context_length_exceeded"), "Hello")
		_, err = chatStream(t.Context(), tooLong)
		checkOpenAIError(t, err, 400, "context_length_exceeded", "")
		params := chatParams(scripted(protocol, ""), "Hello")
		params.N = openai.Int(2)
		_, err = client.Chat.Completions.New(t.Context(), params)
		checkRefused(t, err, "n")

		answer, err := chatStream(t.Context(), chatParams(scripted(protocol, cutDirectives), "Hello"))
		if err == nil {
			t.Error("a cut stream ended without an error")
		}
		checkText(t, answer.Choices[0].Message.Content, said("Hello", 40))
	})
}

func TestConvertedResponses(t *testing.T) {
	overOthers(t, "responses", func(t *testing.T, protocol string) {
		client := openaiClient()
		params := responsesParams(scripted(protocol, ""), "Hello")
		whole, err := client.Responses.New(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		streamed, text, err := responsesStream(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		checkText(t, text, said("Hello", 0))
		for _, answer := range []*responses.Response{whole, streamed} {
			checkText(t, answer.OutputText(), said("Hello", 0))
			checkUsage(t, answer.Usage.InputTokens, answer.Usage.OutputTokens)
			if answer.Status != "completed" {
				t.Errorf("status %q, want completed", answer.Status)
			}
		}
	})
}

func TestConvertedResponsesTools(t *testing.T) {
	overOthers(t, "responses", func(t *testing.T, protocol string) {
		params := responsesParams(scripted(protocol, "reasoning=3,calls=2,rounds=1"), "Hello")
		params.Tools = []responses.ToolUnionParam{{OfFunction: &responses.FunctionToolParam{
			Name:       toolName,
			Parameters: map[string]any{"type": "object", "properties": toolProperties},
		}}}
		first, _, err := responsesStream(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		if len(first.Output) != 3 || first.Output[0].Type != "reasoning" {
			t.Fatalf("%d items, want reasoning and 2 calls: %s", len(first.Output), first.RawJSON())
		}
		var results responses.ResponseInputParam
		for i := range first.Output[1:] {
			call := first.Output[1+i].AsFunctionCall()
			if call.Name != toolName || call.Arguments != toolArguments {
				t.Errorf("item %d is %s, want %s(%s)", 1+i, call.RawJSON(), toolName, toolArguments)
			}
			result := responses.ResponseInputItemParamOfFunctionCallOutput(forecasts[i])
			result.OfFunctionCallOutput.CallID = openai.String(call.CallID)
			results = append(results, result)
		}
		params.PreviousResponseID = openai.String(first.ID)
		params.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: results}
		client := openaiClient()
		second, err := client.Responses.New(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		checkText(t, second.OutputText(), toldByTools)
	})
}

func TestConvertedResponsesErrors(t *testing.T) {
	overOthers(t, "responses", func(t *testing.T, protocol string) {
		client := openaiClient()
		_, err := client.Responses.New(t.Context(), responsesParams(scripted(protocol, "status=429"), "Hello"))
		checkOpenAIError(t, err, 429, "rate_limit_exceeded", "rate")
		params := responsesParams(scripted(protocol, ""), "Hello")
		params.Background = openai.Bool(true)
		_, err = client.Responses.New(t.Context(), params)
		checkRefused(t, err, "background")

		cut := responsesParams(scripted(protocol, cutDirectives), "Hello")
		answer, text, err := responsesStream(t.Context(), cut)
		if err != nil || answer.Status != "failed" || answer.Error.Message == "" {
			t.Errorf("a cut stream ended with %+v and %v, want status failed and why", answer, err)
		}
		checkText(t, text, said("Hello", 40))
	})
}

func TestConvertedMessages(t *testing.T) {
	overOthers(t, "messages", func(t *testing.T, protocol string) {
		client := anthropicClient()
		params := messagesParams(scripted(protocol, ""), "Hello")
		whole, err := client.Messages.New(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		checkMessage(t, whole)
		streamed, err := messagesStream(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		checkMessage(t, streamed)
	})
}

func TestConvertedMessagesTools(t *testing.T) {
	overOthers(t, "messages", func(t *testing.T, protocol string) {
		params := messagesParams(scripted(protocol, "reasoning=3,calls=2,rounds=1"), "Hello")
		params.Thinking = anthropic.ThinkingConfigParamUnion{OfAdaptive: &anthropic.ThinkingConfigAdaptiveParam{}}
		params.Tools = []anthropic.ToolUnionParam{
			anthropic.ToolUnionParamOfTool(anthropic.ToolInputSchemaParam{Properties: toolProperties}, toolName),
		}
		first, err := messagesStream(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		if len(first.Content) != 3 || first.Content[0].Signature == "" || first.StopReason != "tool_use" {
			t.Fatalf("%s, want signed thinking, 2 calls and tool_use", first.RawJSON())
		}
		var results []anthropic.ContentBlockParamUnion
		for i, call := range first.Content[1:] {
			if call.Name != toolName || string(call.Input) != toolArguments {
				t.Errorf("block %d is %s, want %s(%s)", 1+i, call.RawJSON(), toolName, toolArguments)
			}
			results = append(results, anthropic.NewToolResultBlock(call.ID, forecasts[i], false))
		}
		params.Messages = append(params.Messages, first.ToParam(), anthropic.NewUserMessage(results...))
		client := anthropicClient()
		second, err := client.Messages.New(t.Context(), params)
		if err != nil {
			t.Fatal(err)
		}
		checkText(t, second.Content[len(second.Content)-1].Text, toldByTools)
	})
}

func TestConvertedMessagesErrors(t *testing.T) {
	overOthers(t, "messages", func(t *testing.T, protocol string) {
		client := anthropicClient()
		_, err := client.Messages.New(t.Context(), messagesParams(scripted(protocol, "status=429"), "Hello"))
		checkAnthropicError(t, err, 429, "rate_limit_error", "rate")
		_, err = client.Messages.New(t.Context(), messagesParams(scripted(protocol, "status=503"), "Hello"))
		checkAnthropicError(t, err, 529, "overloaded_error", "overloaded")
		tooLong := messagesParams(scripted(protocol, "status=400,code=context_length_exceeded"), "Hello")
		_, err = client.Messages.New(t.Context(), tooLong)
		checkAnthropicError(t, err, 400, "invalid_request_error", "prompt is too long")
		params := messagesParams(scripted(protocol, ""), "Hello")
		params.InferenceGeo = anthropic.String("us")
		_, err = client.Messages.New(t.Context(), params)
		checkAnthropicError(t, err, 400, "invalid_request_error", "inference_geo")

		answer, err := messagesStream(t.Context(), messagesParams(scripted(protocol, cutDirectives), "Hello"))
		if err == nil || strings.Contains(err.Error(), "EOF") {
			t.Errorf("a cut stream ended with %v, want an error event", err)
		}
		checkText(t, answer.Content[0].Text, said("Hello", 40))
	})
}
