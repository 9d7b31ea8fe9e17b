package prices

import (
	"regexp"
	"strings"
)

// Providers add to the names of models: the maker (openai/gpt-5.4, anthropic.claude-…), a region (us.anthropic.claude-…),
// a date or a version (-20250929, -2025-08-07, @20250929, -v1:0, -latest, @default).
var (
	regionAndMaker = regexp.MustCompile(`^(?:(?:us|eu|apac|global|jp|au)\.)?(?:anthropic|amazon|meta|mistral|cohere|deepseek|openai|qwen)\.`)
	versionOfName  = regexp.MustCompile(`(?:[-@]20[0-9]{2}-?[01][0-9]-?[0-3][0-9]|[-@](?:latest|default)|-v[0-9]+:[0-9]+)$`)
)

// plain returns a name in lower case, without its maker, and with one spelling of version numbers.
func plain(name string) string {
	name = strings.ToLower(name)
	name = name[strings.LastIndexByte(name, '/')+1:]
	name = name[len(regionAndMaker.FindString(name)):]
	return strings.ReplaceAll(name, ".", "-")
}

// normalize returns the name under which models that are the same are found: plain, and without dates and versions of the
// interface. What stands behind a colon (OpenRouter's :free, :thinking) is kept, for it has a price of its own.
func normalize(name string) string {
	name = plain(name)
	for {
		suffix := versionOfName.FindString(name)
		if suffix == "" || suffix == name {
			return name
		}
		name = name[:len(name)-len(suffix)]
	}
}

// homes are the providers that made models, by the beginning of the models' names. Models with open weights have none: each
// provider asks what it likes.
var homes = []struct{ prefix, provider string }{
	{"gpt-oss", ""},
	{"claude-", "anthropic"},
	{"gpt-", "openai"}, {"chatgpt-", "openai"}, {"o1", "openai"}, {"o3", "openai"}, {"o4-", "openai"}, {"codex-", "openai"},
	{"text-embedding-", "openai"},
	{"gemini-", "google"},
	{"grok-", "xai"},
	{"deepseek-", "deepseek"},
	{"mistral-", "mistral"}, {"ministral-", "mistral"}, {"magistral-", "mistral"}, {"codestral-", "mistral"},
	{"devstral-", "mistral"}, {"pixtral-", "mistral"},
	{"kimi-", "moonshotai"}, {"moonshot-", "moonshotai"},
	{"glm-", "zai"},
	{"minimax-", "minimax"},
	{"command-", "cohere"},
	{"sonar", "perplexity"},
	{"qwen", "alibaba"},
}

// homeOf returns the id of the provider that made a model, or "" when nobody can say.
func homeOf(model string) string {
	model = normalize(model)
	if strings.Contains(model, ":") {
		return "" // a variant of some provider's own
	}
	for _, h := range homes {
		if strings.HasPrefix(model, h.prefix) {
			return h.provider
		}
	}
	return ""
}
