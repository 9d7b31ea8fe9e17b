package prices

import (
	"net/netip"
	"net/url"
	"strings"
)

// knownHosts are the providers whose address the catalog of models.dev leaves to a library (2026-11). A name that begins with
// a dot stands for all hosts below it.
var knownHosts = map[string]string{
	"api.openai.com":                    "openai",
	"api.anthropic.com":                 "anthropic",
	"generativelanguage.googleapis.com": "google",
	"aiplatform.googleapis.com":         "google-vertex",
	"api.groq.com":                      "groq",
	"api.mistral.ai":                    "mistral",
	"api.x.ai":                          "xai",
	"api.deepseek.com":                  "deepseek",
	"openrouter.ai":                     "openrouter",
	"api.together.xyz":                  "togetherai",
	"api.together.ai":                   "togetherai",
	"api.deepinfra.com":                 "deepinfra",
	"api.cerebras.ai":                   "cerebras",
	"api.cohere.com":                    "cohere",
	"api.cohere.ai":                     "cohere",
	"api.perplexity.ai":                 "perplexity",
	"gateway.ai.cloudflare.com":         "cloudflare-ai-gateway",
	"api.venice.ai":                     "venice",
	"ai-gateway.vercel.sh":              "vercel",
	"aihubmix.com":                      "aihubmix",
	"api.v0.dev":                        "v0",
	".openai.azure.com":                 "azure",
	".services.ai.azure.com":            "azure",
	".cognitiveservices.azure.com":      "azure",
	".aiplatform.googleapis.com":        "google-vertex",
	".amazonaws.com":                    "amazon-bedrock",
}

// addHost notes where a provider is reached, given its API's URL. The first provider of a host keeps it, and addresses of this
// machine are nobody's.
func (c *Catalog) addHost(api, provider string) {
	u, err := url.Parse(api)
	if err != nil || u.Hostname() == "" || strings.ContainsAny(u.Host, "${}") {
		return
	}
	host := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" || c.hosts[host] != "" || knownHosts[host] != "" {
		return
	}
	c.hosts[host] = provider
}

// providerOf returns the id of the provider that is reached at a host, or "".
func (c *Catalog) providerOf(host string) string {
	host = strings.ToLower(host)
	if id := knownHosts[host]; id != "" {
		return id
	}
	if id := c.hosts[host]; id != "" {
		return id
	}
	for {
		_, parent, ok := strings.Cut(host, ".")
		if !ok {
			return ""
		}
		if id := knownHosts["."+parent]; id != "" {
			return id
		}
		host = parent
	}
}
