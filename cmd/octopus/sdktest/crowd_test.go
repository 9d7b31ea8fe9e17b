package sdktest

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

// TestTwoHundredStreamsAtOnce opens 200 streams over all protocols, each with a text of its own.
func TestTwoHundredStreamsAtOnce(t *testing.T) {
	const streams, tokens = 200, 60
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	model := fmt.Sprintf("demo-b/scripted!tokens=%d,every=20ms", tokens)
	read := []func(message string) (string, error){
		func(message string) (string, error) {
			answer, err := chatStream(ctx, chatParams(model, message))
			if err != nil {
				return "", err
			}
			return answer.Choices[0].Message.Content, nil
		},
		func(message string) (string, error) {
			answer, _, err := responsesStream(ctx, responsesParams(model, message))
			if err != nil {
				return "", err
			}
			return answer.OutputText(), nil
		},
		func(message string) (string, error) {
			answer, err := messagesStream(ctx, messagesParams(model, message))
			if err != nil {
				return "", err
			}
			return answer.Content[0].Text, nil
		},
	}
	var clients sync.WaitGroup
	for i := range streams {
		clients.Go(func() {
			message := fmt.Sprintf("stream %d of %d", i, streams)
			got, err := read[i%len(read)](message)
			if want := said(message, tokens); err != nil || got != want {
				t.Errorf("stream %d: %v, text %q, want %q", i, err, got, want)
			}
		})
	}
	clients.Wait()
}
