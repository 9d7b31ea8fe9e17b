package config

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"octopus/codec/llm"
)

// valid returns a configuration with one of everything.
func valid() *Config {
	c := Empty()
	c.Channels = []Channel{{
		Object:          Object{ID: "channel00001"},
		Name:            "main",
		Enabled:         true,
		Endpoints:       []Endpoint{{Protocol: llm.Chat, BaseURL: "https://a.example/v1"}, {Protocol: llm.Messages, BaseURL: "https://a.example"}},
		Keys:            []Key{{ID: "key000000001", Name: "one", Secret: "sk-1", Weight: 1}, {ID: "key000000002", Secret: "sk-2", Weight: 1000}},
		Models:          []string{"m"},
		Headers:         []Header{{Name: "X-A", Value: "1"}, {Name: "X-B", Value: "2"}},
		Params:          []byte(`{"a":1}`),
		PriceMultiplier: PriceMultiplierOne,
	}}
	c.Groups = []Group{
		{
			Object: Object{ID: "group0000001"}, Name: "gpt", Aliases: []string{"gpt-latest"}, Enabled: true,
			Mode: ModeFailover, Affinity: AffinityNone, Members: []Member{{Channel: "main", Model: "m"}}, Policy: DefaultPolicy(),
		},
		{Object: Object{ID: "group0000002"}, Name: "empty", Mode: ModeRandom, Affinity: AffinitySession, Policy: DefaultPolicy()},
	}
	c.APIKeys = []APIKey{{
		Object: Object{ID: "apikey000001"}, Name: "ci", SHA256: HashAPIKey([]byte("a")), Groups: []string{"gpt", "*"}, Channels: []string{"*", "main"},
		AllowedIPs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	}}
	c.Prices = []Price{
		{Object: Object{ID: "price0000001"}, Model: "m", Input: 1, Output: NoPrice, CacheRead: NoPrice, CacheWrite: NoPrice},
		{Object: Object{ID: "price0000002"}, Model: "m", Channel: "main", Output: MaxPrice, Input: NoPrice, CacheRead: NoPrice, CacheWrite: 0},
	}
	return c
}

func TestValidConfigurations(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(c *Config)
	}{
		{"one of everything", func(c *Config) {}},
		{"nothing", func(c *Config) { *c = *Empty() }},
		{"a channel without keys", func(c *Config) { c.Channels[0].Keys = nil }},
		{"a channel without keys, and none needed", func(c *Config) { c.Channels[0].Keys, c.Channels[0].Auth = nil, AuthNone }},
		{"a group without members", func(c *Config) { c.Groups[0].Members = nil }},
		{"the same model of two channels", func(c *Config) {
			other := c.Channels[0]
			other.ID, other.Name = "channel00002", "other"
			c.Channels = append(c.Channels, other)
			c.Groups[0].Members = append(c.Groups[0].Members, Member{Channel: "other", Model: "m"})
		}},
		{"a group named like a channel and model", func(c *Config) { c.Groups[0].Aliases[0] = "main/m" }},
		{"a slash in model names", func(c *Config) { c.Channels[0].Models[0] = "openai/gpt" }},
		{"no price source, and no sync", func(c *Config) { c.Settings.PriceSyncURL, c.Settings.PriceSyncInterval = "", 0 }},
		{"the longest timers", func(c *Config) { c.Groups[0].Policy.Deadline, c.Settings.LogRetention = MaxDuration, MaxDuration }},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := valid()
			c.change(config)
			if err := config.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestErrorsOfConfigurations has a line for every message of Validate.
func TestErrorsOfConfigurations(t *testing.T) {
	channel := func(change func(c *Channel)) func(*Config) { return func(c *Config) { change(&c.Channels[0]) } }
	group := func(change func(g *Group)) func(*Config) { return func(c *Config) { change(&c.Groups[0]) } }
	policy := func(change func(p *Policy)) func(*Config) { return func(c *Config) { change(&c.Groups[0].Policy) } }
	key := func(change func(k *APIKey)) func(*Config) { return func(c *Config) { change(&c.APIKeys[0]) } }
	price := func(change func(p *Price)) func(*Config) { return func(c *Config) { change(&c.Prices[0]) } }
	settings := func(change func(s *Settings)) func(*Config) { return func(c *Config) { change(&c.Settings) } }
	rename := func(name string) func(*Config) {
		return func(c *Config) { c.Channels[0].Name, c.Groups, c.APIKeys, c.Prices = name, nil, nil, nil }
	}
	for _, c := range []struct {
		name   string
		change func(c *Config)
		want   string
	}{
		{"no channel name", rename(""), `channels[0].name: must be given`},
		{"a long channel name", rename(strings.Repeat("n", 65)), `channels["` + strings.Repeat("n", 65) + `"].name: must have at most 64 bytes`},
		{"a control character in a channel name", rename("a\nb"), `channels[0].name: must not have control characters`},
		{"a channel name that is not UTF-8", rename("\xff"), `channels[0].name: must be valid UTF-8`},
		{"a slash in a channel name", rename("a/b"), `channels["a/b"].name: must not have a slash, which parts channel and model in requests`},
		{"a channel named like all", rename("*"), `channels["*"].name: must not be "*", which stands for all`},
		{"two channels of one name", func(c *Config) {
			c.Channels = append(c.Channels, c.Channels[0])
			c.Channels[1].ID = "channel00002"
		}, `channels[1].name: is also the name of another channel`},
		{"a short id", channel(func(c *Channel) { c.ID = "c1" }), `channels["main"].id: must be 12 letters or digits`},
		{"a strange id", channel(func(c *Channel) { c.ID = "channel/0001" }), `channels["main"].id: must be 12 letters or digits`},
		{"an id twice", func(c *Config) { c.Groups[1].ID = c.Groups[0].ID }, `groups["empty"].id: is also the id of groups["gpt"]`},
		{"a strange owner", group(func(g *Group) { g.Managed = "panel" }), `groups["gpt"].managed: must be empty or "file"`},

		{"no endpoint", channel(func(c *Channel) { c.Endpoints = nil }), `channels["main"].base_url: must be given`},
		{"no protocol", channel(func(c *Channel) { c.Endpoints[0].Protocol = 0 }), `channels["main"].type: must be openai-chat, openai-responses or anthropic`},
		{"a protocol twice", channel(func(c *Channel) { c.Endpoints[1].Protocol = llm.Chat }), `channels["main"].endpoints[0].type: is an endpoint of this channel already`},
		{"no base URL", channel(func(c *Channel) { c.Endpoints[1].BaseURL = "" }), `channels["main"].endpoints[0].base_url: must be given`},
		{"a bad base URL", channel(func(c *Channel) { c.Endpoints[0].BaseURL = "a.example" }), `channels["main"].base_url: must be a URL such as https://api.openai.com/v1`},
		{"an unknown auth", channel(func(c *Channel) { c.Auth = "basic" }), `channels["main"].auth: must be bearer, x-api-key, api-key or none`},

		{"a key without id", channel(func(c *Channel) { c.Keys[1].ID = "" }), `channels["main"].keys[1].id: must be 12 letters or digits`},
		{"a key's id twice", channel(func(c *Channel) { c.Keys[1].ID = c.Keys[0].ID }), `channels["main"].keys[1].id: is also the id of channels["main"].keys[0]`},
		{"a key's long name", channel(func(c *Channel) { c.Keys[0].Name = strings.Repeat("n", 65) }), `channels["main"].keys[0].name: must have at most 64 bytes`},
		{"a key's name twice", channel(func(c *Channel) { c.Keys[1].Name = "one" }), `channels["main"].keys[1].name: is also the name of another key of this channel`},
		{"no key", channel(func(c *Channel) { c.Keys[0].Secret = "" }), `channels["main"].keys[0].key: must be given`},
		{"a key with a line break", channel(func(c *Channel) { c.Keys[0].Secret = "sk\n" }), `channels["main"].keys[0].key: must be visible ASCII, without spaces or line breaks`},
		{"a key with an umlaut", channel(func(c *Channel) { c.Keys[0].Secret = "ä" }), `channels["main"].keys[0].key: must be visible ASCII, without spaces or line breaks`},
		{"a key twice", channel(func(c *Channel) { c.Keys[1].Secret = "sk-1" }), `channels["main"].keys[1].key: is the same as that of keys[0]`},
		{"a key without weight", channel(func(c *Channel) { c.Keys[0].Weight = 0 }), `channels["main"].keys[0].weight: must be from 1 to 1000`},
		{"a key too heavy", channel(func(c *Channel) { c.Keys[0].Weight = 1001 }), `channels["main"].keys[0].weight: must be from 1 to 1000`},

		{"an empty model", channel(func(c *Channel) { c.Models = []string{""} }), `channels["main"].models[0]: must be given`},
		{"a model twice", channel(func(c *Channel) { c.Models = []string{"a", "b", "a"} }), `channels["main"].models[2]: is the same as item 0`},
		{"a bad pattern", channel(func(c *Channel) { c.ModelSync.Include = "(" }), `channels["main"].model_sync.include: must be an RE2 expression: missing closing )`},
		{"a pattern beyond RE2", channel(func(c *Channel) { c.ModelSync.Include = "(?=a)" }), `channels["main"].model_sync.include: must be an RE2 expression: invalid or unsupported Perl syntax`},
		{"an owned header", channel(func(c *Channel) { c.Headers[0].Name = "Host" }), `channels["main"].headers.Host: must not be set here: the host of base_url decides`},
		{"a header's line break", channel(func(c *Channel) { c.Headers[0].Value = "a\r\nb" }), `channels["main"].headers.X-A: must not have line breaks or other control characters`},
		{"a header twice", channel(func(c *Channel) { c.Headers[0].Name = "X-B" }), `channels["main"].headers.X-B: is given twice`},
		{"headers out of order", channel(func(c *Channel) { c.Headers[0].Name = "X-C" }), `channels["main"].headers.X-B: must stand in the order of names`},
		{"params that are no object", channel(func(c *Channel) { c.Params = []byte(`[1]`) }), `channels["main"].params: must be a JSON object`},
		{"params that are null", channel(func(c *Channel) { c.Params = []byte(`null`) }), `channels["main"].params: must be a JSON object`},
		{"params that are cut", channel(func(c *Channel) { c.Params = []byte(`{"a":`) }), `channels["main"].params: must be a JSON object`},
		{"the model in params", channel(func(c *Channel) { c.Params = []byte(`{"model":"m"}`) }), `channels["main"].params.model: must not be set here: the member of a group names the model`},
		{"the stream in params", channel(func(c *Channel) { c.Params = []byte(`{"stream":null}`) }), `channels["main"].params.stream: must not be set here: the client decides`},
		{"an unknown upstream stream", channel(func(c *Channel) { c.Convert.UpstreamStream = "never" }), `channels["main"].convert.upstream_stream: must be client or always`},
		{"an unknown reaction to leaving", channel(func(c *Channel) { c.ClientGone = "wait" }), `channels["main"].client_gone: must be cancel or drain`},
		{"a bad proxy", channel(func(c *Channel) { c.Proxy = "ftp://a.example" }), `channels["main"].proxy: must begin with http://, https://, socks5://`},
		{"a negative multiplier", channel(func(c *Channel) { c.PriceMultiplier = -1 }), `channels["main"].price_multiplier: must be from 0 to 1000`},
		{"a high multiplier", channel(func(c *Channel) { c.PriceMultiplier = MaxPriceMultiplier + 1 }), `channels["main"].price_multiplier: must be from 0 to 1000`},
		{"negative limits", channel(func(c *Channel) { c.Limits = Limits{-1, -1, -1} }),
			`channels["main"].limits.concurrency: must not be negative; channels["main"].limits.rpm: must not be negative; channels["main"].limits.tpm: must not be negative`},

		{"no group name", func(c *Config) { c.Groups[1].Name = "" }, `groups[1].name: must be given`},
		{"a group named like all", func(c *Config) { c.Groups[1].Name = "*" }, `groups["*"].name: must not be "*", which stands for all`},
		{"a long group name", func(c *Config) { c.Groups[1].Name = strings.Repeat("n", 257) }, `groups[1].name: must have at most 256 bytes`},
		{"two groups of one name", func(c *Config) { c.Groups[1].Name = "gpt" }, `groups[1].name: is also the name of another group`},
		{"an empty alias", group(func(g *Group) { g.Aliases[0] = "" }), `groups["gpt"].aliases[0]: must be given`},
		{"an alias for all", group(func(g *Group) { g.Aliases[0] = "*" }), `groups["gpt"].aliases[0]: must not be "*", which stands for all`},
		{"an alias like a group", group(func(g *Group) { g.Aliases[0] = "empty" }), `groups["gpt"].aliases[0]: "empty" is also the name of a group`},
		{"an alias like its own group", group(func(g *Group) { g.Aliases[0] = "gpt" }), `groups["gpt"].aliases[0]: "gpt" is also the name of a group`},
		{"an alias twice", func(c *Config) { c.Groups[1].Aliases = []string{"gpt-latest"} }, `groups["empty"].aliases[0]: "gpt-latest" is also an alias of group "gpt"`},
		{"no mode", group(func(g *Group) { g.Mode = "" }), `groups["gpt"].mode: must be round-robin, random, failover, weighted or least-latency`},
		{"no affinity", group(func(g *Group) { g.Affinity = "" }), `groups["gpt"].affinity: must be none, session or prompt-cache`},
		{"a member of no channel", group(func(g *Group) { g.Members[0].Channel = "" }), `groups["gpt"].members[0].channel: must be given`},
		{"a member of an unknown channel", group(func(g *Group) { g.Members[0].Channel = "nope" }), `groups["gpt"].members[0].channel: there is no channel "nope"`},
		{"a member of all channels", group(func(g *Group) { g.Members[0].Channel = "*" }), `groups["gpt"].members[0].channel: there is no channel "*"`},
		{"a member without model", group(func(g *Group) { g.Members[0].Model = "" }), `groups["gpt"].members[0].model: must be given`},
		{"a negative weight", group(func(g *Group) { g.Members[0].Weight = -1 }), `groups["gpt"].members[0].weight: must be from 0 to 1000`},
		{"a high priority", group(func(g *Group) { g.Members[0].Priority = 1001 }), `groups["gpt"].members[0].priority: must be from 0 to 1000`},
		{"a member twice", group(func(g *Group) { g.Members = append(g.Members, g.Members[0]) }), `groups["gpt"].members[1]: names the same channel and model as members[0]`},
		{"a bad match", group(func(g *Group) { g.Match = "[" }), `groups["gpt"].match: must be an RE2 expression: missing closing ]`},

		{"no attempts", policy(func(p *Policy) { p.Attempts = 0 }), `groups["gpt"].policy.attempts: must be from 1 to 20`},
		{"no attempts per target", policy(func(p *Policy) { p.AttemptsPerTarget = 11 }), `groups["gpt"].policy.attempts_per_target: must be from 1 to 10`},
		{"a negative deadline", policy(func(p *Policy) { p.Deadline = -1 }), `groups["gpt"].policy.deadline: must not be negative`},
		{"no connect timeout", policy(func(p *Policy) { p.ConnectTimeout = 0 }), `groups["gpt"].policy.connect_timeout: must not be zero`},
		{"a long first-token timeout", policy(func(p *Policy) { p.FirstTokenTimeout = MaxDuration + 1 }), `groups["gpt"].policy.first_token_timeout: must be at most 8784 hours`},
		{"a negative answer timeout", policy(func(p *Policy) { p.AnswerTimeout = -1 }), `groups["gpt"].policy.answer_timeout: must not be negative`},
		{"a negative idle timeout", policy(func(p *Policy) { p.IdleTimeout = -1 }), `groups["gpt"].policy.idle_timeout: must not be negative`},
		{"a negative keep-alive", policy(func(p *Policy) { p.KeepAlive = -1 }), `groups["gpt"].policy.keepalive: must not be negative`},
		{"a negative wait", policy(func(p *Policy) { p.RateLimitWait = -1 }), `groups["gpt"].policy.rate_limit_wait: must not be negative`},
		{"no commit", policy(func(p *Policy) { p.Commit = "" }), `groups["gpt"].policy.commit: must be first-token or complete`},
		{"a negative cooldown", policy(func(p *Policy) { p.Cooldown = Cooldown{-1, -1} }), `groups["gpt"].policy.cooldown.base: must not be negative; groups["gpt"].policy.cooldown.max: must not be negative`},
		{"a cooldown that shrinks", policy(func(p *Policy) { p.Cooldown = Cooldown{2, 1} }), `groups["gpt"].policy.cooldown.max: must not be less than cooldown.base`},
		{"a negative hedge", policy(func(p *Policy) { p.Hedge.After = -1 }), `groups["gpt"].policy.hedge.after: must not be negative`},
		{"two hedges", policy(func(p *Policy) { p.Hedge = Hedge{P95: true, After: 1} }), `groups["gpt"].policy.hedge.after: must be none, p95 or a duration, only one of them`},
		{"too many hedges", policy(func(p *Policy) { p.Hedge.MaxShare = 101 }), `groups["gpt"].policy.hedge.max_share: must be from 0 to 100`},

		{"no API key name", key(func(k *APIKey) { k.Name = "" }), `api_keys[0].name: must be given`},
		{"a long API key name", key(func(k *APIKey) { k.Name = strings.Repeat("n", 65) }), `api_keys["` + strings.Repeat("n", 65) + `"].name: must have at most 64 bytes`},
		{"two API keys of one name", func(c *Config) {
			c.APIKeys = append(c.APIKeys, c.APIKeys[0])
			c.APIKeys[1].ID, c.APIKeys[1].SHA256 = "apikey000002", HashAPIKey([]byte("b"))
		}, `api_keys[1].name: is also the name of another API key`},
		{"no hash", key(func(k *APIKey) { k.SHA256 = [32]byte{} }), `api_keys["ci"].key: must be given, or key_sha256`},
		{"two API keys of one hash", func(c *Config) {
			c.APIKeys = append(c.APIKeys, c.APIKeys[0])
			c.APIKeys[1].ID, c.APIKeys[1].Name = "apikey000002", "cd"
		}, `api_keys["cd"].key: is the same as that of api_keys["ci"]`},
		{"a long end", key(func(k *APIKey) { k.Last4 = "12345" }), `api_keys["ci"].last4: must be four visible characters, or empty`},
		{"an unknown group", key(func(k *APIKey) { k.Groups[0] = "nope" }), `api_keys["ci"].groups[0]: there is no group "nope"`},
		{"an empty group", key(func(k *APIKey) { k.Groups[0] = "" }), `api_keys["ci"].groups[0]: must be given`},
		{"an alias for a group", key(func(k *APIKey) { k.Groups[0] = "gpt-latest" }), `api_keys["ci"].groups[0]: is an alias; name the group itself, "gpt"`},
		{"an unknown channel", key(func(k *APIKey) { k.Channels[1] = "nope" }), `api_keys["ci"].channels[1]: there is no channel "nope"`},
		{"a negative budget", key(func(k *APIKey) { k.BudgetNanoUSD = -1 }), `api_keys["ci"].budget_usd: must not be negative`},
		{"an unknown period", key(func(k *APIKey) { k.BudgetPeriod = "year" }), `api_keys["ci"].budget_period: must be total, day or month`},
		{"negative limits of an API key", key(func(k *APIKey) { k.RPM, k.TPM, k.Concurrency = -1, -1, -1 }),
			`api_keys["ci"].rpm: must not be negative; api_keys["ci"].tpm: must not be negative; api_keys["ci"].concurrency: must not be negative`},
		{"an unknown unpriced", key(func(k *APIKey) { k.Unpriced = "warn" }), `api_keys["ci"].unpriced: must be refuse or allow`},
		{"no range", key(func(k *APIKey) { k.AllowedIPs[0] = netip.Prefix{} }), `api_keys["ci"].allowed_ips[0]: must be an address range without bits beyond its length`},
		{"a range with more bits", key(func(k *APIKey) { k.AllowedIPs[0] = netip.MustParsePrefix("10.0.0.1/8") }), `api_keys["ci"].allowed_ips[0]: must be an address range without bits beyond its length`},
		{"an IPv4 range in IPv6", key(func(k *APIKey) { k.AllowedIPs[0] = netip.MustParsePrefix("::ffff:10.0.0.0/104") }), `api_keys["ci"].allowed_ips[0]: must be an address range without bits beyond its length`},

		{"a price of no model", price(func(p *Price) { p.Model = "" }), `prices[0].model: must be given`},
		{"a price of an unknown channel", price(func(p *Price) { p.Channel = "nope" }), `prices["m", "nope"].channel: there is no channel "nope"`},
		{"a price twice", price(func(p *Price) { p.Channel = "main" }), `prices[1].model: has a price for the same channel already`},
		{"a price of nothing", price(func(p *Price) { p.Input = NoPrice }), `prices["m"]: must give input, output, cache_read or cache_write`},
		{"high prices", price(func(p *Price) {
			p.Input, p.Output, p.CacheRead, p.CacheWrite = MaxPrice+1, MaxPrice+1, MaxPrice+1, MaxPrice+1
		}), `prices["m"].input: must be at most 100000 USD per million tokens; prices["m"].output: must be at most 100000 USD per million tokens; ` +
			`prices["m"].cache_read: must be at most 100000 USD per million tokens; prices["m"].cache_write: must be at most 100000 USD per million tokens`},

		{"unknown bodies", settings(func(s *Settings) { s.LogBodies = "some" }), `settings.log_bodies: must be none, errors or all`},
		{"a negative retention", settings(func(s *Settings) { s.LogRetention = -1 }), `settings.log_retention: must not be negative`},
		{"a negative log", settings(func(s *Settings) { s.LogMaxSize = -1 }), `settings.log_max_size: must not be negative`},
		{"a busy flusher", settings(func(s *Settings) { s.StatsSaveInterval = time.Millisecond }), `settings.stats_save_interval: must be at least 10ms`},
		{"no flusher", settings(func(s *Settings) { s.StatsSaveInterval = 0 }), `settings.stats_save_interval: must not be zero`},
		{"a negative price sync", settings(func(s *Settings) { s.PriceSyncInterval = -1 }), `settings.price_sync_interval: must not be negative`},
		{"no price source", settings(func(s *Settings) { s.PriceSyncURL = "" }), `settings.price_sync_url: must be a URL such as https://models.dev/api.json`},
		{"a negative model sync", settings(func(s *Settings) { s.ModelSyncInterval = -1 }), `settings.model_sync_interval: must not be negative`},
		{"a bad global proxy", settings(func(s *Settings) { s.Proxy = "socks4://a.example" }), `settings.proxy: must begin with http://, https://, socks5://`},
		{"a bad origin", settings(func(s *Settings) { s.CORSOrigins = []string{"*", "a.example"} }), `settings.cors_origins[1]: must be a URL such as https://chat.example.org`},
		{"an unknown model of answers", settings(func(s *Settings) { s.ResponseModel = "" }), `settings.response_model: must be upstream or requested`},
		{"a negative memory", settings(func(s *Settings) { s.ResponseStore = ResponseStore{-1, -1} }), `settings.response_store.ttl: must not be negative; settings.response_store.max_bytes: must not be negative`},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := valid()
			c.change(config)
			err := config.Validate()
			if err == nil || err.Error() != c.want {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			var field *FieldError
			if !errors.As(err, &field) || field.Line != 0 {
				t.Errorf("first error %#v, want a *FieldError without line", field)
			}
		})
	}
}
