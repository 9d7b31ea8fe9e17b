package sdktest

import (
	"slices"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
)

// demoModels are the groups of a demo (cmd/octopus/demo.yaml).
var demoModels = []string{"demo", "demo-failover"}

func TestModelsWithOpenAI(t *testing.T) {
	client := openaiClient()
	var got []string
	models := client.Models.ListAutoPaging(t.Context())
	for models.Next() {
		got = append(got, models.Current().ID)
	}
	slices.Sort(got)
	if models.Err() != nil || !slices.Equal(got, demoModels) {
		t.Errorf("models %v and %v, want %v", got, models.Err(), demoModels)
	}
	one, err := client.Models.Get(t.Context(), "demo")
	if err != nil || one.ID != "demo" {
		t.Errorf("model %+v and %v, want demo", one, err)
	}
	_, err = client.Models.Get(t.Context(), "no-such-model")
	checkOpenAIError(t, err, 404, "model_not_found", "no-such-model")
}

func TestModelsWithAnthropic(t *testing.T) {
	client := anthropicClient()
	var got []string
	models := client.Models.ListAutoPaging(t.Context(), anthropic.ModelListParams{Limit: anthropic.Int(1)})
	for models.Next() {
		got = append(got, models.Current().ID)
	}
	slices.Sort(got)
	if models.Err() != nil || !slices.Equal(got, demoModels) {
		t.Errorf("models %v and %v, want %v", got, models.Err(), demoModels)
	}
	one, err := client.Models.Get(t.Context(), "demo", anthropic.ModelGetParams{})
	if err != nil || one.ID != "demo" || one.DisplayName == "" {
		t.Errorf("model %+v and %v, want demo", one, err)
	}
	_, err = client.Models.Get(t.Context(), "no-such-model", anthropic.ModelGetParams{})
	checkAnthropicError(t, err, 404, "not_found_error", "no-such-model")
}
